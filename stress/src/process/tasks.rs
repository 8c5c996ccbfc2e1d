//! The threads of a process as the kernel has them.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

/// Names of the threads by their id *as the process sees it*: in a container that is another number than outside, and
/// CPython keeps the inner one (`gettid` at the start of the thread).
///
/// # Errors
/// The process is gone, or /proc is not mounted.
pub fn of(pid: i32) -> io::Result<HashMap<u64, String>> {
    let mut names = HashMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let entry = entry?;
        let outer = entry.file_name().to_string_lossy().parse().ok();
        // A thread may be gone since the directory was read.
        let Some(tid) = inner(&entry.path()).or(outer) else { continue };
        let Ok(name) = fs::read(entry.path().join("comm")) else { continue };
        names.insert(tid, String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned());
    }
    Ok(names)
}

/// The id in the innermost pid namespace, the last of the line `NSpid: OUTER … INNER`.
fn inner(task: &Path) -> Option<u64> {
    let status = fs::read(task.join("status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_ascii_whitespace().last()?.parse().ok()
}

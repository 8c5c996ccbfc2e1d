//! Whether a process can be read, and why not.

use super::trouble::Trouble;
use sigwalk::reader::{Fault, FaultKind, VmError, VmReader};
use std::os::unix::fs::MetadataExt;

/// Asks the kernel.
///
/// # Errors
/// There is no such process, it has no memory, or it may not be read.
pub fn check(reader: VmReader) -> Result<(), Trouble> {
    match reader.check() {
        Ok(()) => Ok(()),
        Err(VmError::NoProcess) => Err(missing(reader.pid())),
        Err(VmError::Refused) => Err(refused(reader.pid())),
        Err(error @ (VmError::NoCall | VmError::Other(_))) => Err(Trouble::NoCall(error)),
    }
}

/// The trouble that a fault means for the whole process; `None` when it is about its address only.
pub fn trouble_of(pid: i32, fault: Fault) -> Option<Trouble> {
    match fault.kind {
        FaultKind::Gone => Some(Trouble::Exited(pid)),
        FaultKind::Refused => Some(refused(pid)),
        FaultKind::Unmapped | FaultKind::Bus | FaultKind::Budget => None,
    }
}

/// Why a process that could be read a moment ago cannot be looked at: it exited, or `else_trouble`.
pub fn exited_or(reader: VmReader, else_trouble: impl FnOnce() -> Trouble) -> Trouble {
    match reader.check() {
        Err(VmError::NoProcess) => Trouble::Exited(reader.pid()),
        _ => else_trouble(),
    }
}

/// The kernel says "no such process" of what has no memory, too.
fn missing(pid: i32) -> Trouble {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Trouble::NoProcess(pid);
    };
    // `PID (NAME) STATE …`, where the name may hold anything.
    let (front, back) = stat.rsplit_once(')').unwrap_or((&stat, ""));
    let name = front.split_once('(').map_or("", |(_, name)| name).to_owned();
    let state = match back.trim_start().chars().next() {
        Some('Z' | 'X') => "it has exited, and its parent has not waited for it",
        _ => "it is a kernel thread",
    };
    Trouble::NoMemory { pid, name, state }
}

fn refused(pid: i32) -> Trouble {
    let uid = |process: &str| std::fs::metadata(format!("/proc/{process}")).ok().map(|data| data.uid());
    let (own, other) = (uid("self"), uid(&pid.to_string()));
    let owner = match (own, other) {
        (Some(own), Some(other)) if own != other => format!(" by user {own}, it is user {other}'s"),
        _ => String::new(),
    };
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let remedy = match (scope.trim(), owner.is_empty()) {
        (_, false) => "run stress as that user or as root (in a container with --cap-add SYS_PTRACE)".into(),
        (scope @ ("1" | "2"), true) => format!(
            "kernel.yama.ptrace_scope is {scope}, which keeps other processes of the same user out; run stress as root, or `sysctl kernel.yama.ptrace_scope=0`"
        ),
        ("3", true) => "kernel.yama.ptrace_scope is 3, which nobody gets around before the next boot".into(),
        _ => "a capability, a seccomp filter or a security module is in the way; run stress as root (in a container with --cap-add SYS_PTRACE)".into(),
    };
    Trouble::Refused { pid, owner, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use sigwalk::addr::Addr;
    use sigwalk::reader::Reader;
    use sigwalk_record::exit;

    #[test]
    fn a_fault_of_a_process_that_exited_has_its_own_code_and_says_so() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as i32;
        child.wait().unwrap();
        let fault = VmReader::new(pid).u64(Addr::new(0x1000)).unwrap_err();
        let failure = Failure::from(trouble_of(pid, fault).expect("about the process"));
        assert_eq!(failure.code, exit::TARGET_EXITED);
        assert!(
            failure.message.starts_with(&format!("process {pid} exited while it was walked")),
            "{failure}"
        );
        let unreadable = exited_or(VmReader::new(pid), || unreachable!());
        assert_eq!(unreadable.code(), exit::TARGET_EXITED);
    }

    #[test]
    fn a_fault_at_an_address_says_nothing_of_the_process() {
        let own = VmReader::own();
        let fault = own.u64(Addr::new(8)).unwrap_err();
        assert!(trouble_of(own.pid(), fault).is_none());
        assert!(matches!(exited_or(own, || Trouble::NoThread(1)), Trouble::NoThread(1)));
    }
}

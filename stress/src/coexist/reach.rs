//! A genuine bad access, in a process of its own that is forked for it: does it still reach the other component?
//!
//! # Invariant
//!
//! What is accessed badly is a page that may not be read, or the guard page of a thread that recurses; the process is to die of it.
#![allow(unsafe_code)]

use super::badly::Bad;
use super::component::{Component, Hears};
use super::shared::Shared;
use libc::c_int;
use std::hint::black_box;
use std::io;
use std::sync::atomic::Ordering::Relaxed;

/// What the process does that is to be heard of.
fn deed(hears: Hears, bad: Bad) {
    match hears {
        Hears::Overflow(_) => {
            let thread = std::thread::Builder::new().name("overflows".into()).stack_size(128 << 10);
            let _ = thread.spawn(|| black_box(recurse(0))).map(std::thread::JoinHandle::join);
        }
        // SAFETY: a sent signal is ignored, or ends this process.
        Hears::Ignores => unsafe { _ = libc::raise(libc::SIGSEGV) },
        _ => access(bad),
    }
}

fn access(bad: Bad) {
    // SAFETY: the module's invariant.
    black_box(unsafe { (bad.at().get() as *const u8).read_volatile() });
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if black_box(true) { recurse(depth + 1) + frame[7] } else { 0 }
}

/// What the process ends with when its deed had no effect on it.
const UNHARMED: c_int = 0;

/// Whether a bad access of a process that is forked now reaches `component`. Everything on stderr goes to `stderr`, a file.
///
/// # Errors
/// The kernel's.
pub fn reaches(component: &Component, shared: &Shared, stderr: c_int) -> io::Result<bool> {
    let bad = Bad::forbidden()?;
    let heard = shared.heard.load(Relaxed);
    // SAFETY: a file of ours.
    let said_before = unsafe { libc::lseek(stderr, 0, libc::SEEK_END) };
    let end_of = |deed: &dyn Fn()| -> io::Result<c_int> {
        // SAFETY: a process with one thread; the child ends here.
        unsafe {
            let parent = libc::getpid();
            match libc::fork() {
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    if libc::getppid() == parent {
                        deed();
                    }
                    libc::_exit(UNHARMED)
                }
                -1 => Err(io::Error::last_os_error()),
                pid => {
                    let mut status = 0;
                    while libc::waitpid(pid, &mut status, 0) != pid {}
                    Ok(status)
                }
            }
        }
    };
    let status = end_of(&|| deed(component.hears, bad))?;
    let died = libc::WIFSIGNALED(status);
    let of_segv = |status| libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV;
    let printed = |text: &str| said(stderr, said_before).is_ok_and(|said| said.contains(text));
    Ok(match component.hears {
        Hears::Counts => died && shared.heard.load(Relaxed) == heard + 1,
        Hears::Exits(code) => libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == code,
        Hears::Prints(text) | Hears::Overflow(text) => died && printed(text),
        Hears::Ignores => {
            libc::WIFEXITED(status)
                && libc::WEXITSTATUS(status) == UNHARMED
                && of_segv(end_of(&|| access(bad))?)
        }
        Hears::Nothing => of_segv(status),
    })
}

/// What was written to the file since it ended at `from`.
fn said(file: c_int, from: i64) -> io::Result<String> {
    let mut bytes = vec![0_u8; 16 << 10];
    // SAFETY: a file of ours, and a buffer of its length.
    let read = unsafe { libc::pread(file, bytes.as_mut_ptr().cast(), bytes.len(), from) };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    Ok(String::from_utf8_lossy(&bytes[..read]).into_owned())
}

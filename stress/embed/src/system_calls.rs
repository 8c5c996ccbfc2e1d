//! System calls that a piece of code really makes: told by the kernel's own tracing, in a forked copy of this process.
//!
//! The copy marks where a piece begins or ends by a call that no kernel knows ([`mark`]), and stops at each call it enters
//! (PTRACE_SYSCALL). What is between two marks is the piece's.
//!
//! # Invariant
//!
//! The copy is a child of the calling thread, which is its tracer, and is waited for before [`between_marks`] returns.
#![allow(unsafe_code)]

use libc::{c_int, c_long, c_void, pid_t};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// A call that does not exist: the kernel answers ENOSYS.
const MARK: c_long = 0x5167_7761;

/// How a traced copy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exit(c_int),
    /// By this signal.
    Signal(c_int),
}

/// Ends a piece and begins the next. Only in a copy; elsewhere it is a call that the kernel refuses.
///
/// # Signal safety
/// One system call. errno is not kept.
pub fn mark() {
    // SAFETY: no kernel knows the number.
    unsafe { libc::syscall(MARK) };
}

/// The numbers of the system calls before the first mark, between each two marks, and after the last, that `work` makes in a
/// forked copy of this process, which exits with what `work` returns. `work` may not allocate or take a lock that another thread
/// may have held when the process was copied.
///
/// # Errors
/// The kernel or a sandbox refuses to fork or to trace.
pub fn between_marks(work: impl FnOnce() -> c_int) -> io::Result<(Vec<Vec<c_long>>, Ended)> {
    // SAFETY: the copy calls nothing but the C library's plain calls and `work`, and leaves by _exit.
    unsafe {
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 || libc::raise(libc::SIGSTOP) != 0 {
                    libc::_exit(2);
                }
                libc::_exit(work())
            }
            pid => trace(pid).inspect_err(|_| {
                // An error when it exited and was waited for already; else nothing more is wanted of it.
                if libc::waitpid(pid, ptr::null_mut(), libc::WNOHANG) == 0 {
                    libc::kill(pid, libc::SIGKILL);
                    libc::waitpid(pid, ptr::null_mut(), 0);
                }
            }),
        }
    }
}

/// Follows the copy from its first stop to its end.
fn trace(pid: pid_t) -> io::Result<(Vec<Vec<c_long>>, Ended)> {
    if !libc::WIFSTOPPED(wait(pid)?) {
        return Err(io::Error::other("tracing is refused: PTRACE_TRACEME failed"));
    }
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
    request(libc::PTRACE_SETOPTIONS, pid, options as usize)?;
    let mut pieces = vec![Vec::new()];
    let mut signal = 0;
    loop {
        request(libc::PTRACE_SYSCALL, pid, signal as usize)?;
        let status = wait(pid)?;
        if libc::WIFEXITED(status) {
            return Ok((pieces, Ended::Exit(libc::WEXITSTATUS(status))));
        }
        if !libc::WIFSTOPPED(status) {
            return Ok((pieces, Ended::Signal(libc::WTERMSIG(status))));
        }
        signal = match libc::WSTOPSIG(status) {
            stop if stop == libc::SIGTRAP | 0x80 => {
                match entered(pid)? {
                    Some(MARK) => pieces.push(Vec::new()),
                    Some(call) => pieces.last_mut().expect("never empty").push(call),
                    None => {}
                }
                0
            }
            other => other,
        };
    }
}

/// The number of the call that the copy is entering; `None` when it is leaving one.
fn entered(pid: pid_t) -> io::Result<Option<c_long>> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    // SAFETY: the kernel writes at most that many bytes; all-zero is a valid value, and of the union only what `op`
    // names is read.
    unsafe {
        let size = size_of::<libc::ptrace_syscall_info>();
        if libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        let info = info.assume_init();
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY => Ok(Some(info.u.entry.nr as c_long)),
            _ => Ok(None),
        }
    }
}

fn request(request: libc::c_uint, pid: pid_t, data: usize) -> io::Result<()> {
    // SAFETY: these requests read no memory of ours.
    match unsafe { libc::ptrace(request, pid, ptr::null_mut::<c_void>(), data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn wait(pid: pid_t) -> io::Result<c_int> {
    let mut status = 0;
    // SAFETY: a child of ours; the status is our memory.
    match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn getpid(times: usize) -> bool {
        // SAFETY: always succeeds.
        (0..times).all(|_| unsafe { libc::syscall(libc::SYS_getpid) } > 0)
    }

    #[test]
    fn every_call_is_told_once_and_in_its_piece() {
        let (pieces, ended) = between_marks(|| {
            for calls in [5, 0, 1, 7] {
                getpid(calls);
                mark();
            }
            7
        })
        .unwrap();
        let pids: Vec<usize> = pieces
            .iter()
            .map(|calls| calls.iter().filter(|call| **call == libc::SYS_getpid).count())
            .collect();
        assert_eq!((pids, ended), (vec![5, 0, 1, 7, 0], Ended::Exit(7)));
        assert_eq!(pieces[3].len(), 7, "{pieces:?}");
    }

    #[test]
    fn a_copy_that_dies_says_so() {
        // SAFETY: ends the copy.
        let (_, ended) = between_marks(|| unsafe { libc::raise(libc::SIGKILL) }).unwrap();
        assert_eq!(ended, Ended::Signal(libc::SIGKILL));
    }
}

//! Work in a process that is forked from this one, which has Python already, and what it hands back.
#![allow(unsafe_code)]

use crate::failure::Failure;
use sigwalk_embed::pyo3::ffi;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd};

/// Seconds after which the kernel ends the process: many times what it takes on a busy machine.
const LATE: u32 = 300;

/// Makes a process that was just forked a quiet one: Ctrl-C is its parent's business, it leaves no core, and CPython knows of the fork.
///
/// # Safety
/// The calling process was forked from one that is attached, has called nothing of CPython since, and has one thread.
pub unsafe fn quiet() {
    // SAFETY: plain system calls, then CPython's own hook for a forked child: the caller's.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        ffi::PyOS_AfterFork_Child();
    }
}

/// Does `work` in a child of this process, which must be attached and single-threaded, and returns its bytes. The child goes on
/// with nothing else, and ends without destructors.
///
/// # Errors
/// The kernel's; the work's own, with `name` before it; or the child died.
pub fn in_child(name: &str, work: impl FnOnce() -> Result<Vec<u8>, String>) -> Result<Vec<u8>, Failure> {
    let mut ends = [0; 2];
    // SAFETY: both descriptors are written.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(Failure::missing(format!("pipe: {}", std::io::Error::last_os_error())));
    }
    // SAFETY: two new descriptors that nobody else owns.
    let (mut reader, writer) = unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) };
    // SAFETY: attached and single-threaded (the caller's); CPython's own hooks stand around the fork, the child never returns.
    let pid = unsafe {
        ffi::PyOS_BeforeFork();
        let pid = libc::fork();
        if pid == 0 {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::alarm(LATE);
            ffi::PyOS_AfterFork_Child();
            let mut writer = writer;
            let ended = work().and_then(|bytes| writer.write_all(&bytes).map_err(|error| error.to_string()));
            if let Err(why) = &ended {
                eprintln!("stress: {name}: {why}");
            }
            libc::_exit(i32::from(ended.is_err()));
        }
        ffi::PyOS_AfterFork_Parent();
        pid
    };
    // The child's copy is the only one left: the end of the pipe is the end of the child.
    // SAFETY: our own descriptor, given up by its owner.
    unsafe { libc::close(writer.into_raw_fd()) };
    if pid < 0 {
        return Err(Failure::missing(format!(
            "fork: {}; raise the limit on processes",
            std::io::Error::last_os_error()
        )));
    }
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes);
    let mut status = 0;
    // SAFETY: our own child; `status` is written.
    unsafe { while libc::waitpid(pid, &raw mut status, 0) < 0 {} }
    let how = match status {
        0 => return read.map(|_| bytes).map_err(|error| Failure::internal(format!("{name}: {error}"))),
        _ if libc::WIFSIGNALED(status) => format!("ended by signal {}", libc::WTERMSIG(status)),
        _ => format!("ended with {}", libc::WEXITSTATUS(status)),
    };
    Err(Failure::internal(format!("{name}: {how}")))
}

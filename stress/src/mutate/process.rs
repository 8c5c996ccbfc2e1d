//! A process for each stack, all of them forked from one that never changes: whatever was done before it, a stack finds the
//! same memory, and so gives the same answers alone as in a campaign.
//!
//! # Invariant
//!
//! The process in between (the nursery) is forked once Python runs, holds the interpreter, has one thread, and does nothing but fork
//! and wait: between two forks it allocates nothing. A stack's process never returns into it.
#![allow(unsafe_code)]

use crate::failure::Failure;
use sigwalk_embed::pyo3::ffi;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};

/// A stack's process that hangs is ended by SIGALRM after so many seconds.
const SECONDS: libc::c_uint = 300;

/// The nursery, from outside.
#[derive(Debug)]
pub struct Nursery {
    pid: libc::pid_t,
    /// `None` once nothing is asked any more.
    asks: Option<File>,
    answers: File,
    /// The stack that it is on.
    pub busy: Option<u64>,
}

/// How a stack's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with that code.
    Code(i32),
    /// By that signal.
    Signal(i32),
}

impl Nursery {
    /// Forks the nursery. `body` is what a stack's process does; it gets the stack's number and gives the exit code.
    ///
    /// # Errors
    /// The kernel has no process or no pipe.
    pub fn start(mut body: impl FnMut(u64) -> i32) -> Result<Nursery, Failure> {
        let missing = |error: std::io::Error| Failure::missing(format!("a process for stacks: {error}"));
        let (inner_asks, asks) = pipe().map_err(missing)?;
        let (answers, inner_answers) = pipe().map_err(missing)?;
        // SAFETY: attached and single-threaded; CPython's own hooks stand around the fork, and the child never returns.
        let pid = unsafe {
            ffi::PyOS_BeforeFork();
            let pid = libc::fork();
            if pid == 0 {
                ffi::PyOS_AfterFork_Child();
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // Ctrl-C is for whoever asks.
                libc::signal(libc::SIGINT, libc::SIG_IGN);
                libc::signal(libc::SIGTERM, libc::SIG_DFL);
                drop((asks, answers));
                serve(inner_asks, inner_answers, &mut body);
            }
            ffi::PyOS_AfterFork_Parent();
            if pid < 0 {
                return Err(missing(std::io::Error::last_os_error()));
            }
            pid
        };
        Ok(Nursery { pid, asks: Some(asks), answers, busy: None })
    }

    /// Begins a stack.
    ///
    /// # Errors
    /// The nursery has died.
    pub fn begin(&mut self, stack: u64) -> Result<(), Failure> {
        self.busy = Some(stack);
        let asks = self.asks.as_mut().expect("open until the nursery is dropped");
        asks.write_all(&stack.to_ne_bytes()).map_err(died)
    }

    /// Waits for the end of the stack that was begun.
    ///
    /// # Errors
    /// The nursery has died.
    pub fn end(&mut self) -> Result<Ended, Failure> {
        let mut status = [0; 4];
        self.answers.read_exact(&mut status).map_err(died)?;
        self.busy = None;
        let status = i32::from_ne_bytes(status);
        Ok(match libc::WIFSIGNALED(status) {
            true => Ended::Signal(libc::WTERMSIG(status)),
            false => Ended::Code(libc::WEXITSTATUS(status)),
        })
    }

    /// Readable when the stack has ended.
    pub fn answers(&self) -> BorrowedFd<'_> {
        self.answers.as_fd()
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        // It ends when nobody can ask any more; a stack that it is on is of no use to anybody.
        self.asks = None;
        // SAFETY: our own child, not reaped yet.
        unsafe {
            if self.busy.is_some() {
                libc::kill(self.pid, libc::SIGKILL);
            }
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

fn died(error: std::io::Error) -> Failure {
    Failure::internal(format!("the process that forks the stacks' processes has died: {error}"))
}

fn pipe() -> std::io::Result<(File, File)> {
    let mut fds = [0; 2];
    // SAFETY: two new descriptors, which nobody else owns.
    unsafe {
        if libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok((File::from_raw_fd(fds[0]), File::from_raw_fd(fds[1])))
    }
}

/// # Safety
/// In the nursery, attached.
unsafe fn serve(mut asks: File, mut answers: File, body: &mut dyn FnMut(u64) -> i32) -> ! {
    let mut stack = [0; 8];
    // SAFETY: the module's invariant.
    unsafe {
        while asks.read_exact(&mut stack).is_ok() {
            ffi::PyOS_BeforeFork();
            let nursery = libc::getpid();
            let pid = libc::fork();
            if pid == 0 {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                if libc::getppid() != nursery {
                    libc::_exit(1);
                }
                let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                libc::setrlimit(libc::RLIMIT_CORE, &none);
                ffi::PyOS_AfterFork_Child();
                libc::alarm(SECONDS);
                let code = body(u64::from_ne_bytes(stack));
                libc::_exit(code);
            }
            ffi::PyOS_AfterFork_Parent();
            let mut status = 0;
            while pid > 0 && libc::waitpid(pid, &raw mut status, 0) != pid {}
            if pid < 0 || answers.write_all(&status.to_ne_bytes()).is_err() {
                break;
            }
        }
        libc::_exit(0)
    }
}

/// Waits until one of these has something to say, or a little time has passed.
pub fn poll(fds: &mut [libc::pollfd]) {
    // SAFETY: an array of its length.
    unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, 200) };
}

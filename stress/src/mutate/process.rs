//! A process for each stack, all of them forked from one that never changes, the nursery: whatever was done before it, a
//! stack finds the same memory, and so gives the same answers alone as in a campaign.
//!
//! The nursery is this program, executed with arguments and variables of its own: lengths of arguments and variables decide where
//! the native stack begins, and what was allocated before Python decides where its objects are. Not the same from run to
//! run is what the kernel draws at random: the key that glibc writes into what it frees, and what is reached by way of that
//! (models tcache-key and unsorted-bin). And on a very busy machine a run has now and then a few objects elsewhere in the heap, so
//! that some outcomes which bits of addresses decide differ (`stress/tests/mutate.rs` says how many).
//!
//! # Invariant
//!
//! The nursery has one thread, holds the interpreter, and does nothing but fork and wait: between two forks it allocates
//! nothing. A stack's process never returns into it. Descriptors [`CAMPAIGN`] and [`COUNTERS`] of a nursery are what
//! [`Nursery::start`] put there.
#![allow(unsafe_code)]

use super::counters::Counters;
use crate::failure::Failure;
use sigwalk_embed::pyo3::ffi;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A stack's process that hangs is ended by SIGALRM after so many seconds.
const SECONDS: libc::c_uint = 300;

/// Descriptor of a nursery: the campaign's text.
const CAMPAIGN: i32 = 100;
/// Descriptor of a nursery: its counters.
const COUNTERS: i32 = 101;

/// The hidden verb of `stress` that a nursery is.
pub const VERB: &str = "mutate-nursery";

/// What is asked of a nursery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The number of a stack.
    pub stack: u64,
    /// Draws that are told: none, one, or all.
    pub told: Told,
}

/// Which draws of a stack are told in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// None.
    Nothing,
    /// This one, from 1.
    One(u64),
    /// Every one.
    All,
}

impl Task {
    fn to_bytes(self) -> [u8; 16] {
        let told = match self.told {
            Told::Nothing => 0,
            Told::One(draw) => draw,
            Told::All => u64::MAX,
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.stack.to_ne_bytes());
        bytes[8..].copy_from_slice(&told.to_ne_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; 16]) -> Task {
        let word = |from: usize| u64::from_ne_bytes(bytes[from..from + 8].try_into().expect("8 bytes"));
        let told = match word(8) {
            0 => Told::Nothing,
            u64::MAX => Told::All,
            draw => Told::One(draw),
        };
        Task { stack: word(0), told }
    }
}

/// The nursery, from outside.
#[derive(Debug)]
pub struct Nursery {
    child: Child,
    asks: ChildStdin,
    answers: ChildStdout,
    /// Where its stacks count.
    pub counters: Counters,
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
    /// Executes a nursery for the campaign of that text.
    ///
    /// # Errors
    /// The kernel has no process, no memory or no descriptor.
    pub fn start(campaign: &str) -> Result<Nursery, Failure> {
        Nursery::execute(campaign).map_err(|error| Failure::missing(format!("a process for stacks: {error}")))
    }

    fn execute(campaign: &str) -> io::Result<Nursery> {
        let mut text = File::from(memory_file()?);
        text.write_all(campaign.as_bytes())?;
        let file = memory_file()?;
        let counters = Counters::create(&file)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("stress").arg(VERB).stdin(Stdio::piped()).stdout(Stdio::piped()).env_clear();
        let ours = |name: &str| ["PYTHON", "LD_", "SIGWALK_"].iter().any(|start| name.starts_with(start));
        command.envs(std::env::vars().filter(|(name, _)| ours(name)));
        let parent = std::process::id();
        let (text, shared) = (text.as_raw_fd(), file.as_raw_fd());
        // SAFETY: system calls only, between fork and exec.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                if libc::getppid() as u32 != parent
                    || libc::dup2(text, CAMPAIGN) < 0
                    || libc::dup2(shared, COUNTERS) < 0
                {
                    return Err(io::Error::last_os_error());
                }
                // Ctrl-C is for whoever asks.
                libc::signal(libc::SIGINT, libc::SIG_IGN);
                Ok(())
            });
        }
        let mut child = command.spawn()?;
        let (asks, answers) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Ok(Nursery { child, asks, answers, counters, busy: None })
    }

    /// Begins a stack.
    ///
    /// # Errors
    /// The nursery has died.
    pub fn begin(&mut self, task: Task) -> Result<(), Failure> {
        self.busy = Some(task.stack);
        self.asks.write_all(&task.to_bytes()).map_err(died)
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
        // It holds nothing; a stack that it is on dies with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn died(error: io::Error) -> Failure {
    Failure::internal(format!(
        "the process that forks the stacks' processes has died: {error}; it has said why above"
    ))
}

fn memory_file() -> io::Result<OwnedFd> {
    // SAFETY: a new descriptor, which nobody else owns.
    unsafe {
        match libc::memfd_create(c"sigwalk-mutate".as_ptr(), libc::MFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// What a nursery was started with: the campaign's text, and where to count.
///
/// # Errors
/// It was not started by [`Nursery::start`].
pub fn inherited() -> io::Result<(String, Counters)> {
    // SAFETY: by the module's invariant these are ours; where they are not, reading fails and nothing else happens.
    let (mut text, counters) =
        unsafe { (File::from_raw_fd(libc::dup(CAMPAIGN)), OwnedFd::from_raw_fd(libc::dup(COUNTERS))) };
    let mut campaign = String::new();
    io::Seek::rewind(&mut text)?;
    text.read_to_string(&mut campaign)?;
    Ok((campaign, Counters::inherit(&counters)?))
}

/// What a nursery does until nobody asks any more. `body` is what a stack's process does; it gives the exit code.
pub fn serve(mut body: impl FnMut(Task) -> i32) -> ! {
    let mut task = [0; 16];
    // SAFETY: the module's invariant; the two descriptors are those of a nursery, and are used by nobody else.
    unsafe {
        let mut asks = File::from_raw_fd(0);
        let mut answers = File::from_raw_fd(1);
        while asks.read_exact(&mut task).is_ok() {
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
                let code = body(Task::from_bytes(task));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_passed_whole() {
        for told in [Told::Nothing, Told::One(1), Told::One(7), Told::All] {
            let task = Task { stack: 0x0102_0304_0506, told };
            assert_eq!(Task::from_bytes(task.to_bytes()), task);
        }
    }
}

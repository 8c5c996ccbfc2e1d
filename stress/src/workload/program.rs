//! Workload `program`: a Python program as it is, run by the interpreter's own executable; its end is the outcome.
//!
//! The forked child becomes the interpreter: nothing of ours is left in it, so that what happens is CPython's own doing.
//! What it prints goes to a file without a name, whose end is kept where the outcome needs words.
#![allow(unsafe_code)]

use crate::campaign::Plan;
use crate::crash;
use libc::c_int;
use sigwalk_embed::EXECUTABLE;
use sigwalk_record::{Crash, Outcome};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Bytes of output that a note keeps: the last ones, where an error message is.
const KEPT: u64 = 1024;

/// A program that prints more than this gets an error from write(2): a dump that never ends must not fill the disk.
const MOST: libc::rlim_t = 64 << 20;

/// Exit status of a program that was given a wrong answer.
const WRONG: c_int = 3;

/// Where a program prints.
pub struct Output(File);

impl Output {
    /// A file without a name.
    ///
    /// # Errors
    /// The temporary directory refuses a file.
    pub fn new() -> std::io::Result<Output> {
        tempfile::tempfile().map(Output)
    }

    /// Makes it stdout and stderr of this process, a freshly forked child.
    pub fn take_over(&self) {
        // SAFETY: descriptors of this process, which prints nothing of its own.
        unsafe {
            libc::dup2(self.0.as_raw_fd(), 1);
            libc::dup2(self.0.as_raw_fd(), 2);
        }
    }

    /// The last of what was printed; nothing when that is nothing.
    fn tail(&self) -> Option<String> {
        let mut file = &self.0;
        let end = file.seek(SeekFrom::End(0)).ok()?;
        file.seek(SeekFrom::Start(end.saturating_sub(KEPT))).ok()?;
        let mut bytes = Vec::new();
        file.take(KEPT).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// Becomes the program, which gets the seed as its argument.
///
/// # Errors
/// The interpreter could not be executed.
pub fn become_it(plan: &Plan, seed: u64) -> Result<(), String> {
    // SAFETY: plain system calls of a single-threaded process that is about to be replaced.
    unsafe {
        let most = libc::rlimit { rlim_cur: MOST, rlim_max: MOST };
        libc::setrlimit(libc::RLIMIT_FSIZE, &most);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
    let error = Command::new(EXECUTABLE)
        // Neither the directory nor the user's packages may stand in for the standard library.
        .args(["-P", "-s", "-c", plan.target.source, &seed.to_string()])
        .envs(&plan.env)
        .stdin(std::process::Stdio::null())
        .exec();
    Err(format!("{EXECUTABLE}: {error}; is the interpreter that this was built for still there?"))
}

/// The outcome of a program whose process has ended with `status`, or was given up because it was `late`; and what it said.
pub fn judge(status: c_int, late: bool, output: &Output) -> (Outcome, Option<Crash>, Option<String>) {
    let said = output.tail();
    if late {
        return (Outcome::Hang, None, said);
    }
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        if crash::SIGNALS.contains(&signal) {
            return (Outcome::Crash, Some(Crash { signal, address: None, site: None }), said);
        }
        return (Outcome::HarnessError, None, Some(format!("ended by signal {signal} from outside")));
    }
    match libc::WEXITSTATUS(status) {
        0 => (Outcome::Complete, None, None),
        WRONG => (Outcome::Impossible, None, said),
        code => {
            let why = said.unwrap_or_else(|| "it said nothing".into());
            (Outcome::HarnessError, None, Some(format!("exit status {code}: {why}")))
        }
    }
}

//! One run of the program: started, waited for, killed with all its children when it is late.
#![allow(unsafe_code)]

use super::shared::{Shared, hand_over};
use crate::failure::Failure;
use crate::interrupt;
use crate::sample::Carried;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// Of this signal.
    Signal(i32),
    /// Not in time. Whether it stood still in a walk.
    Late(bool),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Exited(code) => write!(f, "exit status {code}"),
            End::Signal(signal) => write!(f, "signal {signal}"),
            End::Late(true) => f.write_str("stood still in a walk"),
            End::Late(false) => f.write_str("did not end in time"),
        }
    }
}

/// A run that has ended.
pub struct Ended {
    /// How.
    pub end: End,
    /// After how long.
    pub wall: Duration,
    /// User and system time of the program and of those of its children that it waited for.
    pub cpu: Duration,
    /// Samples that were taken from the page while it ran.
    pub samples: Carried,
}

/// The storm of a run.
pub struct Storm<'a> {
    /// Who walks.
    pub walker: &'a str,
    /// Mean time between two signals.
    pub gap_ns: u64,
    /// Of the gaps.
    pub seed: u64,
    /// Where a thread keeps its thread state, from `tls::slots`.
    pub bound: Option<isize>,
}

/// How to start a program, the same for every run of it.
pub struct Program<'a> {
    /// What python3 would get.
    pub arguments: &'a [OsString],
    /// A run that takes longer is late.
    pub timeout: Duration,
    /// Where its output goes.
    pub logs: PathBuf,
}

/// A late run is watched for this long: in a hang of a walk nothing moves, elsewhere the timer still does.
const GRACE: Duration = Duration::from_millis(500);

impl Program<'_> {
    /// Runs it with `extra` put in at `at` in its arguments; `None` when we were asked to stop. Output goes to NAME.out and NAME.err.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(
        &self,
        name: &str,
        (at, extra): (usize, &[OsString]),
        storm: Option<&Storm<'_>>,
    ) -> Result<Option<(Ended, &'static Shared)>, Failure> {
        let (shared, file) =
            Shared::create().map_err(|error| Failure::missing(format!("shared page: {error}")))?;
        let mut command = Command::new("/proc/self/exe");
        command.arg("soak-program");
        if let Some(storm) = storm {
            hand_over(&file).map_err(|error| Failure::missing(format!("shared page: {error}")))?;
            command.args(["--walker", storm.walker]);
            for (option, value) in [
                ("--page", file.as_raw_fd().to_string()),
                ("--gap", storm.gap_ns.to_string()),
                ("--seed", storm.seed.to_string()),
            ] {
                command.args([option, &value]);
            }
            command.args(storm.bound.map(|offset| format!("--bound={offset}")));
        }
        command.arg("--").args(&self.arguments[..at]).args(extra).args(&self.arguments[at..]);
        if let Some(home) = home() {
            command.env("PYTHONHOME", home);
        }
        // A group of its own, which is killed as a whole, and no terminal to be stopped by.
        command.process_group(0).stdin(Stdio::null());
        command.stdout(self.log(name, "out")?).stderr(self.log(name, "err")?);
        let begun = Instant::now();
        let child = command.spawn().map_err(|error| Failure::missing(format!("/proc/self/exe: {error}")))?;
        drop(file);
        let ended = self.wait(child.id() as libc::pid_t, begun, shared);
        Ok(ended.map(|ended| (ended, shared)))
    }

    fn log(&self, name: &str, extension: &str) -> Result<File, Failure> {
        let path = self.logs.join(name).with_extension(extension);
        File::create(&path).map_err(|error| Failure::missing(format!("{}: {error}", path.display())))
    }

    fn wait(&self, pid: libc::pid_t, begun: Instant, shared: &Shared) -> Option<Ended> {
        let mut late: Option<(Instant, u64)> = None;
        let mut given_up = None;
        let mut samples = Carried::default();
        loop {
            samples.take(&shared.page);
            let mut status = 0;
            // SAFETY: our own child, not reaped yet; both places are written. An all-zero rusage is valid.
            let (reaped, usage) = unsafe {
                let mut usage: libc::rusage = std::mem::zeroed();
                (libc::wait4(pid, &mut status, libc::WNOHANG, &mut usage), usage)
            };
            if reaped == pid {
                kill_group(pid);
                // Of its last moments, and of children that it left.
                samples.take(&shared.page);
                let end = match given_up {
                    Some(in_walk) => End::Late(in_walk),
                    None if libc::WIFSIGNALED(status) => End::Signal(libc::WTERMSIG(status)),
                    None => End::Exited(libc::WEXITSTATUS(status)),
                };
                let time =
                    |value: libc::timeval| Duration::new(value.tv_sec as u64, value.tv_usec as u32 * 1000);
                let cpu = time(usage.ru_utime) + time(usage.ru_stime);
                return Some(Ended { end, wall: begun.elapsed(), cpu, samples });
            }
            if interrupt::asked() {
                kill_group(pid);
                // SAFETY: our own child, not reaped yet.
                unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
                return None;
            }
            let steps = shared.page.steps.load(Relaxed);
            match late {
                None if begun.elapsed() > self.timeout => late = Some((Instant::now(), steps)),
                Some((since, before)) if given_up.is_none() && since.elapsed() > GRACE => {
                    given_up = Some(shared.page.walking.load(Relaxed) > 0 && steps == before);
                    kill_group(pid);
                }
                _ => {}
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn kill_group(leader: libc::pid_t) {
    // SAFETY: the group that our child leads; its number is not used again while a member lives.
    unsafe { libc::kill(-leader, libc::SIGKILL) };
}

/// PYTHONHOME for an interpreter of scripts/pythons, whose own wrapper sets it, too. Others find their home by their path.
fn home() -> Option<&'static OsStr> {
    let tree = Path::new(sigwalk_embed::EXECUTABLE).ancestors().nth(2)?;
    tree.join("sigwalk-sysroot").exists().then(|| OsStr::new(sigwalk_embed::HOME))
}

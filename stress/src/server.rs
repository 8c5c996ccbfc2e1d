//! The fork server: a process that has initialised Python once, forks a fresh process for each trial, watches its
//! deadline and turns its end into a record.
//!
//! Single-threaded on purpose: fork copies only the calling thread, and a lock that another one held would stay locked.
#![allow(unsafe_code)]

use crate::campaign::{Campaign, Plan, Turn};
use crate::failure::Failure;
use crate::page::{Page, phase_of};
use crate::workload::{Workload, program};
use crate::{crash, interrupt, python, trial};
use libc::{c_int, pid_t};
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::{Live, symbols};
use sigwalk_record::{Crash, Illegal, Outcome, Phase, SCHEMA, Trial};
use std::collections::HashSet;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// A trial that is running.
struct Running {
    turn: Turn,
    seed: u64,
    pid: pid_t,
    pidfd: OwnedFd,
    page: &'static Page,
    begun: Instant,
    deadline: Instant,
    /// When it was late, and what it had done until then.
    late: Option<(Instant, Done)>,
    /// It was given up: whether it stood still in a walk.
    given_up: Option<bool>,
    /// Where a program prints.
    output: Option<program::Output>,
}

/// What tells a trial that stands still from one that is merely slow, or was itself stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Done {
    walks: u64,
    steps: u64,
    walking: bool,
}

impl Done {
    fn of(page: &Page) -> Done {
        Done {
            walks: page.walks.load(Relaxed),
            steps: page.steps.load(Relaxed),
            walking: page.walking.load(Relaxed) > 0,
        }
    }
}

/// A late trial is watched for this long before it is judged: in a hang nothing moves, in a slow trial something does. It
/// also lets a machine that was suspended catch up.
const GRACE: Duration = Duration::from_millis(250);

/// Runs trials of one campaign.
pub struct Server<'a> {
    live: &'static Live,
    campaign: &'a Campaign,
    jobs: usize,
    running: Vec<Running>,
    pages: Vec<&'static Page>,
    /// Names of targets that were compiled.
    prepared: HashSet<&'static str>,
}

impl<'a> Server<'a> {
    /// A server for `campaign`, with at most `jobs` trials at once.
    pub fn new(live: &'static Live, campaign: &'a Campaign, jobs: usize) -> Self {
        Server {
            live,
            campaign,
            jobs: jobs.max(1),
            running: Vec::new(),
            pages: Vec::new(),
            prepared: HashSet::new(),
        }
    }

    /// Runs the `trials`, handing each record to `done`, which may end the run by an error. Ends early,
    /// with `false`, when the process is asked to stop; trials that were running are killed and not recorded.
    ///
    /// # Errors
    /// The first of `done`, or the kernel refuses a process.
    pub fn run(
        &mut self,
        trials: impl IntoIterator<Item = Turn>,
        mut done: impl FnMut(Trial) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let mut trials = trials.into_iter().peekable();
        let result = loop {
            if interrupt::asked() {
                break Ok(false);
            }
            while self.running.len() < self.jobs
                && let Some(turn) = trials.next()
            {
                self.begin(turn)?;
            }
            if self.running.is_empty() {
                break Ok(true);
            }
            self.wait();
            while let Some(record) = self.reap() {
                if let Err(failure) = done(record) {
                    self.kill_all();
                    return Err(failure);
                }
            }
        };
        self.kill_all();
        result
    }

    fn begin(&mut self, turn: Turn) -> Result<(), Failure> {
        let seed = self.campaign.seed(&turn);
        let page = match self.pages.pop() {
            Some(page) => page,
            None => Page::map().map_err(|error| Failure::internal(format!("shared page: {error}")))?,
        };
        page.reset();
        let chosen: &Plan = &self.campaign.plans[turn.plan];
        if chosen.workload != Workload::Program && self.prepared.insert(chosen.target.name) {
            python::prepare(chosen.target);
        }
        let output = match chosen.workload {
            Workload::Program => Some(program::Output::new().map_err(|error| {
                Failure::missing(format!(
                    "temporary file: {error}; set TMPDIR to a place that can be written"
                ))
            })?),
            _ => None,
        };
        // SAFETY: attached and single-threaded; CPython's own hooks stand around the fork, the child never returns.
        let pid = unsafe {
            let server = libc::getpid();
            ffi::PyOS_BeforeFork();
            let pid = libc::fork();
            if pid == 0 {
                // No trial outlives a server that was killed, nor one that was killed before this line.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                if libc::getppid() != server {
                    libc::_exit(1);
                }
                output.iter().for_each(program::Output::take_over);
                trial::run_and_exit(self.live, chosen, seed, page);
            }
            ffi::PyOS_AfterFork_Parent();
            pid
        };
        if pid < 0 {
            let error = std::io::Error::last_os_error();
            return Err(Failure::missing(format!(
                "fork: {error}; lower --jobs or raise the limit on processes"
            )));
        }
        // SAFETY: our own child, not reaped yet; a successful call returns a new file descriptor.
        let pidfd = unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0) as c_int;
            if fd < 0 {
                let error = std::io::Error::last_os_error();
                libc::kill(pid, libc::SIGKILL);
                return Err(Failure::missing(format!(
                    "pidfd_open: {error}; it needs Linux 5.3 and a free file descriptor"
                )));
            }
            OwnedFd::from_raw_fd(fd)
        };
        let begun = Instant::now();
        let deadline = begun + Duration::from_millis(chosen.millis + chosen.deadline_ms);
        self.running.push(Running {
            turn,
            seed,
            pid,
            pidfd,
            page,
            begun,
            deadline,
            late: None,
            given_up: None,
            output,
        });
        Ok(())
    }

    /// Until a trial has ended, is late, or a little time has passed.
    fn wait(&mut self) {
        let mut fds: Vec<libc::pollfd> = self
            .running
            .iter()
            .map(|running| libc::pollfd { fd: running.pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 })
            .collect();
        // SAFETY: a valid array of its length.
        unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, 100) };
        let now = Instant::now();
        for running in &mut self.running {
            let done = Done::of(running.page);
            match running.late {
                None if now > running.deadline => running.late = Some((now, done)),
                Some((since, before)) if now > since + GRACE && running.given_up.is_none() => {
                    running.given_up = Some(done.walking && done == before);
                    // SAFETY: our own child, not reaped yet.
                    unsafe { libc::kill(running.pid, libc::SIGKILL) };
                }
                _ => {}
            }
        }
    }

    fn reap(&mut self) -> Option<Trial> {
        for index in 0..self.running.len() {
            let mut status = 0;
            let pid = self.running[index].pid;
            // SAFETY: our own child; status is written.
            if unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) } == pid {
                let running = self.running.swap_remove(index);
                let plan = &self.campaign.plans[running.turn.plan];
                let record = record(&running, plan, status);
                if plan.walks_from_outside || running.given_up.is_some() || !libc::WIFEXITED(status) {
                    // The walker outside, which ends with its trial, may still be counting, and so may a tracee or a forked child of
                    // a trial that was killed or died: its page is not used again. Kept, such pages would be 4 kB a trial.
                    // SAFETY: `running` had the only reference of this process, and ends here.
                    unsafe { Page::unmap(running.page) };
                } else {
                    self.pages.push(running.page);
                }
                return Some(record);
            }
        }
        None
    }

    fn kill_all(&mut self) {
        for running in self.running.drain(..) {
            // SAFETY: our own child, not reaped yet.
            unsafe {
                libc::kill(running.pid, libc::SIGKILL);
                libc::waitpid(running.pid, std::ptr::null_mut(), 0);
            }
            self.pages.push(running.page);
        }
    }
}

/// faulthandler follows the list and asks for names itself, inside what is one walk to us: its own functions tell a crash
/// there from a crash in a frame. (3.14 and 3.15 die in `pthread_getname_np` of a thread that is gone.)
fn blame(site: &str) -> Phase {
    let inside = |name: &str| site.contains(&format!("(in {name}+"));
    if inside("pthread_getname_np") {
        Phase::ThreadName
    } else if inside("_Py_DumpTracebackThreads") || inside("PyUnstable_DumpTracebackThreads") {
        Phase::ThreadList
    } else {
        Phase::Walk
    }
}

/// Where stepping met what, by name.
fn illegal(page: &Page) -> Vec<Illegal> {
    let mut rows: Vec<Illegal> = page
        .met()
        .into_iter()
        .map(|(pc, what, count)| Illegal { site: symbols::describe(pc as usize), what: what.into(), count })
        .collect();
    let unlisted = page.unlisted.load(Relaxed);
    if unlisted > 0 {
        rows.push(Illegal { site: "elsewhere".into(), what: "unlisted".into(), count: unlisted });
    }
    rows
}

/// What became of a trial whose process has ended with `status`.
fn record(running: &Running, plan: &Plan, status: c_int) -> Trial {
    let page = running.page;
    let tallies = page.tallies();
    let flow = phase_of(page.flow.load(Relaxed));
    let walking = page.walking.load(Relaxed) > 0;
    let mut phase = if walking { phase_of(page.walk_phase.load(Relaxed)) } else { flow };
    let mut note = page.note();
    let mut died = None;
    let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
    let own = |signal: c_int| crash::SIGNALS.contains(&signal);
    let outcome = if let Some(output) = running.output.as_ref().filter(|_| page.failed.load(Relaxed) == 0) {
        let (outcome, crash, said) = program::judge(status, running.given_up.is_some(), output);
        (died, note) = (crash, said);
        outcome
    } else if running.given_up == Some(true) {
        Outcome::Hang
    } else if running.given_up == Some(false) && signal == Some(libc::SIGKILL) {
        note = Some(format!("late in phase {}, and no walk stood still: killed", flow.name()));
        Outcome::HarnessError
    } else if let Some(signal) = signal.filter(|&signal| !own(signal)) {
        // The out-of-memory killer, or somebody at a terminal: nothing that a walk does.
        note = Some(format!("ended by signal {signal} from outside"));
        Outcome::HarnessError
    } else if signal.is_some() {
        let (found, pc) = match page.crash() {
            Some((at, crash, pc)) => {
                phase = at;
                (crash, pc)
            }
            // Not through the reporter: the kernel could not deliver the fault.
            None => (Crash { signal: libc::WTERMSIG(status), address: None, site: None }, 0),
        };
        let site = (pc != 0).then(|| symbols::describe(pc as usize));
        if phase == Phase::Walk {
            phase = site.as_deref().map_or(phase, blame);
        }
        died = Some(Crash { site, ..found });
        Outcome::Crash
    } else if page.failed.load(Relaxed) != 0 || flow != Phase::Done {
        note.get_or_insert_with(|| {
            format!("exit status {} in phase {}", libc::WEXITSTATUS(status), flow.name())
        });
        Outcome::HarnessError
    } else if page.walks.load(Relaxed) == 0 {
        let without = tallies.no_thread_state;
        note = Some(format!("no walk was made, {without} met no thread state: nothing was measured"));
        Outcome::HarnessError
    } else {
        tallies.outcome()
    };
    Trial {
        schema: SCHEMA,
        trial: running.turn.trial,
        cell: plan.cell.id.clone(),
        seed: format!("{:016x}", running.seed),
        outcome,
        phase,
        walks: page.walks.load(Relaxed),
        frames: page.frames.load(Relaxed),
        tallies,
        crash: died,
        boundaries: page.boundaries.load(Relaxed),
        illegal: illegal(page),
        millis: (running.begun.elapsed().as_secs_f64() * 1e4).round() / 10.0,
        note,
    }
}

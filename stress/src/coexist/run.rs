//! The cells of the matrix, and the processes of their trials, one at a time.
//!
//! # Invariant
//!
//! This process is attached and has one thread where it forks. A trial's page is used again only when every process of the trial
//! has ended: its forks die with it.
#![allow(unsafe_code)]

use super::judge::{Ended, Tally};
use super::samplers::{self, Sampler};
use super::shared::Shared;
use super::trial::{Cast, run_and_exit};
use super::{Order, Plant, component};
use crate::failure::Failure;
use crate::{hash, interrupt};
use libc::c_int;
use sigwalk::walkers;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::PyDict;
use sigwalk_embed::pyo3::{Py, PyAny, PyErr, ffi};
use sigwalk_record::Coexistence;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Milliseconds after which a trial stands still: it takes a hundredth of a second.
const LATE_MS: c_int = 60_000;

/// The cells whose three names `wanted` wants, in the order of the tables.
#[must_use]
pub fn cells(plant: Option<Plant>, wanted: impl Fn(&str, &str, &str) -> bool) -> Vec<Cast> {
    let mut cells = Vec::new();
    for component in component::all() {
        for order in Order::ALL {
            for sampler in samplers::ALL.iter().filter(|sampler| (sampler.beside)(component)) {
                if wanted(component.name, order.name(), sampler.name) {
                    cells.push(cast(component, order, sampler, plant));
                }
            }
        }
    }
    cells
}

fn cast(
    component: &'static component::Component,
    order: Order,
    sampler: &'static Sampler,
    plant: Option<Plant>,
) -> Cast {
    let walker = walkers::named(sampler.walker).expect("a test holds the samplers to the registry");
    let sampler = match plant {
        Some(Plant::Unasked) if sampler.asks && sampler.ours => {
            Box::leak(Box::new(Sampler { asks: false, ..*sampler }))
        }
        _ => sampler,
    };
    Cast { component, order, sampler, walker, plant }
}

/// Makes trials.
pub struct Runner {
    live: &'static Live,
    down: Py<PyAny>,
    shared: &'static Shared,
    interpreter: String,
}

impl Runner {
    /// Compiles the stack's code, once for all trials.
    ///
    /// # Errors
    /// Python's, or the kernel has no memory.
    pub fn new(live: &'static Live, interpreter: &str) -> Result<Runner, Failure> {
        let down = Python::attach(|py| -> Result<Py<PyAny>, PyErr> {
            // Trials would import it again and again.
            py.import("faulthandler")?;
            let globals = PyDict::new(py);
            let builtins = py.import("builtins")?;
            let code = builtins.getattr("compile")?.call1((include_str!("stack.py"), "stack.py", "exec"))?;
            builtins.getattr("exec")?.call1((code, &globals))?;
            Ok(globals.as_any().get_item("down")?.unbind())
        });
        let internal = |error: &dyn std::fmt::Display| Failure::internal(format!("stack.py: {error}"));
        Ok(Runner {
            live,
            down: down.map_err(|error| internal(&error))?,
            shared: Shared::map().map_err(|error| Failure::missing(format!("shared page: {error}")))?,
            interpreter: interpreter.to_owned(),
        })
    }

    /// `trials` trials of a cell; `None` when it was interrupted. `step` hears of each.
    ///
    /// # Errors
    /// A trial that could not be judged: it is in no row, and ends the run.
    pub fn cell(
        &self,
        cast: &Cast,
        trials: u64,
        id: u64,
        mut step: impl FnMut(),
    ) -> Result<Option<Coexistence>, Failure> {
        let mut tally = Tally::new(cast, &self.interpreter);
        let name = format!("{}/{}/{}", cast.component.name, cast.order.name(), cast.sampler.name);
        for trial in 0..trials {
            if interrupt::asked() {
                return Ok(None);
            }
            let seed = hash::seed(id ^ hash::text(&name), trial);
            let ended = self.trial(cast, seed)?;
            tally.add(ended, self.shared).map_err(|why| {
                Failure::internal(format!("trial {trial} of {name} could not be judged: {why}"))
            })?;
            step();
        }
        Ok(Some(tally.row()))
    }

    fn trial(&self, cast: &Cast, seed: u64) -> Result<Ended, Failure> {
        let failed = |what: &str| Failure::missing(format!("{what}: {}", std::io::Error::last_os_error()));
        self.shared.reset();
        // SAFETY: attached and with one thread; CPython's own hooks stand around the fork, the child never returns.
        let pid = unsafe {
            let parent = libc::getpid();
            ffi::PyOS_BeforeFork();
            let pid = libc::fork();
            if pid == 0 {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                if libc::getppid() != parent {
                    libc::_exit(1);
                }
                run_and_exit(self.live, cast, &self.down, seed, self.shared);
            }
            ffi::PyOS_AfterFork_Parent();
            pid
        };
        if pid < 0 {
            return Err(failed("fork"));
        }
        // SAFETY: our own child, not reaped yet; a successful call returns a new file descriptor; plain calls with valid arguments.
        unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0) as c_int;
            if fd < 0 {
                let failure = failed("pidfd_open, which needs Linux 5.3 and a free file descriptor");
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, std::ptr::null_mut(), 0);
                return Err(failure);
            }
            let fd = OwnedFd::from_raw_fd(fd);
            let mut event = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            let late = loop {
                match libc::poll(&mut event, 1, LATE_MS) {
                    0 => break true,
                    // Ctrl-C: the trial is finished all the same.
                    -1 => {}
                    _ => break false,
                }
            };
            if late {
                libc::kill(pid, libc::SIGKILL);
            }
            let mut status = 0;
            while libc::waitpid(pid, &mut status, 0) != pid {}
            Ok(match () {
                () if late && libc::WIFSIGNALED(status) => Ended::Late,
                () if libc::WIFSIGNALED(status) => Ended::Signal(libc::WTERMSIG(status)),
                () => Ended::Exit(libc::WEXITSTATUS(status)),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coexist::component::Takes;

    /// Every component in both orders with each of ours, and no name twice.
    #[test]
    fn the_matrix_is_whole() {
        let cells = cells(None, |_, _, _| true);
        let ours = samplers::ALL.iter().filter(|sampler| sampler.ours).count();
        let components = component::all().count();
        assert_eq!(cells.iter().filter(|cell| cell.sampler.ours).count(), components * 2 * ours);
        let names: std::collections::HashSet<_> =
            cells.iter().map(|cell| (cell.component.name, cell.order.name(), cell.sampler.name)).collect();
        assert_eq!(names.len(), cells.len());
        assert!(component::all().any(|component| component.takes == Takes::Pending));
    }
}

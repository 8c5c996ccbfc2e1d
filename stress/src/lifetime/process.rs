//! The processes of the trials: each is forked from one that has initialised Python and compiled the programs.

use super::shared::Shared;
use super::technique::NAMES;
use super::trial;
use super::{Churn, DELAYS};
use crate::failure::Failure;
use crate::forked::in_child;
use crate::python;
use sigwalk::reader::VmReader;
use sigwalk::walkers::Entry;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::PyDict;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What a trial found.
#[derive(Debug)]
pub struct Found {
    /// By delay.
    pub delays: Vec<Uses>,
    /// Functions made in a second.
    pub made_per_second: f64,
}

/// Uses of one delay in one trial.
#[derive(Debug)]
pub struct Uses {
    /// Alive, dead, recycled, wrong.
    pub fates: [u64; 4],
    /// By technique: noticed, false alarms.
    pub told: [(u64, u64); NAMES.len()],
    /// Nanoseconds that really passed, of some uses.
    pub passed: Vec<u64>,
}

/// The programs, compiled.
///
/// # Errors
/// Python's.
pub fn programs() -> Result<Py<PyDict>, Failure> {
    Python::attach(|py| python::definitions(py, "churn.py", include_str!("churn.py")).map(Bound::unbind))
}

/// Why a technique is not to be had of this interpreter; empty when it is.
#[must_use]
pub fn not_available(technique: &str, live: &Live) -> &'static str {
    match technique {
        "generation" if live.interpreter.layout.runtime.code_object_generation.is_none() => {
            "the interpreter counts no generation of code objects before 3.14"
        }
        "watcher" if sigwalk_embed::symbols::find("PyCode_AddWatcher").is_none() => {
            "PyCode_AddWatcher is new in 3.12"
        }
        _ => "",
    }
}

/// Runs one trial in a process of its own, which keeps pointers for `length`.
///
/// # Errors
/// The process died, or found that something is missing: it said so on stderr.
pub fn run(
    live: &Live,
    walker: &'static Entry,
    programs: &Py<PyDict>,
    churn: &Churn,
    length: Duration,
    seed: u64,
) -> Result<Found, Failure> {
    let shared = Shared::map().map_err(|error| Failure::missing(format!("shared memory: {error}")))?;
    in_child(churn.name, || {
        let live = live.reading(VmReader::own());
        trial::run(&live, walker, programs, churn.name, length.as_nanos() as u64, seed, shared)?;
        Ok(Vec::new())
    })?;
    let delays = (0..DELAYS.len()).map(|delay| {
        let uses = &shared.uses[delay];
        Uses { fates: uses.fates(), told: std::array::from_fn(|at| uses.of(at)), passed: uses.passed() }
    });
    let seconds = shared.ran.load(Relaxed) as f64 / 1e9;
    Ok(Found {
        delays: delays.collect(),
        made_per_second: shared.made.load(Relaxed) as f64 / seconds.max(1e-9),
    })
}

//! Whether a walk costs more when something grows that it should not depend on: other threads, loaded modules.
//!
//! Both sides of a pair are timed in every batch, one right after the other and the first of one batch last in the next,
//! so that drift of the machine touches both alike. Each is the walker `guarded` on the same stack, code and offset: the
//! cheapest walk, in which a cost per walk shows most.

mod modules;
mod threads;

use crate::depth::{Ladder, USUAL};
use crate::failure::Failure;
use crate::subjects::{Subject, walkers};
use sigwalk_embed::pyo3::Python;
use sigwalk_record::What;
use std::time::Duration;

/// What the walks of a pair deliver.
pub const WHAT: What = What::Code;

/// Walks of each side that count as one iteration. Criterion sees what it takes to start threads and to compare a walk as a
/// part of an iteration, and would ask for batches of one walk, which no clock can time.
pub const WALKS: u64 = 1000;

/// The same walk in two surroundings.
pub trait Pair {
    /// Subjects of the records: fewer and more.
    fn subjects(&self) -> [&'static str; 2];

    /// Makes the surroundings that stay, once, before the first batch.
    ///
    /// # Errors
    /// They could not be made.
    fn prepare(&mut self) -> Result<(), Failure>;

    /// What a reader of the figures should know of a side. Valid when prepared.
    fn note(&self, side: usize) -> String;

    /// Walks that many times on that side, after it compared a walk there with the interpreter's own chain: the time of
    /// the walks.
    ///
    /// # Errors
    /// The walk is wrong there, the surroundings could not be made.
    fn batch(&mut self, side: usize, walks: u64) -> Result<Duration, Failure>;
}

/// The pairs; nothing is started or loaded before their first batch.
///
/// # Errors
/// Whatever Python raises.
pub fn pairs<'py>(py: Python<'py>, ladder: &Ladder<'py>) -> Result<Vec<Box<dyn Pair + 'py>>, Failure> {
    let walk = || walkers::registered("guarded", WHAT);
    Ok(vec![
        Box::new(threads::Threads::new(py, ladder.place(USUAL)?, walk()?)?),
        Box::new(modules::Modules::new(py, ladder.place(USUAL)?, walk()?)),
    ])
}

/// One batch, on a stack: compared first.
fn timed(place: &crate::place::Place<'_>, walk: &mut dyn Subject, iters: u64) -> Result<Duration, Failure> {
    place.at(|here| {
        let frames = walk.verify(here)?;
        if frames != here.depth {
            return Err(Failure::internal(format!("{frames} frames instead of {}", here.depth)));
        }
        // What was started or woken just now has left the caches as it liked.
        walk.batch(here, iters.min(100));
        Ok(walk.batch(here, iters))
    })?
}

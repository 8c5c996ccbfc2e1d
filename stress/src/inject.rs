//! Injection: on the live stack of the calling thread, loads fail on purpose, and each walk is compared with the walker's
//! own undisturbed answer.
//!
//! | mode | which loads fail | how |
//! |---|---|---|
//! | transient | the n-th, for every n of the walk | a hook ahead of each load |
//! | persistent | the n-th and all after it, for every n | the same |
//! | rate | each, with a probability | the same, drawn from the seed |
//! | page | all of one page, for every page of the walk | the page is taken away, and the walker is the one in use (`inject/pages.rs`) |
//!
//! Of a walker that copies blocks a load is a block. A walker that reads raw would have died of each failure: that is its
//! count of crashes.

pub mod pages;
mod rows;
mod sweep;
#[cfg(test)]
mod tests;

pub use rows::Rows;

use rand::{Rng, RngExt};
use sigwalk::frame::Frame;
use sigwalk::walk::Request;
use sigwalk::walkers::{Entry, Reads};
use sigwalk_embed::Live;
use sigwalk_record::Mode;
use sweep::Sweep;

/// Loads a walk may make; one that needs more is called a hang.
const LOADS: u32 = 50_000;
/// Frames a walk may deliver.
const FRAMES: usize = 256;

/// Probabilities of the rate tiers, in parts of a million.
pub const TIERS: [u32; 4] = [100, 1_000, 10_000, 100_000];

/// What is done on one stack.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Walks of each walker in each of [`TIERS`].
    pub rate_walks: u32,
    /// Pages are taken away, too. Walkers that read raw sit that out: each page would be a death that says nothing.
    pub pages: bool,
}

/// Everything, on the stack of the calling thread, by `walkers`. Nothing of it may run meanwhile. Forks where pages are taken
/// away, and returns in the calling process only, whatever became of the others.
///
/// A walker that refuses the undisturbed stack sits it out.
///
/// # Errors
/// The harness failed: no process, no memory.
pub fn on_this_stack(
    live: &Live,
    request: &Request<'_>,
    walkers: &[&'static Entry],
    random: &mut impl Rng,
    plan: &Plan,
    rows: &mut Rows,
) -> Result<(), String> {
    let mut answers: Vec<(&'static Entry, Vec<Frame>)> = Vec::new();
    for &entry in walkers {
        let Some(sweep) = Sweep::of(live, request, entry) else { continue };
        for mode in [Mode::Transient, Mode::Persistent] {
            sweep.every_load(mode, rows);
        }
        for per_million in TIERS {
            sweep.rate(per_million, plan.rate_walks, || random.random(), rows);
        }
        if plan.pages && entry.reads != Reads::Raw {
            answers.push((entry, sweep.into_undisturbed()));
        }
    }
    if plan.pages { pages::on_this_stack(live, request, &answers, rows) } else { Ok(()) }
}

//! Counts of what walks of mutated images came to, by walker, interpreter and, where a load failed, by what it was after.
//!
//! Conditional on the inputs that the fuzzer chose: a count says that something can happen and how, never how often it
//! does. Rates come from campaigns.

mod exit;
mod print;

pub use exit::{keep, tick};
pub use print::{Run, json, table};

use sigwalk::walk::Site;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Complete, and what the undisturbed image has.
    Same,
    /// Complete, it says, and something else: right where the mutation made another stack of it, silently wrong else.
    Different,
    /// Cut, and it says so.
    Truncated,
    /// Something was not believed.
    Rejected,
    /// A load failed: a raw walker would have crashed, a guarded one returned an error.
    Fault(Site),
    /// A raw walker did not end.
    Endless(Site),
}

/// Names of the outcomes without a site.
const PLAIN: [&str; 4] = ["same", "different", "truncated", "rejected"];

const SITES: usize = Site::ALL.len();
/// Counters of a walker on an interpreter: the plain outcomes, faults by site, endless walks by site.
const ROW: usize = PLAIN.len() + 2 * SITES;
/// More walkers and interpreters than there are.
const WALKERS: usize = 16;
const TAGS: usize = 16;

static COUNTS: [AtomicU64; WALKERS * TAGS * ROW] = [const { AtomicU64::new(0) }; _];

/// Counts a walk. Walkers and interpreters beyond what there is room for are left out.
pub fn count(walker: usize, tag: usize, outcome: Outcome) {
    let column = match outcome {
        Outcome::Same => 0,
        Outcome::Different => 1,
        Outcome::Truncated => 2,
        Outcome::Rejected => 3,
        Outcome::Fault(site) => PLAIN.len() + site as usize,
        Outcome::Endless(site) => PLAIN.len() + SITES + site as usize,
    };
    if let Some(count) = COUNTS.get(index(walker, tag, column)).filter(|_| tag < TAGS) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn index(walker: usize, tag: usize, column: usize) -> usize {
    (walker * TAGS + tag) * ROW + column
}

fn plain(walker: usize, tag: usize, column: usize) -> u64 {
    COUNTS[index(walker, tag, column)].load(Ordering::Relaxed)
}

fn faults(walker: usize, tag: usize, site: Site) -> u64 {
    plain(walker, tag, PLAIN.len() + site as usize)
}

fn endless(walker: usize, tag: usize, site: Site) -> u64 {
    plain(walker, tag, PLAIN.len() + SITES + site as usize)
}

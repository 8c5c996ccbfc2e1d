//! What stepping met: boundaries of instructions, and where the answer was no legal stack.

use sigwalk_record::Trial;
use std::collections::BTreeMap;

/// Sites that are kept of one cell: a site that holds a random number must not fill the memory of the reporter.
const MOST: usize = 300;

/// Kinds that have a column, in its order. The first four are silent; a fault is what raw loads would have died of. What else was
/// detected comes behind them.
pub const KINDS: [&str; 5] = ["splice", "wrong_line", "prefix", "stale", "fault"];

/// Sums over the trials of a cell.
#[derive(Debug, Default)]
pub struct Stepping {
    /// Instruction boundaries: each with a walk, or every one of a stride.
    pub boundaries: u64,
    /// Walks by kind, in the order of [`KINDS`], then those that were truncated or rejected. Of all walks: the list of sites has
    /// room for the first that were met only, and none for what came later.
    pub kinds: [u64; KINDS.len() + 1],
    /// Boundaries at which the thread had no state that could be found: nothing was walked there.
    pub without_state: u64,
    /// Boundaries by (kind, site).
    pub sites: BTreeMap<(String, String), u64>,
    /// Boundaries at further sites.
    pub beyond: u64,
}

impl Stepping {
    /// Adds a trial.
    pub fn add(&mut self, trial: &Trial) {
        self.boundaries += trial.boundaries;
        self.without_state += trial.tallies.no_thread_state;
        let met = &trial.tallies;
        let kinds = [met.splice, met.wrong_line, met.prefix, met.stale, met.recovered_faults];
        let detected = met.truncated + met.rejected;
        for (sum, count) in self.kinds.iter_mut().zip(kinds.into_iter().chain([detected])) {
            *sum += count;
        }
        for illegal in &trial.illegal {
            let key = (illegal.what.clone(), illegal.site.clone());
            if self.sites.len() < MOST || self.sites.contains_key(&key) {
                *self.sites.entry(key).or_default() += illegal.count;
            } else {
                self.beyond += illegal.count;
            }
        }
    }

    /// Kind, site and boundaries, the most frequent first.
    pub fn sorted(&self) -> Vec<(&str, &str, u64)> {
        let mut all: Vec<_> =
            self.sites.iter().map(|((kind, site), count)| (kind.as_str(), site.as_str(), *count)).collect();
        all.sort_by_key(|(kind, site, count)| (std::cmp::Reverse(*count), *kind, *site));
        all
    }
}

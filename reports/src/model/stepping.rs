//! What stepping met: boundaries of instructions, and where the answer was no legal stack.

use sigwalk_record::Trial;
use std::collections::BTreeMap;

/// Sites that are kept of one cell: a site that holds a random number must not fill the memory of the reporter.
const MOST: usize = 300;

/// Kinds that have a column, in its order. The first four are silent; a fault is what raw loads would have died of.
pub const KINDS: [&str; 5] = ["splice", "wrong_line", "prefix", "stale", "fault"];

/// Sums over the trials of a cell.
#[derive(Debug, Default)]
pub struct Stepping {
    /// Instruction boundaries, each with a walk.
    pub boundaries: u64,
    /// Boundaries by kind, in the order of [`KINDS`], then those of any other kind.
    pub kinds: [u64; KINDS.len() + 1],
    /// Boundaries by (kind, site).
    pub sites: BTreeMap<(String, String), u64>,
    /// Boundaries at further sites.
    pub beyond: u64,
}

impl Stepping {
    /// Adds a trial.
    pub fn add(&mut self, trial: &Trial) {
        self.boundaries += trial.boundaries;
        for illegal in &trial.illegal {
            let kind = KINDS.iter().position(|kind| *kind == illegal.what).unwrap_or(KINDS.len());
            self.kinds[kind] += illegal.count;
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

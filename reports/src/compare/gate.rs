//! What ends a comparison with exit code 3.

use super::{Comparison, CostRow, RateRow};
use crate::model::cell::Event;

/// Events whose rate must not rise: crashes and hangs in walks, wrong stacks that were not said to be wrong, and walks that did
/// what a handler must not do.
const WORSE: [Event; 6] = [
    Event::CrashFrame,
    Event::CrashThreadList,
    Event::CrashThreadName,
    Event::Hang,
    Event::Impossible,
    Event::ContractViolation,
];

/// What got worse by more than the gate allows.
#[derive(Debug)]
pub struct Gate<'a> {
    /// Percent that a cost may rise.
    pub percent: f64,
    /// Rates that rose.
    pub rates: Vec<&'a RateRow>,
    /// Costs that rose by more.
    pub costs: Vec<&'a CostRow>,
}

impl<'a> Gate<'a> {
    /// Holds a comparison against the gate.
    pub fn new(comparison: &'a Comparison, percent: f64) -> Self {
        let limit = 1.0 + percent / 100.0;
        let worse = |row: &&RateRow| WORSE.contains(&row.event.0) && row.difference() > 0.0;
        Gate {
            percent,
            rates: comparison.different_rates().filter(worse).collect(),
            costs: comparison.different_costs().filter(|row| row.ratio.value > limit).collect(),
        }
    }

    /// Whether nothing did.
    pub fn holds(&self) -> bool {
        self.rates.is_empty() && self.costs.is_empty()
    }

    /// In one line.
    pub fn line(&self) -> String {
        if self.holds() {
            return format!("gate: nothing got worse by more than {} %", self.percent);
        }
        format!(
            "gate: {} of crashes, hangs, wrong stacks or contract violations rose, {} rose by more than {} %",
            counted(self.rates.len(), "rate"),
            counted(self.costs.len(), "cost"),
            self.percent
        )
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

//! Two runs against each other: what differs around them, whether they can be compared at all, and then rates and costs.
//!
//! Two families of tests, rates and costs, share the level: the chance that a comparison of two runs that do not differ calls
//! anything different is at most 5 %, however many rows it has. `reports/experiments/` has the calibration.

mod banner;
mod costs;
mod environment;
mod gate;
mod pairing;
mod rates;
#[cfg(test)]
mod simulation;

pub use banner::{Reason, Weight};
pub use costs::{CostRow, Mean};
pub use environment::Difference;
pub use gate::Gate;
pub use pairing::{Rename, Renames};
pub use rates::{RateRow, Seen, Test};

use crate::failure::Failure;
use crate::model::records::Records;

/// Adjusted p-values up to this are called a difference.
pub const LEVEL: f64 = 0.05;

/// A cost that differs by less is not called different, however sure it is: the layout of a binary alone moves costs so far.
pub const NOISE: f64 = 1.02;

/// All of a comparison.
#[derive(Debug)]
pub struct Comparison {
    /// Tags of the interpreters that were compared: base, new.
    pub tags: Vec<[String; 2]>,
    /// What differs around the runs.
    pub environment: Vec<Difference>,
    /// Why the two cannot be compared, or only with care.
    pub reasons: Vec<Reason>,
    /// Rates of trials, the surest difference first.
    pub rates: Vec<RateRow>,
    /// Cells that have a counterpart, and those of base and new that have none.
    pub cells: (usize, [usize; 2]),
    /// Tests among the rates that could have shown a difference: those that Holm's method adjusts for.
    pub rate_tests: usize,
    /// Costs, the surest difference first.
    pub costs: Vec<CostRow>,
    /// Geometric means of the cost ratios of a subject.
    pub means: Vec<Mean>,
    /// Assignments of processes that the costs were compared over.
    pub assignments: usize,
    /// The smallest adjusted p-value that a cost could have had.
    pub least: f64,
}

impl Comparison {
    /// Compares.
    ///
    /// # Errors
    /// Nothing in one has a counterpart in the other, or a name is in neither.
    pub fn new(base: &Records, new: &Records, renames: &Renames) -> Result<Self, Failure> {
        let tags = pairing::tags(base, new, renames)?;
        let paired = pairing::cells(base, new, &tags, renames)?;
        let mut rates = rates::all(base, new, &paired);
        let (mut costs, permuted) = costs::all(base, new, &tags, renames);
        if paired.pairs.is_empty() && costs.is_empty() {
            return Err(Failure::nothing_ran(
                "no cell and no cost of the one has a counterpart in the other; name what is to be paired, e.g. --interpreter 3.13.5=3.13.15 or --walker pr-b1=guarded",
            ));
        }
        let rate_tests = rates::adjust(&mut rates);
        // Each family gets half of the level where there are two.
        let families = if rate_tests > 0 && !costs.is_empty() { 2.0 } else { 1.0 };
        for adjusted in
            rates.iter_mut().map(|row| &mut row.adjusted).chain(costs.iter_mut().map(|row| &mut row.adjusted))
        {
            *adjusted = (*adjusted * families).min(1.0);
        }
        rates.sort_by(|a, b| a.adjusted.total_cmp(&b.adjusted).then(a.p.total_cmp(&b.p)));
        costs.sort_by(|a, b| {
            let far = |row: &CostRow| -row.ratio.value.ln().abs();
            b.differs()
                .cmp(&a.differs())
                .then(a.adjusted.total_cmp(&b.adjusted))
                .then(far(a).total_cmp(&far(b)))
        });
        let least = (permuted.least * families).min(1.0);
        let mut comparison = Comparison {
            environment: environment::differences(base, new, &tags),
            reasons: Vec::new(),
            means: costs::means(&costs),
            cells: (paired.pairs.len(), paired.alone),
            assignments: permuted.assignments,
            rate_tests,
            tags,
            rates,
            costs,
            least,
        };
        comparison.reasons = banner::reasons(base, new, &comparison);
        Ok(comparison)
    }

    /// Rates that differ.
    pub fn different_rates(&self) -> impl Iterator<Item = &RateRow> {
        self.rates.iter().filter(|row| row.differs())
    }

    /// Costs that differ.
    pub fn different_costs(&self) -> impl Iterator<Item = &CostRow> {
        self.costs.iter().filter(|row| row.differs())
    }

    /// What was found, in one line.
    pub fn line(&self) -> String {
        let of = |differ: usize, all: usize, what: &str| match all {
            0 => format!("no {what} to compare"),
            _ => format!("{differ} of {all} {what} differ"),
        };
        format!(
            "{}; {}",
            of(self.different_rates().count(), self.rates.len(), "rates"),
            of(self.different_costs().count(), self.costs.len(), "costs")
        )
    }
}

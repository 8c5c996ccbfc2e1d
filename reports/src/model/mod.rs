//! What a report says, before it is written in any format.

pub mod ablation;
pub mod bucket;
pub mod bug;
pub mod cell;
pub mod check;
pub mod coexistence;
pub mod contract;
pub mod cost;
pub mod fuzzed;
pub mod injected;
pub mod lifetime;
pub mod mutation;
pub mod pairs;
pub mod ratio;
pub mod records;
pub mod seeds;
pub mod stepping;
pub mod tag;
pub mod verdict;

use crate::bias::{self, Bias};
use crate::claims::{self, Judged};
use crate::compare::Comparison;
use records::Records;

/// Everything the three formats need.
#[derive(Debug)]
pub struct Model {
    /// The aggregated records.
    pub records: Records,
    /// Cost with intervals, by depth.
    pub cost: Vec<cost::Row>,
    /// Cost on real stacks, by the name of the stack.
    pub stacks: Vec<(String, cost::Row)>,
    /// Walkers compared on the same seeds.
    pub pairs: Vec<pairs::Row>,
    /// Checks in the order of what they are worth.
    pub ablation: Vec<ablation::Ablation>,
    /// Ratios against their targets.
    pub ratios: Vec<ratio::Ratio>,
    /// Simulated profiles.
    pub bias: Bias,
    /// The claims, judged.
    pub claims: Vec<Judged>,
    /// The line on top.
    pub verdict: verdict::Verdict,
    /// Against a baseline, where one was named.
    pub comparison: Option<Comparison>,
}

impl Model {
    /// Judges the records.
    pub fn judge(records: Records) -> Self {
        let cost = records.cost.rows();
        let stacks = records.cost.stack_rows();
        let pairs = records.pairs.rows();
        let ablation = ablation::all(&records, &records.checks.sums());
        let ratios = ratio::all(&records);
        let verdict = verdict::of(&records);
        let bias = bias::all(&bias::traces(&records.allocations), &bias::measured(&records));
        let claims = claims::judge(&records, &ratios, &bias);
        Self { records, cost, stacks, pairs, ablation, ratios, bias, claims, verdict, comparison: None }
    }
}

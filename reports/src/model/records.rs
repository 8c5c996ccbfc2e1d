//! The aggregated records of all runs.

use super::bucket::Buckets;
use super::cell::CellStats;
use super::check::Checks;
use super::cost::Costs;
use super::fuzzed::Fuzzed;
use super::injected::{FreedWords, Injections};
use super::mutation::Mutations;
use super::pairs::Pairs;
use sigwalk_record::{Campaign, Environment, Interpreter, Kind};
use std::collections::BTreeMap;

/// Aggregates of all runs, in an order that depends on the records only.
#[derive(Debug, Default)]
pub struct Records {
    /// Builds by tag.
    pub builds: BTreeMap<String, Build>,
    /// Campaigns by id.
    pub campaigns: BTreeMap<String, Campaign>,
    /// Cells by id.
    pub cells: BTreeMap<String, CellStats>,
    /// Trials by seed.
    pub pairs: Pairs,
    /// Mutation rows.
    pub mutations: Mutations,
    /// What single checks are worth.
    pub checks: Checks,
    /// Loads that failed on purpose.
    pub injections: Injections,
    /// What freed memory held.
    pub freed: FreedWords,
    /// Tallies of guided fuzzing.
    pub fuzzed: Fuzzed,
    /// Timed batches.
    pub cost: Costs,
    /// Crashes and hangs by title.
    pub buckets: Buckets,
    /// What was read.
    pub runs: Vec<Run>,
    /// What a reader of the report must be told: unfinished runs, dropped lines.
    pub notices: Vec<String>,
}

/// An interpreter and the machine it was met on.
#[derive(Debug)]
pub struct Build {
    /// The build that was walked.
    pub interpreter: Interpreter,
    /// The machine and the suite.
    pub environment: Environment,
    /// Directory where it was met first.
    pub first: String,
}

/// A run directory.
#[derive(Debug)]
pub struct Run {
    /// As the user named it.
    pub dir: String,
    /// The file with its rows.
    pub file: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Tag of its interpreter.
    pub interpreter: String,
    /// Name of its campaign.
    pub campaign: String,
    /// Id of its campaign.
    pub campaign_id: String,
    /// Build profile of the suite.
    pub profile: String,
    /// Load average at the start.
    pub load: String,
    /// Whether everything declared was finished.
    pub complete: bool,
    /// Start.
    pub started: String,
    /// Last write.
    pub ended: String,
    /// Rows read.
    pub rows: u64,
    /// Whether a last line was cut short.
    pub dropped: bool,
}

//! The aggregated records of all runs.

use super::bucket::Buckets;
use super::cell::CellStats;
use super::check::Checks;
use super::cost::Costs;
use super::fuzzed::Fuzzed;
use super::injected::{FreedWords, Injections};
use super::mutation::Mutations;
use super::pairs::Pairs;
use super::seeds::Seeds;
use sigwalk_record::{Allocated, Campaign, Coexistence, Contract, Environment, Interpreter, Kind, Lifetime};
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
    /// Single trials, where two runs are compared.
    pub seeds: Seeds,
    /// Mutation rows.
    pub mutations: Mutations,
    /// What single checks are worth.
    pub checks: Checks,
    /// Loads that failed on purpose.
    pub injections: Injections,
    /// What freed memory held.
    pub freed: FreedWords,
    /// What walks touched that they had promised not to touch.
    pub contracts: Vec<Contract>,
    /// Walks beside other owners of signals.
    pub coexistence: Vec<Coexistence>,
    /// What became of borrowed code pointers.
    pub lifetimes: Vec<Lifetime>,
    /// What programs allocated.
    pub allocations: Vec<Allocated>,
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

impl Build {
    /// What it is, by name: the interpreter, then the machine. Profile, load and settings belong to a run.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let (interpreter, machine) = (&self.interpreter, &self.environment);
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
        vec![
            ("sys.version", interpreter.version.clone()),
            ("Py_Version", interpreter.hexversion.clone()),
            ("configure arguments", interpreter.config_args.clone()),
            ("compiler", interpreter.compiler.clone()),
            ("debug build", yes(interpreter.debug)),
            ("free-threaded", yes(interpreter.free_threaded)),
            ("JIT", yes(interpreter.jit)),
            ("libpython", interpreter.libpython.clone()),
            ("size of _PyRuntime", interpreter.runtime_size.to_string()),
            ("freed-pointer patterns", interpreter.freed_patterns.clone()),
            ("allocator", interpreter.allocator.clone()),
            ("CPU", machine.cpu.clone()),
            ("cores", machine.cores.to_string()),
            ("kernel", machine.kernel.clone()),
            ("distribution", machine.os.clone()),
            ("C library", machine.libc.clone()),
            ("rustc", machine.rustc.clone()),
            ("sigwalk", machine.suite_version.clone()),
            ("commit", machine.commit.clone()),
        ]
    }
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
    /// Free-form settings of its environment.
    pub settings: BTreeMap<String, String>,
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

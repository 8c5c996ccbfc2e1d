//! One trial: one fresh process, one outcome.

use serde::{Deserialize, Serialize};

/// What became of a trial, in order of severity: the worst thing that happened wins.
///
/// `HarnessError` stands beside the order: such a trial measured nothing, is never counted in n, and is always shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every walk ended at the end of the chain, and every stack was a possible one.
    Complete,
    /// Some walk ended early and said so.
    Truncated,
    /// Some walk refused what it read and said so.
    Rejected,
    /// Some load faulted and the reader recovered.
    RecoveredFault,
    /// A walk did what a signal handler must not do. In workload `soak`: the program ended in another way, or a test of it had
    /// another result, than in every run without signals.
    ContractViolation,
    /// Some walk returned a stack that never existed, and did not say so.
    Impossible,
    /// The trial's deadline passed while a walk was in progress.
    Hang,
    /// The process died of a signal. `Trial::crash` says where.
    Crash,
    /// The harness itself failed: nothing was measured.
    HarnessError,
}

impl Outcome {
    /// All outcomes in order of severity, `HarnessError` last.
    pub const ALL: [Outcome; 9] = [
        Outcome::Complete,
        Outcome::Truncated,
        Outcome::Rejected,
        Outcome::RecoveredFault,
        Outcome::ContractViolation,
        Outcome::Impossible,
        Outcome::Hang,
        Outcome::Crash,
        Outcome::HarnessError,
    ];

    /// The name used in records, `summary.json` and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Complete => "complete",
            Outcome::Truncated => "truncated",
            Outcome::Rejected => "rejected",
            Outcome::RecoveredFault => "recovered_fault",
            Outcome::ContractViolation => "contract_violation",
            Outcome::Impossible => "impossible",
            Outcome::Hang => "hang",
            Outcome::Crash => "crash",
            Outcome::HarnessError => "harness_error",
        }
    }
}

/// Where a trial was when it ended. A crash is blamed on the walker only in the three walking phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the target ran.
    Setup,
    /// In the target, outside any walk: a crash here is the target's.
    Target,
    /// In a walk, reading the interpreter's list of threads.
    ThreadList,
    /// In a walk, asking for a thread's name.
    ThreadName,
    /// In a walk, reading frames and code.
    Walk,
    /// After the target.
    Done,
}

impl Phase {
    /// Whether a crash or hang in this phase is the walker's.
    #[must_use]
    pub fn is_walking(self) -> bool {
        matches!(self, Phase::ThreadList | Phase::ThreadName | Phase::Walk)
    }

    /// The name used in records and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Setup => "setup",
            Phase::Target => "target",
            Phase::ThreadList => "thread_list",
            Phase::ThreadName => "thread_name",
            Phase::Walk => "walk",
            Phase::Done => "done",
        }
    }
}

/// How the walks of one trial ended, counted. The first four are *detected*, the next four *silent*; reports never put
/// the two kinds in one column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tallies {
    /// Reached the end of the chain, and the oracle had nothing to object.
    pub complete: u64,
    /// Ended early and said so.
    pub truncated: u64,
    /// Refused and said so.
    pub rejected: u64,
    /// Loads that faulted and were recovered.
    pub recovered_faults: u64,
    /// Silent: contains an edge that does not exist.
    pub splice: u64,
    /// Silent: the right functions, a line that cannot be.
    pub wrong_line: u64,
    /// Silent: true but cut, called complete.
    pub prefix: u64,
    /// Silent: whole and true a moment ago: has frames that have been left.
    pub stale: u64,
    /// Walks that met no thread state (before it was bound or after it was gone).
    pub no_thread_state: u64,
    /// Walks that a timer was due for and that were not begun: the thread was still in the walk before, or did not run.
    #[serde(skip_serializing_if = "is_zero")]
    pub missed: u64,
}

impl Tallies {
    /// Adds those of another trial.
    pub fn add(&mut self, other: &Tallies) {
        self.complete += other.complete;
        self.truncated += other.truncated;
        self.rejected += other.rejected;
        self.recovered_faults += other.recovered_faults;
        self.splice += other.splice;
        self.wrong_line += other.wrong_line;
        self.prefix += other.prefix;
        self.stale += other.stale;
        self.no_thread_state += other.no_thread_state;
        self.missed += other.missed;
    }

    /// Walks that returned a wrong stack without saying so.
    #[must_use]
    pub fn silent(&self) -> u64 {
        self.splice + self.wrong_line + self.prefix + self.stale
    }

    /// The worst outcome that these counts alone justify.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.silent() > 0 {
            Outcome::Impossible
        } else if self.recovered_faults > 0 {
            Outcome::RecoveredFault
        } else if self.rejected > 0 {
            Outcome::Rejected
        } else if self.truncated > 0 {
            Outcome::Truncated
        } else {
            Outcome::Complete
        }
    }
}

/// Where a process died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Crash {
    /// Signal number.
    pub signal: i32,
    /// The address whose access faulted, hexadecimal, where the kernel said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `module+offset (nearest symbol)` of the faulting instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

/// Where, among the instructions of a stepped window, a walk's answer was not a whole, legal stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Illegal {
    /// `module+offset (symbol+offset)` of the instruction that was about to run.
    pub site: String,
    /// Silent: `splice`, `wrong_line`, `prefix`, `stale`. Detected: `truncated`, `rejected`, `fault` (a load failed which raw
    /// would have been a crash). `unlisted` is the rest, where there were too many places to list.
    pub what: String,
    /// Boundaries at this instruction.
    pub count: u64,
}

/// One line of `trials.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trial {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Index in the campaign.
    pub trial: u64,
    /// Id of the cell in the manifest.
    pub cell: String,
    /// Seed, 16 hexadecimal digits: hash of campaign id and round. The i-th trial of every cell of a campaign has the
    /// same, so that walkers are compared in pairs.
    pub seed: String,
    /// The worst that happened.
    pub outcome: Outcome,
    /// Where the trial was when it ended.
    pub phase: Phase,
    /// Walks begun.
    pub walks: u64,
    /// Frames emitted over all walks.
    pub frames: u64,
    /// How the walks ended.
    pub tallies: Tallies,
    /// Present when `outcome` is `crash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<Crash>,
    /// Wall time in milliseconds.
    pub millis: f64,
    /// Instruction boundaries of a stepped window: as many walks, or a stated part of them. 0 when nothing was stepped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub boundaries: u64,
    /// Where stepping met an illegal stack; the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub illegal: Vec<Illegal>,
    /// What a reader should know: the first impossible stack, or why the harness failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Trial {
    /// The record without what the wall clock decides. Two runs of the same trial of an exact workload agree in the rest; what
    /// else is equal under other workloads, their own documentation says.
    #[must_use]
    pub fn timeless(&self) -> Trial {
        Trial { millis: 0.0, ..self.clone() }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

//! Cost of a walk: raw samples, one row a (subject, what, depth), and what is counted instead of timed.

use serde::{Deserialize, Serialize};

/// What an iteration delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The chain of frames only.
    Chain,
    /// Code object and instruction offset of every frame.
    Code,
    /// The same and the line.
    Line,
    /// The same and copies of file and function name.
    Names,
}

impl What {
    /// The name used in records and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            What::Chain => "chain",
            What::Code => "code",
            What::Line => "line",
            What::Names => "names",
        }
    }
}

/// One timed batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// Iterations in the batch.
    pub iters: u64,
    /// Wall time of the whole batch in nanoseconds.
    pub ns: u64,
}

/// One line of `cost.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// What was timed: `floor`, `raw`, `guarded`, `dump_traceback`, `tracemalloc`, `getframe_getback`, …
    pub subject: String,
    /// What an iteration delivered.
    pub what: What,
    /// Python frames on the stack that were to be walked.
    pub depth: u64,
    /// Frames an iteration really delivered (DumpTraceback stops at 100). Cost per frame divides by this.
    pub frames: u64,
    /// Which real stack was walked (`json`, `asyncio`, …). `None` for the stacks that were made to a depth: only these are
    /// compared with each other and drawn by depth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Where the output went (`/dev/null`, `memfd`), for subjects that print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// The timed batches, in order, warm-up left out.
    pub samples: Vec<Sample>,
    /// What a reader should know, e.g. which symbol the subject was found under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// System calls entered during a walk.
    Syscalls,
}

/// One line of `counts.jsonl`, which stands beside `cost.jsonl` where something was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Count {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// What was counted.
    pub counted: Counted,
    /// Whose walks.
    pub subject: String,
    /// What a walk delivered.
    pub what: What,
    /// Python frames on the stack that were walked.
    pub depth: u64,
    /// One number a walk, in order.
    pub counts: Vec<u64>,
}

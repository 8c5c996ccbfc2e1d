//! What becomes of a borrowed code pointer between the walk and its use: one row a delay, churn and technique.

use serde::{Deserialize, Serialize};

/// One line of `lifetimes.jsonl`. A use is a code pointer that a walk delivered, looked at after a delay; the first four counts
/// add up to `n`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lifetime {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// What the program does with code objects meanwhile, with its parameters.
    pub churn: String,
    /// How a dead pointer is told: `none`, `identity` (the object's own words), `generation` (the interpreter's count of code
    /// objects that died), `watcher` (the interpreter tells of each).
    pub technique: String,
    /// Functions that the program made in a second, on average.
    #[serde(default)]
    pub made_per_second: u64,
    /// Nanoseconds that were meant to pass between the walk and the use.
    pub delay_ns: u64,
    /// Median of the nanoseconds that did.
    pub passed_ns: u64,
    /// Processes that the uses are of.
    pub trials: u64,
    /// Uses.
    pub n: u64,
    /// The same code object.
    pub alive: u64,
    /// Its memory is freed: reading it is reading what the allocator left there.
    pub dead: u64,
    /// Another object that is no code stands there.
    pub recycled: u64,
    /// Another code object stands there, so that a name and a line come out, of another function.
    pub wrong: u64,
    /// Of each process: uses of what was not alive any more, and uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_trial: Vec<[u64; 2]>,
    /// Uses of what was not alive any more that the technique told before anything was read.
    pub noticed: u64,
    /// Uses of what was alive that the technique called dead.
    pub false_alarms: u64,
    /// Why it could not be measured; empty when it could.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub not_available: String,
}

impl Lifetime {
    /// What the name of a program begins with that makes no functions while it runs.
    pub const CONTROL: &str = "none (control)";

    /// Whether it is of such a program: nothing of it may die.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.churn.starts_with(Self::CONTROL)
    }
}

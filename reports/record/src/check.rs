//! What single checks of a policy are worth: one row a (family of walkers, check, field, fault model).

use crate::Mutation;
use serde::{Deserialize, Serialize};

/// Walks that did harm: the process would have died, would never have come back, or would have told a lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Harm {
    /// A load faulted.
    pub crash: u64,
    /// The load budget was spent.
    pub hang: u64,
    /// A wrong answer called complete.
    pub silent: u64,
}

impl Harm {
    /// All of it.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.crash + self.hang + self.silent
    }
}

/// One line of `checks.jsonl`, which stands beside `mutations.jsonl`. Each of `walks` drawn faults was walked by the
/// same code with these checks: none, all, this one alone, all but this one. n is walks.
///
/// Rows of [`Mutation::CONTROL`]'s field are healthy stacks; `model` then says which: `healthy`, `entry frame`, `init shim`,
/// `just-created frame`, and only `alarms` and `walks` are of interest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Whose policy: the walker with all of its checks (`pr-b1`, `guarded`).
    pub family: String,
    /// The check.
    pub check: String,
    /// What was changed.
    pub field: String,
    /// Fault model of the change.
    pub model: String,
    /// Faults drawn.
    pub walks: u64,
    /// Stacks of the run.
    pub stacks: u64,
    /// Harm without any check.
    pub bare: Harm,
    /// Harm with all checks.
    pub whole: Harm,
    /// Of `bare`: what this check alone prevents, by the harm it would have been.
    pub alone: Harm,
    /// Of the walks that do no harm with all checks: what they do when this one is off. What only this check prevents.
    pub only: Harm,
    /// Walks that do harm with this check and none without it, all others on.
    pub worse: u64,
    /// Walks that this check alone refuses although the answer without any check is right: false alarms.
    pub alarms: u64,
    /// Walks that all checks refuse and all but this one answer rightly: false alarms that are its alone.
    pub only_alarms: u64,
}

impl Check {
    /// Whether nothing was changed but what a healthy stack shows.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.field == Mutation::CONTROL.0
    }
}

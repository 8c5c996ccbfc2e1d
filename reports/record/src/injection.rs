//! Loads that fail on purpose: one row a (walker, mode).

use serde::{Deserialize, Serialize};

/// How loads were made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The n-th load of a walk, for every n that the walk has.
    Transient,
    /// The n-th load and all after it, for every n.
    Persistent,
    /// Each load with a probability.
    Rate,
    /// All loads of one page, which is really taken away, for every page that the walk reads.
    Page,
}

impl Mode {
    /// The name in records and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Transient => "transient",
            Mode::Persistent => "persistent",
            Mode::Rate => "rate",
            Mode::Page => "page",
        }
    }
}

/// One line of `injections.jsonl`, which stands beside `mutations.jsonl`. The outcome counts partition `walks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Injection {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Walker.
    pub walker: String,
    /// How loads failed.
    pub mode: Mode,
    /// Probability of a load, of [`Mode::Rate`]; else 0. In parts of a million, so that rows compare exactly.
    pub per_million: u32,
    /// Stacks.
    pub stacks: u64,
    /// Loads (pages, of [`Mode::Page`]) of the longest sweep: its n.
    pub longest: u64,
    /// Walks made.
    pub walks: u64,
    /// Loads that failed.
    pub failed: u64,
    /// The walk said that a load failed, or that it could not believe what it had.
    pub noticed: u64,
    /// The answer was the undisturbed one.
    pub unharmed: u64,
    /// A wrong answer called complete.
    pub silent: u64,
    /// The walk did not end within its load budget.
    pub hang: u64,
    /// The process died.
    pub crash: u64,
    /// Loads that went past the reader.
    pub unprotected: u64,
}

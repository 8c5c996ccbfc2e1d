//! What becomes of a walk when another component owns signals, too: one row a component, order and walker.

use serde::{Deserialize, Serialize};

/// One line of `coexistence.jsonl`. Each of `n` trials is a process in which two components were installed in an order, a walk
/// met a bad address, and we were uninstalled; the first four counts add up to `n`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Coexistence {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Name of the walker.
    pub walker: String,
    /// The other component.
    pub other: String,
    /// Who was installed first: `we-first`, `they-first`.
    pub order: String,
    /// False for what is shown for comparison and is no way that we recommend: its deaths are no defect of ours.
    pub ours: bool,
    /// Trials.
    pub n: u64,
    /// The walk met the bad address and reported it.
    pub recovers: u64,
    /// The walk noticed that bad loads are not recovered, and read in another way.
    pub falls_back: u64,
    /// No walk was made, and that was said.
    pub loses_recovery: u64,
    /// The process died.
    pub kills: u64,
    /// Trials in which, after uninstalling, the handlers were those that the other component had left.
    pub restored: u64,
    /// What killed, or how the trials went otherwise, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

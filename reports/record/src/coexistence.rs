//! What becomes of a walk when another component owns signals, too: one row a component, order and walker.

use serde::{Deserialize, Serialize};

/// One line of `coexistence.jsonl`. Each of `n` trials is a process in which we and another component were installed in an order, a
/// signal's handler walked a Python stack with one word that leads to a bad address, then the same stack undamaged, and we were
/// uninstalled. The first four counts add up to `n`; a trial that could not be judged is in no row, since it ends the run.
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
    /// The walk reported a failed load at the bad address after the very frames before it, in the way that it always reads: by
    /// guarded loads (`guarded`; `adaptive` while these are protected) or through the kernel (`syscall`, which needs no signal).
    /// The second walk was complete.
    pub recovers: u64,
    /// The same, but guarded loads were not protected, and the walker noticed and read through the kernel instead.
    pub falls_back: u64,
    /// No walk was made, and that was said: guarded loads were not protected, or the sampler's own signal was taken away.
    pub loses_recovery: u64,
    /// The process died between the first installation and the end of the trial, or stood still.
    pub kills: u64,
    /// Trials in which, after uninstalling, handler, flags and mask of SIGSEGV, SIGBUS and the sampler's signal were those that the
    /// other component had left: what it had before us, or what it had put over us.
    pub restored: u64,
    /// Trials in which a genuine bad access reached the other component while we were installed, and again after we were
    /// uninstalled: each in a process of its own, forked then.
    pub reached: u64,
    /// What killed, why no walk was made, and what the other component took for a crash; with counts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

//! What a walk touched that it had promised not to touch: one row a subject and context.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose code a subject is. A violation means another thing for each, and CI fails for one of [`Whose::Ours`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// A registered walker.
    Ours,
    /// A function of the interpreter.
    Cpython,
    /// A walker with a planted violation, which must be found.
    Planted,
}

/// One line of `contract.jsonl`: a subject walked so often in a context, and each kind of violation was seen in so many of the
/// walks. A kind that is not named was looked for and not seen; one that could not be looked for is in `not_checked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Contract {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Who walks: a walker, or a function of the C API.
    pub subject: String,
    /// Whose code that is.
    pub whose: Whose,
    /// Where it is called: `hook`, `signal`, `crash-handler`.
    pub context: String,
    /// Walks that were watched.
    pub walks: u64,
    /// Frames that they delivered; 0 for those that print.
    pub frames: u64,
    /// Walks with a violation, by its kind: `allocation`, `lock`, `refcount`, …
    #[serde(default)]
    pub violations: BTreeMap<String, u64>,
    /// What was called or touched in them, by name and with how often: `malloc`, `futex`, `ob_refcnt of a code object`.
    #[serde(default)]
    pub touched: BTreeMap<String, u64>,
    /// System calls that the contract allows, by name and with how often.
    #[serde(default)]
    pub allowed: BTreeMap<String, u64>,
    /// Bytes of stack below the caller's frame that the deepest walk used.
    pub stack: u64,
    /// AT_MINSIGSTKSZ of the machine: what the kernel itself needs of a signal stack.
    pub minimal_signal_stack: u64,
    /// Walks that did not come back: the process died, by the name of its signal or `hang`, and how often.
    #[serde(default)]
    pub lost: BTreeMap<String, u64>,
    /// Kinds of violations that could not be looked for here, each with the reason.
    #[serde(default)]
    pub not_checked: BTreeMap<String, String>,
    /// Why there is no walk at all; empty when there was one.
    #[serde(default)]
    pub not_available: String,
}

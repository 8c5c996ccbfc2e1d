//! Mutation of frame memory: one row a (walker, field, fault model).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of `mutations.jsonl`. `walks` is n: each walk saw one drawn (frame, value) at the bottom of one of `stacks`
/// stacks; walks on one stack are related. The outcome counts partition n.
///
/// The row of [`Mutation::CONTROL`] is the control: healthy stacks, nothing changed, one walk each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mutation {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Walker, whose own policy ran over fault-counting loads.
    pub walker: String,
    /// What was changed, e.g. `frame.previous`, `code.ob_type`.
    pub field: String,
    /// Fault model: what was made of it, e.g. `freed-cd`, `unmapped`, `recycled-code`.
    pub model: String,
    /// Walks made.
    pub walks: u64,
    /// Stacks of the run. A walker that refuses a healthy stack has no answer to compare with, and sits that one out.
    pub stacks: u64,
    /// The answer was the undisturbed one.
    pub unharmed: u64,
    /// Truncated or rejected, and said so, without a fault.
    pub noticed: u64,
    /// A load faulted and the walker recovered (strict walkers only).
    pub recovered: u64,
    /// A load faulted that the walker itself does not protect: the process would have died.
    pub would_crash: u64,
    /// The walk did not end within its load budget.
    pub hang: u64,
    /// Hops of the longest of these until then.
    #[serde(default)]
    pub hops: u64,
    /// Silent: a frame that was not there, or a frame missing, in an answer called complete.
    pub splice: u64,
    /// Silent: the right frames, one of them with another code object than its own.
    #[serde(default)]
    pub wrong_code: u64,
    /// Silent: the right frames with a wrong line.
    pub wrong_line: u64,
    /// Silent: a true prefix called complete.
    pub prefix: u64,
    /// Silent: the right frames and lines with a wrong name of a file or function (walkers that deliver names).
    #[serde(default)]
    pub wrong_name: u64,
    /// Which load would have crashed, e.g. `frame.previous`, counted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crash_sites: BTreeMap<String, u64>,
}

impl Mutation {
    /// Field and fault model of the control.
    pub const CONTROL: (&'static str, &'static str) = ("(nothing)", "undisturbed");

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_control(&self) -> bool {
        (self.field.as_str(), self.model.as_str()) == Self::CONTROL
    }

    /// Answers that were wrong without saying so.
    #[must_use]
    pub fn silent(&self) -> u64 {
        self.splice + self.wrong_code + self.wrong_line + self.prefix + self.wrong_name
    }
}

//! What freed memory really held: one row a (object, word, what was found).

use serde::{Deserialize, Serialize};

/// One line of `freed.jsonl`, which stands beside `mutations.jsonl`: an object was made and freed by the interpreter itself, and
/// its words were looked at before the next fault was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Freed {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// What was freed, by the name of its fault model: `freed-code`, `freed-generator`, `freed-tstate`.
    pub model: String,
    /// Which word: `ob_refcnt`, `ob_type`, `body`.
    pub word: String,
    /// What stood there: `intact`, `0xdd fill`, `pointer`, `not canonical`, `zero`, `unmapped`, `other`.
    pub found: String,
    /// How many objects showed it.
    pub objects: u64,
}

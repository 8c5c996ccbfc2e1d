//! What a program allocated, exactly: one row a stack and size.

use serde::{Deserialize, Serialize};

/// One line of `allocations.jsonl`: what an allocator's hook saw of a program, with the interpreter's own stack each time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Allocated {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// The program.
    pub program: String,
    /// `function:line` of each frame, innermost first.
    pub stack: Vec<String>,
    /// Bytes that were asked for.
    pub size: u64,
    /// How often.
    pub count: u64,
}

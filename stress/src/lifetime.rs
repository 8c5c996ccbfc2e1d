//! `stress lifetime`: what becomes of a borrowed code pointer between the walk and its use (C8, known bug P6).
//!
//! A profiler's walk delivers pointers to code objects, and holds no reference. This counts how many of them lead to their object
//! after a delay, in programs that make functions and lose them, and which techniques would have told.
//!
//! * **Uses** are of pointers to functions that the program makes meanwhile: the innermost frame of a complete walk, when it is one
//!   of those. A program's other functions live as long as it does, and would only thin the rates out.
//! * **Walks** are made by a walker of ours from the allocator's hooks, where the innermost frame is alive for certain.
//! * **The truth** is the interpreter's own ([`registry`], [`waiting`]): nothing of it is read from the object.

pub mod process;
mod registry;
mod shared;
mod technique;
mod trial;
mod waiting;

pub use technique::NAMES as TECHNIQUES;

/// Nanoseconds between a walk and its use.
pub const DELAYS: [u64; 8] = [0, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// What a pointer led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The code object that was walked.
    Alive,
    /// Freed memory that nobody has, or an object that is being taken down.
    Dead,
    /// Somebody else's memory that is no code.
    Recycled,
    /// Another code object.
    Wrong,
}

/// A program of `churn.py`: the function `run_NAME`.
#[derive(Debug)]
pub struct Churn {
    /// Its name.
    pub name: &'static str,
    /// What it does, for records.
    pub about: &'static str,
}

/// All programs; the last one is the control.
pub const CHURNS: [Churn; 4] = [
    Churn {
        name: "exec",
        about: "exec: functions by exec, eval and nested def, each called once and dropped",
    },
    Churn {
        name: "template",
        about: "template: a function compiled each millisecond, the last 32 kept and called",
    },
    Churn { name: "reload", about: "reload: a module of 24 functions reloaded each 250 ms, all called" },
    Churn { name: "none", about: "none (control): 32 functions, made once and kept" },
];

//! Where walks come from. Workloads are never mixed: a cell has one, and no table adds two of them up.
//!
//! A new one is a file here, a variant, and its arms in [`start`] and [`Running::finish`].

pub mod hook;
pub mod interleave;
pub mod other;
pub mod program;
pub mod signal;
pub mod step;
mod traced;

use crate::attempt::{self, Context};
use crate::campaign::Plan;
use serde::Deserialize;
use sigwalk_embed::own_frames;
pub use step::Stepping;

/// A workload of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// The thread's own frames, from an allocator hook; compared exactly with the interpreter's own.
    Hook,
    /// The thread's own frames, from a timer's signal handler at random intervals.
    Signal,
    /// Frames of all threads, from a native thread that Python does not know.
    Other,
    /// The thread's own frames, at every instruction boundary of a window.
    Step,
    /// Another process walks while the target makes a fixed number of instructions between two loads.
    Interleave,
    /// A Python program as it is, run by the interpreter's own executable; its end is the outcome.
    Program,
}

impl Workload {
    /// All, with one line each for `stress list`.
    pub const ALL: [(Workload, &'static str); 6] = [
        (
            Workload::Hook,
            "own thread: a walk in an allocator hook, compared with the interpreter's own frames",
        ),
        (Workload::Signal, "own thread: a walk in a timer's signal handler, at random intervals"),
        (
            Workload::Other,
            "another thread: a native thread, without the GIL unless gil = true, walks every thread of the list",
        ),
        (Workload::Step, "own thread: a walk at every instruction boundary of a window"),
        (
            Workload::Interleave,
            "another process: the target makes a fixed number of instructions between two loads",
        ),
        (
            Workload::Program,
            "a Python program run by the interpreter's own executable; its end is the outcome",
        ),
    ];

    /// The name in campaigns and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Workload::Hook => "hook",
            Workload::Signal => "signal",
            Workload::Other => "other",
            Workload::Step => "step",
            Workload::Interleave => "interleave",
            Workload::Program => "program",
        }
    }

    /// Whether the target is stepped.
    #[must_use]
    pub fn steps(self) -> bool {
        matches!(self, Workload::Step | Workload::Interleave)
    }

    /// Why it cannot be run on this interpreter; `None` when it can.
    #[must_use]
    pub fn not_available(self) -> Option<&'static str> {
        match self {
            Workload::Hook => own_frames::available().err(),
            _ => None,
        }
    }

    /// Whether walks are made by the thread that is walked, inside the walked process.
    #[must_use]
    pub fn is_own_thread(self) -> bool {
        matches!(self, Workload::Hook | Workload::Signal | Workload::Step)
    }
}

/// The calling thread, which the target made, is walked from here on by workloads that walk each thread in its own handlers.
pub fn arm() {
    signal::arm();
    step::arm();
}

/// A workload that has begun.
pub enum Running {
    /// Hooks walk.
    Hook,
    /// A timer's handler walks.
    Signal,
    /// Another thread or process walks.
    Other(other::Walking),
    /// Every step walks, or a tracer.
    Step,
}

/// Begins to walk. The calling thread is the main one, and attached.
///
/// # Errors
/// The kernel or the interpreter refuses what the workload needs.
pub fn start(context: &'static Context, plan: &Plan, seed: u64) -> Result<Running, String> {
    match plan.workload {
        Workload::Hook => hook::start(context, plan, seed).map(|()| Running::Hook),
        Workload::Signal => {
            signal::prepare(seed, plan.gap_us * 1000);
            signal::arm();
            Ok(Running::Signal)
        }
        Workload::Other => {
            other::start(context, plan.gil).map(Running::Other).map_err(|error| format!("walker: {error}"))
        }
        Workload::Step => step::start(context, plan, seed).map(|()| Running::Step),
        Workload::Interleave => interleave::start(context, plan, seed).map(|()| Running::Step),
        Workload::Program => Err("a program has no walker of ours".into()),
    }
}

impl Running {
    /// Runs a piece of the target, which is a window where windows are stepped.
    pub fn window<T>(&self, piece: impl FnOnce() -> T) -> T {
        match self {
            Running::Step => step::window(piece),
            _ => piece(),
        }
    }

    /// Ends the walking. A walk that does not end keeps us here, and the parent's deadline calls it a hang.
    ///
    /// # Errors
    /// The walker itself failed.
    pub fn finish(self, context: &'static Context) -> Result<(), String> {
        match self {
            Running::Hook => hook::stop(),
            Running::Signal => signal::stop(),
            Running::Other(walker) => {
                other::stop(context);
                walker.join()?;
            }
            Running::Step => step::stop(),
        }
        attempt::retire();
        Ok(())
    }
}

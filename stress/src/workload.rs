//! Where walks come from. Workloads are never mixed: a cell has one, and no table adds two of them up.

pub mod other;
pub mod signal;

use serde::Deserialize;

/// A workload of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// The thread's own frames, from a timer's signal handler at random intervals.
    Signal,
    /// Frames of all threads, from a native thread that Python does not know and that holds no GIL.
    Other,
}

impl Workload {
    /// All, with one line each for `stress list`.
    pub const ALL: [(Workload, &'static str); 2] = [
        (Workload::Signal, "own thread: a walk in a timer's signal handler, at random intervals"),
        (Workload::Other, "another thread: a native thread without the GIL walks every thread of the list"),
    ];

    /// The name in campaigns and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Workload::Signal => "signal",
            Workload::Other => "other",
        }
    }
}

//! Frames that die, frames that outlive their call, and who runs Python code meanwhile.

use super::{PLAIN, Target};

const REPEATS: (&str, &str, &str) = ("repeats", "20", "rounds in a pass");

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "frame-teardown",
        about: "W3, P7: destructors run Python code while a frame is cleared",
        ids: &["F7", "W3", "P7"],
        params: &[REPEATS],
        source: include_str!("frame_teardown.py"),
        ..PLAIN
    },
    Target {
        name: "collections",
        about: "W1, T7: a garbage collection at nearly every allocation, with finalizers in Python",
        oracle: "exact, but that a finalizer may run at any line of any function",
        ids: &["W1", "T7"],
        params: &[REPEATS],
        source: include_str!("collections.py"),
        ..PLAIN
    },
    Target {
        name: "kept-frames",
        about: "frame objects and tracebacks that outlive their frames: ownership changes hands",
        ids: &["P1", "W3"],
        params: &[REPEATS],
        source: include_str!("kept_frames.py"),
        ..PLAIN
    },
];

//! Instrumented code.

use super::{Needs, PLAIN, Target};

const TREE: &[(&str, &str, &str)] =
    &[("depth", "3", "levels of the tree"), ("work", "1", "length of the loop in each node")];

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "tracing",
        about: "S16: sys.settrace switched on and off, for calls, lines and opcodes",
        oracle: "exact, but that a tracer may be called from any line",
        ids: &["S16", "F14"],
        params: TREE,
        source: include_str!("tracing.py"),
        ..PLAIN
    },
    Target {
        name: "monitoring",
        about: "S16: sys.monitoring switched on and off, for lines, instructions, calls and returns",
        oracle: "exact, but that a callback may be called from any line",
        ids: &["S16"],
        params: TREE,
        source: include_str!("monitoring.py"),
        needs: Needs::Version(0x030c, "sys.monitoring"),
        ..PLAIN
    },
];

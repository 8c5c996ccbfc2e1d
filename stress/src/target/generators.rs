//! Generators, and where their frames live.

use super::{PLAIN, Target};

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "generator-boundary",
        about: "S1: generators created where their frame needs a new data-stack chunk",
        ids: &["S1"],
        params: &[
            ("locals", "60", "locals of the generator"),
            ("repeats", "100", "generators made at the boundary"),
        ],
        source: include_str!("generator_boundary.py"),
        ..PLAIN
    },
    Target {
        name: "generator-ends",
        about: "S8: suspended generators closed, thrown into, dropped and collected, also by another thread",
        oracle: "exact, but that a generator which is closed may be called past the one that delegates to it",
        ids: &["S8"],
        params: &[("repeats", "3", "rounds in a pass")],
        source: include_str!("generator_ends.py"),
        ..PLAIN
    },
    Target {
        name: "generator-churn",
        about: "generators made, advanced once and freed",
        params: &[
            ("depth", "3", "generators that delegate to one another"),
            ("repeats", "30", "times in a pass"),
        ],
        source: include_str!("generator_churn.py"),
        ..PLAIN
    },
];

//! Generators, and where their frames live.

use super::{HOOKED, Target};

/// This family's targets.
pub const ALL: &[Target] = &[Target {
    name: "generator-boundary",
    about: "S1: generators created where their frame needs a new data-stack chunk",
    ids: &["S1"],
    workloads: HOOKED,
    params: &[
        ("locals", "60", "locals of the generator"),
        ("repeats", "100", "generators made at the boundary"),
    ],
    source: include_str!("generator_boundary.py"),
    finalizes: false,
}];

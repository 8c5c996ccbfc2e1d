//! Calls and returns: trees of generated functions.

use super::{HOOKED, Target};

/// This family's targets.
pub const ALL: &[Target] = &[Target {
    name: "call-tree",
    about: "a binary tree of generated functions, each with its own code object and call lines",
    ids: &[],
    workloads: HOOKED,
    params: &[
        ("depth", "5", "levels of the tree"),
        ("work", "3", "length of the loop in each node"),
        ("locals", "0", "extra locals, which make frames large (300: chunks come and go)"),
        ("style", "plain", "how a node calls: plain, generator, c, mixed"),
    ],
    source: "",
    finalizes: false,
}];

//! The interpreter's own beginning and end.

use super::{HOOKED, Target};

/// This family's targets.
pub const ALL: &[Target] = &[Target {
    name: "finalize",
    about: "S11: Py_FinalizeEx while daemon threads run",
    ids: &["S11"],
    workloads: HOOKED,
    params: &[
        ("depth", "3", "levels of the tree"),
        ("work", "3", "length of the loop in each node"),
        ("threads", "3", "daemon threads"),
    ],
    source: include_str!("finalize.py"),
    finalizes: true,
}];

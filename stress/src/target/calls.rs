//! Calls and returns.

use super::{Needs, PLAIN, Target};

const REPEATS: (&str, &str, &str) = ("repeats", "20", "times the calls are made in a pass");

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "call-tree",
        about: "a binary tree of generated functions, each with its own code object and call lines",
        ids: &["R5"],
        params: &[
            ("depth", "5", "levels of the tree"),
            ("work", "3", "length of the loop in each node"),
            ("locals", "0", "extra locals, which make frames large (300: chunks come and go)"),
            ("style", "plain", "how a node calls: plain, generator, c, mixed"),
        ],
        ..PLAIN
    },
    Target {
        name: "c-calls",
        about: "S2: C code calls Python: map, sorted, partial, slots of a class",
        ids: &["S2", "F1", "F6", "P5"],
        params: &[REPEATS],
        source: include_str!("c_calls.py"),
        ..PLAIN
    },
    Target {
        name: "inlined-calls",
        about: "S3: Python calls Python in every way that does not leave the evaluation loop",
        ids: &["S3"],
        params: &[REPEATS],
        source: include_str!("inlined_calls.py"),
        ..PLAIN
    },
    Target {
        name: "init",
        about: "classes whose __init__ is called through a shim frame",
        params: &[REPEATS],
        source: include_str!("init.py"),
        ..PLAIN
    },
    Target {
        name: "exceptions",
        about: "exceptions that unwind frames, through finally and with",
        params: &[REPEATS],
        source: include_str!("exceptions.py"),
        ..PLAIN
    },
    Target {
        name: "greenlets",
        about: "S17: greenlets, whose frames are suspended while their C stack is copied away",
        ids: &["S17", "W7", "R14"],
        params: &[("greenlets", "4", "pairs of greenlets"), ("repeats", "3", "switches to each")],
        source: include_str!("greenlets.py"),
        needs: Needs::Module("greenlet"),
        ..PLAIN
    },
];

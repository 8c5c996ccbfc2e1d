//! The interpreter's own beginning and end, and other interpreters.

use super::{End, PLAIN, Target};
use crate::workload::Workload;

const DEPTH: (&str, &str, &str) = ("depth", "3", "levels of the tree");
const WORK: (&str, &str, &str) = ("work", "3", "length of the loop in each node");
const AFTERWARDS: &str = "exact until the interpreter ends; afterwards code that it was not told of is let pass, known code is judged";

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "finalize",
        about: "S11: Py_FinalizeEx while daemon threads run, sleep or wait for a lock",
        oracle: AFTERWARDS,
        ids: &["S11", "F5"],
        params: &[
            DEPTH,
            WORK,
            ("threads", "3", "daemon threads"),
            ("state", "running", "what they do: running, sleeping, waiting"),
        ],
        source: include_str!("finalize.py"),
        end: End::Finalizes,
        ..PLAIN
    },
    Target {
        name: "reinitialize",
        about: "S12: Py_FinalizeEx and Py_Initialize in turn",
        oracle: AFTERWARDS,
        ids: &["S12"],
        params: &[DEPTH, WORK, ("cycles", "2", "times the interpreter is made again")],
        source: include_str!("reinitialize.py"),
        end: End::Reinitializes,
        ..PLAIN
    },
    Target {
        name: "subinterpreter",
        about: "S13: Py_NewInterpreter, a program in it, PyThreadState_Swap, Py_EndInterpreter",
        oracle: "code that it was not told of (the second interpreter's) is let pass, known code is judged",
        ids: &["S13", "W6"],
        params: &[DEPTH, WORK],
        source: include_str!("subinterpreter.py"),
        ..PLAIN
    },
    Target {
        name: "fork",
        about: "S14: a forked child, walked from its first instruction on, whose list names threads it does not have",
        ids: &["S14"],
        // Nothing of `other` is in the child: a thread that walks is not forked along.
        workloads: &[Workload::Signal, Workload::Step],
        params: &[DEPTH, WORK, ("threads", "3", "threads of the parent that sleep")],
        source: include_str!("fork.py"),
        ..PLAIN
    },
];

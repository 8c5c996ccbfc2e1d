//! Threads and thread states that come and go.

use super::{PLAIN, Target};

const DEPTH: (&str, &str, &str) = ("depth", "3", "levels of the tree");
const WORK: (&str, &str, &str) = ("work", "3", "length of the loop in each node");

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "thread-churn",
        about: "threads that live for one pass of the call tree",
        ids: &["S6", "S15", "F1", "F2", "F3", "F5", "R15"],
        params: &[DEPTH, WORK, ("locals", "0", "extra locals"), ("threads", "8", "threads started together")],
        source: include_str!("thread_churn.py"),
        ..PLAIN
    },
    Target {
        name: "thread-exit",
        about: "S9: threads that do next to nothing, with a destructor that runs inside PyThreadState_Clear",
        ids: &["S9"],
        params: &[
            ("threads", "8", "threads started together"),
            ("work", "20", "length of the destructor's loop"),
        ],
        source: include_str!("thread_exit.py"),
        ..PLAIN
    },
    Target {
        name: "gilstate",
        about: "S15: native threads that make a thread state, call Python and give it back",
        ids: &["S15"],
        params: &[DEPTH, WORK, ("locals", "0", "extra locals")],
        source: include_str!("gilstate.py"),
        ..PLAIN
    },
    Target {
        name: "vanish",
        about: "S6: threads that end inside Python frames, by pthread_exit, and leave their thread state behind",
        ids: &["S6", "F1"],
        params: &[("threads", "3", "threads that end so in a pass, and as many others on their stacks")],
        source: include_str!("vanish.py"),
        ..PLAIN
    },
    Target {
        name: "deleted-state",
        about: "S10: a thread whose state is deleted by another thread, and which runs on",
        oracle: "exact while the states are alive; the freed one must not yield a stack that cannot be",
        ids: &["S10", "F5"],
        params: &[DEPTH, WORK],
        source: include_str!("deleted_state.py"),
        ..PLAIN
    },
];

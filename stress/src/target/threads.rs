//! Threads that come and go.

use super::{HOOKED, Target};

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "thread-churn",
        about: "threads that live for one pass of the call tree",
        ids: &["S6", "S15"],
        workloads: HOOKED,
        params: &[
            ("depth", "3", "levels of the tree"),
            ("work", "3", "length of the loop in each node"),
            ("locals", "0", "extra locals"),
            ("threads", "8", "threads started together"),
        ],
        source: include_str!("thread_churn.py"),
        finalizes: false,
    },
    Target {
        name: "thread-exit",
        about: "S9: threads that do next to nothing, with a destructor that runs inside PyThreadState_Clear",
        ids: &["S9"],
        workloads: HOOKED,
        params: &[
            ("threads", "8", "threads started together"),
            ("work", "20", "length of the destructor's loop"),
        ],
        source: include_str!("thread_exit.py"),
        finalizes: false,
    },
];

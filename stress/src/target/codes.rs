//! Code objects: short-lived ones, and hostile ones.

use super::{PLAIN, Target};

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "code-churn",
        about: "S7: code made by compile, run once and freed; functions whose __code__ is replaced while they run",
        oracle: "exact, but that one piece of fresh code is not told from another: its place, lines and callers are judged",
        ids: &["S7", "F2", "PR-R1"],
        params: &[("repeats", "20", "pieces of code in a pass")],
        source: include_str!("code_churn.py"),
        ..PLAIN
    },
    Target {
        name: "odd-code",
        about: "S20: empty, silent and backward location tables, extreme line numbers, long and wide names",
        oracle: "exact for code and root; a function with a changed table may call from each of its lines",
        ids: &["S20"],
        params: &[
            ("repeats", "20", "calls of the chain in a pass"),
            (
                "empty",
                "0",
                "1: a function with an empty location table (`code.replace(co_linetable=b\"\")`) among them",
            ),
        ],
        source: include_str!("odd_code.py"),
        ..PLAIN
    },
];

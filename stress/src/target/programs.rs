//! Programs: each shows one known bug by how its process ends. They are also what findings give as reproducers.
//!
//! Exit 0: not seen. Exit 3: a wrong answer, told on stderr. Death by a signal: a crash. No end: a hang. Exit 2: the program
//! cannot run here, and says on stderr why. A new one is a file in `programs/` and a row here.

use super::Target;
use crate::workload::Workload;

/// A row: name, what it shows, its rows of the catalogue.
macro_rules! program {
    ($name:literal, $about:literal, $ids:expr) => {
        Target {
            name: $name,
            about: $about,
            ids: &$ids,
            workloads: &[Workload::Program],
            params: &[],
            source: include_str!(concat!("../../../programs/", $name, ".py")),
            finalizes: false,
        }
    };
}

/// This family's targets.
pub const ALL: &[Target] = &[
    program!("ends", "ends as the variable ENDS says; tests the workload", []),
    program!("dump-thread-churn", "a dump of all threads from a signal handler, under thread churn", ["F2"]),
    program!("watchdog-dump", "the watchdog thread walks a main thread that calls and returns", ["F1"]),
    program!("watchdog-many-threads", "twenty threads arm the watchdog while the others run", ["F3"]),
    program!(
        "own-dump",
        "a dump of the interrupted thread's own frames at any instruction",
        ["F6", "S2", "S3"]
    ),
    program!("main-thread-lost", "a dump of 150 threads: is the main thread in it?", ["F19"]),
    program!("dead-thread-name", "a dump asks for the name of a thread whose stack is unmapped", ["R15"]),
    program!("deleted-state", "a dump in a thread whose state another thread has deleted", ["S10"]),
    program!("init-shim", "a dump below a specialised call of a class", []),
    program!("monitored-line", "a torn instruction pointer in code whose lines are monitored", ["S16"]),
    program!("alias-4gib", "an instruction pointer 4 GiB beyond the code", []),
    program!("self-cycle", "a torn `previous` that names its own frame", []),
    program!("dump-returns-null", "PyUnstable_DumpTraceback of a freed thread state", []),
    program!("late-symbol", "the name of a borrowed code object after its death", ["P6", "R4"]),
    program!("tracemalloc-stop-race", "tracemalloc starts and stops under raw allocations", ["T1"]),
    program!("tracemalloc-dead-interpreter", "file names of a sub-interpreter that is gone", ["T5"]),
    program!("tracemalloc-stop-interpreter", "tracemalloc stops while a sub-interpreter lives", []),
    program!("current-frames-interpreter", "sys._current_frames in a sub-interpreter", ["W6"]),
    program!(
        "current-frames-deadlock",
        "sys._current_frames, garbage collection and the lock of threads",
        ["W4"]
    ),
];

//! Programs: each shows one known bug by how its process ends.
//!
//! Exit 0: not seen. Exit 3: a wrong answer, told on stderr. Death by a signal: a crash. No end: a hang. Exit 2: the program
//! cannot run here, and says on stderr why. A new one is a file and a row here: in `reports/findings/`, as the reproducer of
//! a report, when the newest release has the bug, else in `programs/`.

use super::{PLAIN, Target};
use crate::workload::Workload;

const fn row(
    name: &'static str,
    about: &'static str,
    ids: &'static [&'static str],
    source: &'static str,
) -> Target {
    Target { name, about, ids, workloads: &[Workload::Program], source, oracle: ENDS, ..PLAIN }
}

const ENDS: &str = "how its process ends";

/// A file of `programs/`: name, what it shows, rows of the catalogue.
macro_rules! program {
    ($name:literal, $about:literal, $ids:expr) => {
        row($name, $about, &$ids, include_str!(concat!("../../../programs/", $name, ".py")))
    };
}

/// A file of `reports/findings/`.
macro_rules! finding {
    ($name:literal, $about:literal, $ids:expr) => {
        row($name, $about, &$ids, include_str!(concat!("../../../reports/findings/", $name, ".py")))
    };
}

/// This family's targets.
pub const ALL: &[Target] = &[
    program!("ends", "ends as the variable ENDS says; tests the workload", []),
    finding!("dump-thread-churn", "a dump of all threads from a signal handler, under thread churn", ["F2"]),
    finding!("dead-thread-name", "a dump asks for the name of a thread whose stack is unmapped", ["R15"]),
    finding!("init-shim", "a dump below a specialised call of a class", []),
    finding!("monitored-line", "a torn instruction pointer in code whose lines are monitored", ["S16"]),
    finding!("alias-4gib", "an instruction pointer 4 GiB beyond the code", []),
    finding!("self-cycle", "a torn `previous` that names its own frame", []),
    finding!("dump-returns-null", "PyUnstable_DumpTraceback of a freed thread state", []),
    finding!("tracemalloc-stop-race", "tracemalloc starts and stops under raw allocations", ["T1"]),
    finding!("watchdog-dead-interpreter", "the watchdog walks threads of a sub-interpreter that ends", []),
    program!("watchdog-dump", "the watchdog thread walks a main thread that calls and returns", ["F1"]),
    program!("watchdog-many-threads", "twenty threads arm the watchdog while the others run", ["F3"]),
    program!("own-dump", "a dump of the interrupted thread's frames at any instruction", ["F6", "S2", "S3"]),
    program!("main-thread-lost", "a dump of 150 threads: is the main thread in it?", ["F19"]),
    program!("deleted-state-dump", "a dump in a thread whose state another thread has deleted", ["S10"]),
    program!("late-symbol", "the name of a borrowed code object after its death", ["P6", "R4"]),
    program!("tracemalloc-track-race", "it starts and stops under PyTraceMalloc_Track", ["T1", "T6"]),
    program!("tracemalloc-dead-interpreter", "file names of a sub-interpreter that is gone", ["T5"]),
    program!("tracemalloc-stop-interpreter", "tracemalloc stops while a sub-interpreter lives", []),
    program!("current-frames-interpreter", "sys._current_frames in a sub-interpreter", ["W6"]),
    program!("current-frames-deadlock", "sys._current_frames and the lock of the list of threads", ["W4"]),
];

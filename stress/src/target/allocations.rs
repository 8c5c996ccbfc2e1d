//! What the interpreter does in between: allocations and frees inside frame push and pop, creation and end of generators,
//! ownership transfer, collection, import, thread start and exit. For the workload `hook`, whose truth is the
//! interpreter's own frames: none of these needs a call graph, so they may call whatever they like.

use super::{End, PLAIN, Target};
use crate::workload::Workload;

const HOOK: &[Workload] = &[Workload::Hook];

const fn row(
    name: &'static str,
    about: &'static str,
    ids: &'static [&'static str],
    repeats: &'static [(&'static str, &'static str, &'static str)],
) -> Target {
    Target {
        name,
        about,
        ids,
        workloads: HOOK,
        params: repeats,
        source: include_str!("allocations.py"),
        oracle: "the interpreter's own frames",
        ..PLAIN
    }
}

/// Rounds of a pass, so that one is a few milliseconds.
const FEW: &[(&str, &str, &str)] = &[("repeats", "2", "rounds of a pass")];
const MANY: &[(&str, &str, &str)] = &[("repeats", "10", "rounds of a pass")];

/// This family's targets.
pub const ALL: &[Target] = &[
    row(
        "alloc-calls",
        "T7: frame push and pop with many arguments, keywords, cells and defaults",
        &["T7"],
        MANY,
    ),
    row(
        "alloc-generators",
        "T7, W1, S8: generators, coroutines and asynchronous generators made, thrown into, closed, dropped",
        &["T7", "W1", "S8"],
        FEW,
    ),
    row("alloc-frames", "W3: frame objects and tracebacks that outlive their frame", &["W3"], MANY),
    row(
        "alloc-gc",
        "W1, W3, P7: collection at every allocation, destructors, callbacks of weak references",
        &["W1", "W3", "P7"],
        FEW,
    ),
    row("alloc-imports", "S7: modules imported, dropped and imported again", &["S7"], FEW),
    row(
        "alloc-threads",
        "S9, S15: threads with locks and thread-local values start and end",
        &["S9", "S15"],
        FEW,
    ),
    row(
        "alloc-unwind",
        "exceptions through frames with handlers, groups, context managers and callbacks of C",
        &[],
        MANY,
    ),
    row("alloc-classes", "classes made, specialised __init__, slots, properties, descriptors", &[], MANY),
    row("alloc-exec", "S7: fresh code compiled, run, and replaced while it runs", &["S7"], MANY),
    row(
        "alloc-deep",
        "S20: recursion across data-stack chunks, in plain, generator and C calls",
        &["S20"],
        FEW,
    ),
    row(
        "alloc-trace",
        "S16: tracing and profiling switched on and off in the middle of calls",
        &["S16"],
        MANY,
    ),
    row("alloc-interpreters", "S13: interpreters made, run and ended on this thread", &["S13"], FEW),
    Target {
        end: End::Finalizes,
        ..row(
            "alloc-finalize",
            "S11: destructors, callbacks, suspended generators and daemon threads at finalisation",
            &["S11"],
            MANY,
        )
    },
];

//! S: windows in which a thread's frames, or its thread state, are not what they seem.

use super::{Cover, Row};

/// The rows.
pub const ALL: &[Row] = &[
    Row::by(
        "S1",
        "a generator is made where its frame needs a new chunk: the head is in memory that is gone",
        &[],
    ),
    Row::by(
        "S2",
        "entry into the evaluation loop, up to 3.12: the record on the C stack is not filled in",
        &[],
    ),
    Row::by("S3", "inlined call, up to 3.12: the new frame's `previous` is what the memory held before", &[]),
    Row::by("S4", "a popped frame's memory is another frame's middle", &[]),
    Row::by("S5", "data-stack chunks are unmapped while another thread reads them", &[]),
    Row::by("S6", "entry frames on a C stack that has been left, abnormally too", &[]),
    Row::by(
        "S7",
        "code objects that are freed and their memory reused",
        &[Cover::Test("stress/embed/tests/line_cache.rs", "a_freed_and_reused_code_object")],
    ),
    Row::by("S8", "generators closed, thrown into and freed by another thread or the collector", &[]),
    Row::by("S9", "a thread ends: its state leaves the list and is freed", &[]),
    Row::by("S10", "a thread's state is deleted by another thread: slots dangle or are empty", &[]),
    Row::by("S11", "Py_FinalizeEx while daemon threads live", &[]),
    Row::by("S12", "Py_FinalizeEx and Py_Initialize in turn", &[]),
    Row::by("S13", "interpreters are made, swapped and ended", &[]),
    Row::by("S14", "the child of a fork, before and after PyOS_AfterFork_Child", &[]),
    Row::by("S15", "a thread state is made, or got and given back by a native thread", &[]),
    Row::by("S16", "sys.settrace and sys.monitoring change code under running frames", &[]),
    Row::by("S17", "greenlets: frames are suspended while their C stack is copied away", &[]),
    Row::out(
        "S18",
        "free-threaded builds",
        "free-threaded builds are not supported yet: the layout refuses them",
    ),
    Row::out(
        "S19",
        "libpython loaded by dlopen",
        "refused at start-up: without static TLS a handler would have to call __tls_get_addr, which may allocate",
    ),
    Row::by(
        "S20",
        "legal but hostile: deep stacks, large frames, odd location tables, long and wide names",
        &[],
    ),
];

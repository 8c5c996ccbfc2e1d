//! R: what walkers and profilers outside of CPython ran into.

use super::{Cover, Row};

/// The rows.
pub const ALL: &[Row] = &[
    Row::by(
        "R1",
        "pyroscope-python #37: a byte that no variant of an enum has",
        &[Cover::Test("tests/niche.rs", "readers_return_integers_only")],
    ),
    Row::by(
        "R2",
        "pyroscope-rs #569: a slice over memory that cannot be read",
        &[Cover::Script("scripts/miri")],
    ),
    Row::by(
        "R3",
        "a loop that skips entry frames without an end",
        &[
            Cover::Program("self-cycle"),
            Cover::Test("tests/strict_walk.rs", "cycles_of_entry_frames_end_by_the_hop_budget"),
        ],
    ),
    Row::by(
        "R4",
        "a code object is resolved after it was freed",
        &[
            Cover::Program("late-symbol"),
            Cover::Test("stress/embed/tests/line_cache.rs", "a_freed_and_reused_code_object"),
        ],
    ),
    Row::by("R5", "resonance: the sampler and a short loop keep step", &[]),
    Row::by("R6", "a chunk is unmapped while it is copied", &[]),
    Row::by(
        "R7",
        "the fault handler is taken over after warm-up",
        &[Cover::Test("stress/embed/tests/takeover.rs", "adaptive_survives_whoever_owns_the_fault_signals")],
    ),
    Row::by(
        "R8",
        "the fault signal is blocked in the walking handler",
        &[Cover::Test("tests/handler_facts.rs", "a_blocked_fault_kills_a_guarded_load")],
    ),
    Row::by(
        "R9",
        ".NET #8162: nested signals on an alternate stack that is too small",
        &[Cover::Test("tests/handler_stack.rs", "a_recovered_fault_needs_one_signal_frame_more")],
    ),
    Row::out(
        "R10",
        "pprof-rs #288: the default action comes back while a signal is pending",
        "a trial ends with its process and restores no action; a profiler that stops is not part of the crate",
    ),
    Row::out(
        "R11",
        ".NET #3661: the first touch of a thread-local allocates in the handler",
        "a dlopen()ed walker or libpython is refused at start-up; what is here uses static TLS with constant initialisers",
    ),
    Row::by("R12", "a cache anchored by a frame's address", &[]),
    Row::by(
        "R13",
        "a chain that was cut counts as whole",
        &[Cover::Test("stress/src/oracle.rs", "each_kind_of_wrong_answer_has_its_verdict")],
    ),
    Row::by("R14", "gh-113037: a stale `previous` after a switch of C stacks", &[]),
    Row::by("R15", "the thread list, and a dead thread's name", &[Cover::Program("dead-thread-name")]),
    Row::out(
        "R16",
        "kibana #176537: dropped samples bias a profile",
        "no profile is made of trials; what is rejected, truncated or recovered has columns of its own",
    ),
];

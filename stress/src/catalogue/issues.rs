//! F, T, W, P and PR-R: CPython's issues.

use super::{Cover, Row};

const FREE_THREADED: &str = "free-threaded builds are not supported yet: the layout refuses them";
const NO_WALK: &str = "no walk is involved: misuse or state of the module around it";

/// The rows.
pub const ALL: &[Row] = &[
    Row::by(
        "F1",
        "gh-140815: the watchdog follows `previous` into a C stack that was left",
        &[Cover::Program("watchdog-dump")],
    ),
    Row::by(
        "F2",
        "gh-116008: a SIGUSR1 storm walks other threads under churn",
        &[Cover::Program("dump-thread-churn")],
    ),
    Row::by(
        "F3",
        "gh-131580: many watchdogs walk running threads",
        &[Cover::Program("watchdog-many-threads")],
    ),
    Row::out("F4", "gh-128400: a dump of all threads while one starts", FREE_THREADED),
    Row::by("F5", "gh-110052: a freed thread state or interpreter is read", &[]),
    Row::by("F6", "gh-123967: the head of the chain is an entry frame", &[]),
    Row::by("F7", "gh-88615: a handler that changes reference counts, under heavy deallocation", &[]),
    Row::out("F8", "gh-120837: the dump of extension modules without a thread state", FREE_THREADED),
    Row::out(
        "F9",
        "gh-143108: data races under ThreadSanitizer",
        "needs a CPython built with ThreadSanitizer",
    ),
    Row::out("F10", "gh-151475, gh-151363: the watchdog's own locks", FREE_THREADED),
    Row::out("F11", "gh-137185: backtrace() loads libgcc in a handler", "no walker here walks the C stack"),
    Row::out("F12", "gh-145792: alloca without the size of an element", "no walker here walks the C stack"),
    Row::out("F13", "gh-149590: faulthandler imported more than once", NO_WALK),
    Row::by("F14", "gh-118415: a dump while opcode tracing rewrites code (here with the GIL)", &[]),
    Row::by(
        "F15",
        "bpo-21131: the alternate stack is too small",
        &[Cover::Test(
            "tests/handler_stack.rs",
            "a_too_small_alternate_stack_kills_and_two_signal_frames_with_the_bounds_are_enough",
        )],
    ),
    Row::by(
        "F16",
        "bpo-23836: handlers that interrupt one another",
        &[Cover::Test(
            "tests/handler_every_instruction.rs",
            "a_walking_handler_may_interrupt_ours_before_any_instruction",
        )],
    ),
    Row::out("F17", "bpo-37933: cancel without a watchdog", NO_WALK),
    Row::out("F18", "gh-120696: a hang after a fatal error", FREE_THREADED),
    Row::by(
        "F19",
        "gh-149085: the main thread is lost past 100 threads",
        &[Cover::Program("main-thread-lost")],
    ),
    Row::by(
        "T1",
        "gh-128679: tracemalloc stops while native threads allocate",
        &[Cover::Program("tracemalloc-stop-race")],
    ),
    Row::out("T2", "gh-130093: the fix of T1 deadlocked", "in 3.12.9 only, and no walk is involved"),
    Row::out("T3", "gh-139116, gh-144763: tracemalloc's lock against stop-the-world", FREE_THREADED),
    Row::out("T4", "gh-126314, gh-126315: tracemalloc's snapshot against clear_traces", FREE_THREADED),
    Row::by(
        "T5",
        "gh-134604, gh-144172: file names owned by a dead interpreter",
        &[Cover::Program("tracemalloc-dead-interpreter")],
    ),
    Row::by("T6", "gh-143143: tracemalloc tracks while it stops", &[Cover::Program("tracemalloc-stop-race")]),
    Row::by("T7", "gh-96612: incomplete frames recorded in RETURN_GENERATOR", &[]),
    Row::by("W1", "gh-95818, gh-94262, gh-100126: a collection inside an incomplete frame", &[]),
    Row::by("W2", "gh-100536: a frame whose `previous` was never written", &[Cover::Field("frame.previous")]),
    Row::by("W3", "gh-99729: finalizers see a frame that is being torn down", &[]),
    Row::by(
        "W4",
        "gh-106883: sys._current_frames and the collector deadlock",
        &[Cover::Program("current-frames-deadlock")],
    ),
    Row::out("W5", "gh-117300, gh-152355: frames of running threads read unsynchronised", FREE_THREADED),
    Row::by(
        "W6",
        "gh-158364: sys._current_frames while another interpreter runs",
        &[Cover::Program("current-frames-interpreter")],
    ),
    Row::by("W7", "gh-113037: a suspended greenlet's entry frames are overwritten", &[]),
    Row::out("W8", "gh-148144: an uninitialised byte in copied frames", "in an alpha of 3.15 only"),
    Row::by("P1", "dd-trace-py #11158: frame objects that outlive their frames", &[]),
    Row::out(
        "P2",
        "dd-trace-py #16405, #16661: an allocator hook that calls Python",
        "the harm is in the hook's calls into the interpreter; a walker makes none, and workload hook walks in the same hooks",
    ),
    Row::by(
        "P3",
        "echion #85: torn copies of data-stack chunks",
        &[
            Cover::Test("tests/strict_checks.rs", "a_huge_chunk_overflows_nothing"),
            Cover::Test("tests/strict_checks.rs", "a_cycle_of_chunks_ends"),
        ],
    ),
    Row::by(
        "P4",
        "dd-trace-py #17929: another component owns the fault signals",
        &[Cover::Test("stress/embed/tests/takeover.rs", "adaptive_survives_whoever_owns_the_fault_signals")],
    ),
    Row::by("P5", "cloud-profiler-python #142: a signal while the record on the C stack is stale", &[]),
    Row::by(
        "P6",
        "sapling #1320: a code object is looked into after it died",
        &[Cover::Program("late-symbol")],
    ),
    Row::by("P7", "dd-trace-py #19856: a walk from inside a deallocation that a dying frame began", &[]),
    Row::by(
        "PR-R1",
        "gh-140739: a reader outside meets torn data",
        &[
            Cover::Field("code.co_linetable"),
            Cover::Test("tests/strict_checks.rs", "a_damaged_line_table_is_rejected"),
        ],
    ),
    Row::by("PR-R2", "gh-151424: a reader's cache is anchored by an address that is reused", &[]),
    Row::out("PR-R3", "gh-157660: an array of bytecode copies grows after it was cached", FREE_THREADED),
];

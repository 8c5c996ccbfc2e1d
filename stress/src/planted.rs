//! Walkers with a planted defect each: what proves that the suite would notice. They are no subjects of any report; the
//! campaign `planted.toml` runs each beside a sound walker, in CI, and fails unless every defect is found.
//!
//! | walker | defect | found by |
//! |---|---|---|
//! | `planted-no-skip` | incomplete frames are emitted (gh-96612, T7) | `hook`: the interpreter skips them |
//! | `planted-no-hops` | no hop budget (R3) | `signal` with a cycle of frames that are skipped: hang |
//! | `planted-stale-cache` | lines kept under the address of a code object (R12) | `hook` under code churn: wrong line |
//! | `planted-late-previous` | `previous` read after code and line (before gh-140815) | `interleave`: wrong at a smaller distance |
//! | `planted-cut-is-complete` | a chain that was cut is called complete (R13) | `signal` with a cut chain: prefix |
//! | `planted-crash-1000`, `-100` | dies in one trial of so many | `report compare` of the two, over `planted-rates.toml` |

mod crash;

use crash::Crash;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::heuristics::{is_incomplete, safe_addr2line, safe_get_code, safe_get_lasti};
use sigwalk::layout::Head;
use sigwalk::reader::{Fault, Reader};
use sigwalk::walk::{EXTRA_HOPS, End, Rejected, Request, Site, Stop, Truncated, Walk, strict};
use sigwalk::walkers::{Entry, Walker, unregistered};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// All of them.
pub const ALL: &[Entry] = &[
    unregistered::<Plain<false, true, false>>(
        "planted-no-skip",
        "planted defect: incomplete frames are emitted",
    ),
    unregistered::<Plain<true, false, false>>("planted-no-hops", "planted defect: no hop budget"),
    unregistered::<StaleCache>(
        "planted-stale-cache",
        "planted defect: lines by the address of a code object",
    ),
    unregistered::<Plain<true, true, true>>(
        "planted-late-previous",
        "planted defect: `previous` is read last",
    ),
    unregistered::<CutIsComplete>(
        "planted-cut-is-complete",
        "planted defect: a cut chain is called complete",
    ),
    unregistered::<Crash<1000>>("planted-crash-1000", "planted defect: dies in one trial of a thousand"),
    unregistered::<Crash<100>>("planted-crash-100", "planted defect: dies in one trial of a hundred"),
];

/// The defective walker of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// One pass over the chain with CPython's own checks: skips incomplete frames, counts hops, reads `previous` late.
struct Plain<const SKIP: bool, const HOPS: bool, const LATE: bool>;

impl<const SKIP: bool, const HOPS: bool, const LATE: bool> Walker for Plain<SKIP, HOPS, LATE> {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let mut hops = 0;
        let end = match plain::<R, SKIP, HOPS, LATE>(reader, request, out, &mut hops) {
            Ok(()) => End::Complete,
            Err(Stop(end)) => end,
        };
        Walk { end, hops }
    }
}

fn at<T>(result: Result<T, Fault>) -> Result<T, Stop> {
    result.map_err(|fault| Truncated::Fault(Site::FramePrevious, fault).into())
}

fn plain<R: Reader, const SKIP: bool, const HOPS: bool, const LATE: bool>(
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
    hops: &mut u32,
) -> Result<(), Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout.frame;
    let mut frame = match interpreter.layout.thread.head {
        Head::Direct { current_frame } => at(reader.addr_at(request.tstate, current_frame))?,
        Head::Cframe { cframe, current_frame } => {
            let cframe = at(reader.addr_at(request.tstate, cframe))?;
            at(reader.addr_at(cframe, current_frame))?
        }
    };
    let previous = |frame: Addr| at(reader.addr_at(frame, layout.previous));
    while !frame.is_null() {
        *hops = hops.wrapping_add(1);
        if HOPS && *hops > out.capacity() as u32 + EXTRA_HOPS {
            return Err(Truncated::HopBudget.into());
        }
        let mut next = if LATE { Addr::NULL } else { previous(frame)? };
        let entry = layout
            .entry_owner
            .is_some_and(|entry| at(reader.u8_at(frame, layout.owner)).is_ok_and(|owner| owner >= entry));
        if !entry {
            let code = safe_get_code(reader, interpreter, frame)?;
            if !SKIP || code.is_none() || !is_incomplete(reader, interpreter, frame)? {
                let code = code.ok_or(Rejected::NoCode)?;
                let lasti = safe_get_lasti(reader, interpreter, frame)?;
                let line = safe_addr2line(reader, interpreter, code, lasti)?;
                if !out.push(Frame { frame, code, lasti, line }) {
                    return Err(Truncated::BufferFull.into());
                }
            }
        }
        if LATE {
            next = previous(frame)?;
        }
        frame = next;
    }
    Ok(())
}

/// The strict walk, and lines from a table whose key is an address that may be another function's by now.
struct StaleCache;

const SLOTS: usize = 4096;
static KEYS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
static LINES: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

impl Walker for StaleCache {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = strict::walk(reader, request, out);
        for frame in out.filled() {
            let key = frame.code.get() ^ (frame.lasti as u64) << 48;
            let slot = (crate::hash::mix(key) % SLOTS as u64) as usize;
            if KEYS[slot].swap(key, Relaxed) == key {
                frame.line = LINES[slot].load(Relaxed) as i32;
            } else {
                LINES[slot].store(frame.line as u64, Relaxed);
            }
        }
        walk
    }
}

/// The strict walk, which calls every chain's end complete.
struct CutIsComplete;

impl Walker for CutIsComplete {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = strict::walk(reader, request, out);
        match walk.end {
            End::Truncated(Truncated::ChainCut) => Walk { end: End::Complete, ..walk },
            _ => walk,
        }
    }
}

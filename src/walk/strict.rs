//! The strict policy: nothing that was read is believed before it was checked, and a whole chain is told from a cut or a
//! torn one.
//!
//! Two passes. The first only follows the chain and keeps the three words of each frame: on a running thread the answer
//! is exact while fewer than about 30 of its instructions pass between two reads, so nothing else is read in between.
//! Then the head is read again. The second pass, over memory that changes far more slowly (code objects), checks code,
//! instruction pointer and completeness, and looks lines up.
//!
//! Checked of a frame: shape of the pointer; owner in this version's range; a data-stack frame lies in the live part of
//! its thread's chunks, and no other frame does. Of the code: shape, type by pointer comparison, a reference count that a live object can have.
//! Of the instruction pointer: inside the bytecode, even; RESUME inside it, too. Of the chain: its end is the end that this version's chains
//! have; the hop budget.

mod chain;
mod data_stack;
mod judge;
mod line;
mod tables;

use super::{At, EXTRA_HOPS, End, Rejected, Request, Site, Stop, Truncated, Walk};
use crate::addr::Addr;
use crate::checks::{Check, Checks, Every};
use crate::frame::{Frame, FrameBuf};
use crate::reader::Reader;

const OWNER_THREAD: u8 = 0;
const OWNER_GENERATOR: u8 = 1;
const OWNER_LAST_PYTHON: u8 = 2;

/// Walks with the strict policy, innermost frame first, into `out`.
///
/// # Signal safety
///
/// Loads through `reader` and nothing else: as signal-safe as the reader is. At most one hop a frame of the buffer and
/// [`EXTRA_HOPS`], twice that many steps from chunk to chunk, and one scan of a line table of at most 1 MiB a frame. With a
/// buffer on the handler's stack: 24 bytes a frame.
///
/// # Example
///
/// A thread state that is not there is a walk that says so. (`Interpreter::read` makes the interpreter of a live process.)
///
/// ```
/// # use sigwalk::heuristics::Era;
/// # use sigwalk::interpreter::Interpreter;
/// # use sigwalk::layout::{Layout, Version};
/// use sigwalk::addr::Addr;
/// use sigwalk::frame::{Frame, FrameBuf};
/// use sigwalk::reader::{FaultKind, ImageReader};
/// use sigwalk::walk::{Detail, Request, strict};
///
/// let version = Version::from_hex(0x030f_00f0); // Py_Version of 3.15.0
/// # let interpreter = Interpreter {
/// #     layout: Layout::constants(version).unwrap(),
/// #     runtime: Addr::NULL,
/// #     code_type: Addr::new(0x90_0000),
/// #     unicode_type: Addr::new(0x90_1000),
/// #     bytes_type: Addr::new(0x90_2000),
/// #     era: Era::of(version),
/// # };
/// let nothing_mapped = ImageReader::new(&[]);
/// let mut frames = [Frame::default(); 64];
/// let mut out = FrameBuf::new(&mut frames);
/// let request = Request::new(&interpreter, Addr::new(0x1000), Detail::Line);
/// let walk = strict::walk(&nothing_mapped, &request, &mut out);
/// assert!(matches!(walk.fault(), Some((_, FaultKind::Unmapped))));
/// assert!(out.frames().is_empty());
/// ```
pub fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
    walk_confirmed::<R, 1>(reader, request, out)
}

/// [`walk`] with some of its checks.
///
/// # Signal safety
///
/// As [`walk`], where its hop and chunk budgets are among the checks: without them a cycle is followed for ever. Without the
/// bounds of line tables, a table that was damaged is looked at as far as it leads.
#[inline(always)]
pub fn walk_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Walk {
    walk_confirmed_by::<C, R, 1>(checks, reader, request, out)
}

/// As [`walk`], but the chain is collected `COLLECTS` times back to back, and believed only when all of them are equal:
/// [`Rejected::Unstable`] otherwise. Equal collects are no proof. A chain that comes round to what it was between two
/// collects passes (ABA), and a loop whose period resonates with the walk makes that happen again and again. A pause
/// between the collects makes it worse.
///
/// # Signal safety
///
/// As [`walk`], with `COLLECTS` times the hops.
pub fn walk_confirmed<R: Reader, const COLLECTS: u32>(
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Walk {
    walk_confirmed_by::<Every, R, COLLECTS>(Every, reader, request, out)
}

#[inline(always)]
fn walk_confirmed_by<C: Checks, R: Reader, const COLLECTS: u32>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Walk {
    // A reader that is used again may have copies of an earlier walk.
    reader.forget();
    let mut hops = 0;
    let mut chain = chain::follow::<C, R, false>(checks, reader, request, out, &mut hops);
    for _ in 1..COLLECTS {
        // A buffer that is full holds a collect, too: of the innermost frames.
        if ended_well(chain) {
            let (before, collected) = (chain, out.frames().len());
            out.clear();
            reader.forget();
            hops = 0;
            chain = chain::follow::<C, R, true>(checks, reader, request, out, &mut hops);
            if ended_well(chain) && (chain != before || out.frames().len() != collected) {
                chain = Err(Rejected::Unstable.into());
            }
        }
    }
    let judged = judge::judge(checks, reader, request, out);
    // What the second pass finds is further in, so it decides; then why the chain ended.
    let end = match judged.and(chain) {
        Ok(()) => End::Complete,
        Err(Stop(end)) => end,
    };
    Walk { end, hops }
}

/// At the chain's end, or the buffer's.
fn ended_well(chain: Result<(), Stop>) -> bool {
    matches!(chain, Ok(()) | Err(Stop(End::Truncated(Truncated::BufferFull))))
}

/// Whether the frames that the first pass keeps are of no more than 8 bytes' alignment and known owners.
#[inline(always)]
fn fits<C: Checks>(checks: C) -> bool {
    checks.has(Check::FrameShape) && checks.has(Check::Owner)
}

/// Where else the owner goes: no address that was loaded from has a bit there.
const OWNER_SHIFT: u32 = 56;

/// Frame pointers are 8-aligned, so the owner fits into the low bits, and where that is not checked into the highest; the
/// instruction pointer into lasti and line.
#[inline(always)]
fn pack<C: Checks>(checks: C, frame: Addr, owner: u8, executable: Addr, instruction: Addr) -> Frame {
    let bits = instruction.get();
    let owner = if fits(checks) { u64::from(owner) } else { u64::from(owner) << OWNER_SHIFT };
    Frame {
        frame: Addr::new(frame.get() | owner),
        code: executable,
        lasti: bits as i32,
        line: (bits >> 32) as i32,
    }
}

#[inline(always)]
fn unpack<C: Checks>(checks: C, packed: Frame) -> (Addr, u8, Addr, Addr) {
    let instruction = u64::from(packed.lasti as u32) | u64::from(packed.line as u32) << 32;
    let bits = packed.frame.get();
    let (frame, owner) = match fits(checks) {
        true => (bits & !7, (bits & 7) as u8),
        false => (bits & !(0xff << OWNER_SHIFT), (bits >> OWNER_SHIFT) as u8),
    };
    (Addr::new(frame), owner, packed.code, Addr::new(instruction))
}

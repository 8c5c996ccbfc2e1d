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
mod line;

use super::{At, Detail, EXTRA_HOPS, End, Rejected, Request, Site, Stop, Truncated, Walk, head};
use crate::addr::Addr;
use crate::frame::{Frame, FrameBuf, NO_LINE};
use crate::layout::{CodeLayout, Version};
use crate::reader::Reader;
use line::Lines;

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
pub fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
    let mut hops = 0;
    let chain = chain::follow(reader, request, out, &mut hops);
    let judged = judge(reader, request, out);
    // What the second pass finds is further in, so it decides; then why the chain ended.
    let end = match judged.and(chain) {
        Ok(()) => End::Complete,
        Err(Stop(end)) => end,
    };
    Walk { end, hops }
}

/// Second pass: replaces what the first left by finished frames, dropping incomplete ones.
#[inline(always)]
fn judge<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Result<(), Stop> {
    let layout = &request.interpreter.layout;
    let judge = Judge {
        reader,
        request,
        // By value, as in the hot loop of the first pass.
        code: layout.code,
        code_type: request.interpreter.code_type,
        untag: if layout.frame.tagged { !1 } else { !0 },
        live: LiveObject::of(layout.version),
        lines: Lines::new(reader, request),
    };
    out.compact(|packed| judge.finish(packed))
}

struct Judge<'a, R> {
    reader: &'a R,
    request: &'a Request<'a>,
    code: CodeLayout,
    code_type: Addr,
    /// Takes the tag off `executable`.
    untag: u64,
    live: LiveObject,
    lines: Lines<'a, R>,
}

impl<R: Reader> Judge<'_, R> {
    #[inline(always)]
    fn finish(&self, packed: Frame) -> Result<Option<Frame>, Stop> {
        let (frame, owner, executable, instruction) = unpack(packed);
        let (reader, layout) = (self.reader, &self.code);
        let code = Addr::new(executable.get() & self.untag);
        if !code.is_pointer_shaped() {
            return Err(Rejected::CodeShape.into());
        }
        if reader.addr_at(code, layout.ob_type).at(Site::CodeType)? != self.code_type {
            return Err(Rejected::CodeType.into());
        }
        if !self.live.holds(reader.u64(code).at(Site::CodeRefcount)?) {
            return Err(Rejected::CodeRefcount.into());
        }
        let units = reader.u64_at(code, layout.units).at(Site::CodeUnits)?;
        let lasti = instruction.minus(code.plus(layout.adaptive)) as i64;
        // One comparison for both ends: a negative offset is a huge one.
        let inside = units <= MAX_UNITS && (lasti as u64) < units * 2 && lasti & 1 == 0;
        if !inside && !self.is_fresh(owner, units, lasti) {
            return Err(Rejected::Instruction.into());
        }
        if owner != OWNER_GENERATOR {
            let resume = reader.u32_at(code, layout.firsttraceable).at(Site::CodeFirsttraceable)?;
            // The shim of a specialised `__init__` (3.13+) has 3 units, and 4 here, so that it is never complete. A negative
            // number is a huge one.
            if u64::from(resume) > units + 1 {
                return Err(Rejected::Resume.into());
            }
            // Before RESUME: invisible to sys._getframe too.
            if lasti < i64::from(resume) * 2 {
                return Ok(None);
            }
        }
        let line = match self.request.detail {
            Detail::Code => NO_LINE,
            Detail::Line => self.lines.line(code, lasti as i32)?,
        };
        Ok(Some(Frame { frame, code, lasti: lasti as i32, line }))
    }

    /// A fresh frame of 3.11 and 3.12 points one unit before the code. Not a generator's, which runs only after its first
    /// instructions.
    #[cold]
    fn is_fresh(&self, owner: u8, units: u64, lasti: i64) -> bool {
        let version = self.request.interpreter.layout.version;
        units <= MAX_UNITS && lasti == -2 && owner != OWNER_GENERATOR && version.triple().1 < 13
    }
}

/// 256 MiB of bytecode: no compiler makes that, and twice the number stays far from overflow.
const MAX_UNITS: u64 = 1 << 27;

/// Whether a live object can have this first word.
///
/// A release build leaves `ob_type` of a freed object intact (pymalloc, mimalloc), so the type is no evidence of life;
/// the first word is a free-list pointer or 0. A live count is small, or the version's immortal pattern.
struct LiveObject {
    mask: u64,
    immortal: u64,
    immortals: u64,
}

impl LiveObject {
    fn of(version: Version) -> LiveObject {
        match version.triple().1 {
            11 => LiveObject { mask: u64::MAX, immortal: 0, immortals: 0 },
            12 => LiveObject { mask: u64::MAX, immortal: 0xffff_ffff, immortals: 1 },
            13 => LiveObject { mask: u64::MAX, immortal: 0xffff_ffff, immortals: 1 },
            _ => LiveObject { mask: 0x0000_ffff_ffff_ffff, immortal: 0xc000_0000, immortals: 0x4000_0000 },
        }
    }

    #[inline(always)]
    fn holds(&self, word: u64) -> bool {
        let count = word & self.mask;
        count.wrapping_sub(1) < 1 << 31 || count.wrapping_sub(self.immortal) < self.immortals
    }
}

/// Frame pointers are 8-aligned, so the owner fits into the low bits; the instruction pointer into lasti and line.
#[inline(always)]
fn pack(frame: Addr, owner: u8, executable: Addr, instruction: Addr) -> Frame {
    let bits = instruction.get();
    Frame {
        frame: Addr::new(frame.get() | u64::from(owner)),
        code: executable,
        lasti: bits as i32,
        line: (bits >> 32) as i32,
    }
}

#[inline(always)]
fn unpack(packed: Frame) -> (Addr, u8, Addr, Addr) {
    let instruction = u64::from(packed.lasti as u32) | u64::from(packed.line as u32) << 32;
    let bits = packed.frame.get();
    (Addr::new(bits & !7), (bits & 7) as u8, packed.code, Addr::new(instruction))
}

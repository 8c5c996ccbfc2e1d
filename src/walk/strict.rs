//! The strict policy: nothing that was read is believed before it was checked, and a whole chain is told from a cut or a
//! torn one.
//!
//! Two passes. The first only follows the chain and keeps the three words of each frame: on a running thread the answer
//! is exact while fewer than about 30 of its instructions pass between two reads, so nothing else is read in between.
//! Then the head is read again. The second pass, over memory that changes far more slowly (code objects), checks code,
//! instruction pointer and completeness, and looks lines up.
//!
//! Checked of a frame: shape of the pointer; owner in this version's range; a data-stack frame lies in the live part of
//! its thread's chunks. Of the code: shape, type by pointer comparison, a reference count that a live object can have.
//! Of the instruction pointer: inside the bytecode, even. Of the chain: its end is the end that this version's chains
//! have; the hop budget.

use super::{At, Detail, EXTRA_HOPS, End, Rejected, Request, Site, Stop, Truncated, Walk, head};
use crate::addr::Addr;
use crate::frame::{Frame, FrameBuf, NO_LINE};
use crate::layout::{Outermost, Version, chunk};
use crate::line_table;
use crate::reader::Reader;

const OWNER_THREAD: u8 = 0;
const OWNER_GENERATOR: u8 = 1;
const OWNER_LAST_PYTHON: u8 = 2;

/// Walks with the strict policy.
pub fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
    let mut hops = 0;
    let chain = follow(reader, request, out, &mut hops);
    let judged = judge(reader, request, out);
    // What the second pass finds is further in, so it decides; then why the chain ended.
    let end = match judged.and(chain) {
        Ok(()) => End::Complete,
        Err(Stop(end)) => end,
    };
    Walk { end, hops }
}

/// First pass: the chain. Each frame is left in `out` as (frame | owner, executable, instruction pointer).
#[inline(always)]
fn follow<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
    hops: &mut u32,
) -> Result<(), Stop> {
    let layout = &request.interpreter.layout;
    let budget = out.capacity() as u32 + EXTRA_HOPS;
    let first = head(reader, request)?;
    let base = match layout.frame.outermost {
        Outermost::BaseFrame(offset) => reader.addr(request.tstate.plus(offset)).at(Site::TstateBaseFrame)?,
        _ => Addr::NULL,
    };
    let mut stack = DataStack::of(reader, request)?;
    let (mut frame, mut last, mut last_owner) = (first, Addr::NULL, None);
    while frame != base {
        // 3.11 to 3.14: `base` is NULL and this loop ends there. 3.15: NULL before the base frame is a cut.
        if !frame.is_pointer_shaped() {
            return Err(match frame.is_null() {
                true => Truncated::ChainCut.into(),
                false => Rejected::FrameShape.into(),
            });
        }
        *hops += 1;
        if *hops > budget {
            return Err(Truncated::HopBudget.into());
        }
        let executable = reader.addr(frame.plus(layout.frame.executable)).at(Site::FrameExecutable)?;
        let instruction = reader.addr(frame.plus(layout.frame.instruction)).at(Site::FrameInstruction)?;
        let owner = reader.u8(frame.plus(layout.frame.owner)).at(Site::FrameOwner)?;
        let previous = reader.addr(frame.plus(layout.frame.previous)).at(Site::FramePrevious)?;
        if owner <= OWNER_LAST_PYTHON {
            if owner == OWNER_THREAD {
                stack.must_hold(reader, frame, layout.frame.size)?;
            }
            if !out.push(pack(frame, owner, executable, instruction)) {
                return Err(Truncated::BufferFull.into());
            }
        } else if layout.frame.entry_owner != Some(owner) {
            return Err(Rejected::Owner.into());
        }
        (last, last_owner) = (frame, Some(owner));
        frame = previous;
    }
    if head(reader, request)? != first {
        return Err(Rejected::HeadMoved.into());
    }
    // A thread without any frame is whole. Otherwise the last frame must be one that a chain can end with: `previous`
    // of a generator's frame is NULL for a moment after a yield, and a walk that meets it would call half a stack whole.
    let whole = match (layout.frame.outermost, last_owner) {
        (_, None) | (Outermost::BaseFrame(_), _) => true,
        (Outermost::EntryFrame, owner) => owner == layout.frame.entry_owner,
        (Outermost::IsEntry(offset), _) => reader.u8(last.plus(offset)).at(Site::FrameIsEntry)? == 1,
    };
    if whole { Ok(()) } else { Err(Truncated::ChainCut.into()) }
}

/// Second pass: replaces what the first left by finished frames, dropping incomplete ones.
#[inline(always)]
fn judge<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Result<(), Stop> {
    out.compact(|packed| {
        let (frame, owner, executable, instruction) = unpack(packed);
        finish(reader, request, frame, owner, executable, instruction)
    })
}

#[inline(always)]
fn finish<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    frame: Addr,
    owner: u8,
    executable: Addr,
    instruction: Addr,
) -> Result<Option<Frame>, Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout;
    let tag = if layout.frame.tagged { 1 } else { 0 };
    let code = Addr::new(executable.get() & !tag);
    if !code.is_pointer_shaped() {
        return Err(Rejected::CodeShape.into());
    }
    if reader.addr(code.plus(layout.code.ob_type)).at(Site::CodeType)? != interpreter.code_type {
        return Err(Rejected::CodeType.into());
    }
    let refcount = reader.u64(code).at(Site::CodeRefcount)?;
    if !is_live_refcount(layout.version, refcount) {
        return Err(Rejected::CodeRefcount.into());
    }
    let units = reader.u64(code.plus(layout.code.units)).at(Site::CodeUnits)?;
    let lasti = instruction.minus(code.plus(layout.code.adaptive)) as i64;
    // A fresh frame of 3.11 and 3.12 points one unit before the code.
    let fresh = if layout.version.triple().1 < 13 { -2 } else { 0 };
    if units > MAX_UNITS || lasti < fresh || lasti >= (units as i64) * 2 || lasti & 1 != 0 {
        return Err(Rejected::Instruction.into());
    }
    if owner != OWNER_GENERATOR {
        let resume = reader.u32(code.plus(layout.code.firsttraceable)).at(Site::CodeFirsttraceable)? as i32;
        // Before RESUME: invisible to sys._getframe too. `__init__` shims of 3.13+ are always here.
        if lasti < i64::from(resume) * 2 {
            return Ok(None);
        }
    }
    let line = match request.detail {
        Detail::Code => NO_LINE,
        Detail::Line => line_of(reader, request, code, lasti as i32)?,
    };
    Ok(Some(Frame { frame, code, lasti: lasti as i32, line }))
}

/// 256 MiB of bytecode: no compiler makes that, and twice the number stays far from overflow.
const MAX_UNITS: u64 = 1 << 27;

/// Whether a live object can have this first word.
///
/// A release build leaves `ob_type` of a freed object intact (pymalloc, mimalloc), so the type is no evidence of life;
/// the first word is a free-list pointer or 0. A live count is small, or the version's immortal pattern.
#[inline(always)]
fn is_live_refcount(version: Version, word: u64) -> bool {
    match version.triple().1 {
        // 3.11: a signed 64-bit count; static code objects begin at 999999999.
        11 => word.wrapping_sub(1) < 1 << 31,
        // 3.12, 3.13: 32 bits count, all ones is immortal; the upper half is zero.
        12 | 13 => word.wrapping_sub(1) < 1 << 31 || word == 0xffff_ffff,
        // 3.14+: 32 bits count, immortal from 0xC0000000 on; 16 bits overflow, zero here; 16 bits flags.
        _ => {
            let (count, overflow) = (word as u32, (word >> 32) as u16);
            overflow == 0 && (count.wrapping_sub(1) < 1 << 31 || count >= 0xc000_0000)
        }
    }
}

fn line_of<R: Reader>(reader: &R, request: &Request<'_>, code: Addr, lasti: i32) -> Result<i32, Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout;
    let first = reader.u32(code.plus(layout.code.firstlineno)).at(Site::CodeFirstlineno)? as i32;
    let table = reader.addr(code.plus(layout.code.linetable)).at(Site::CodeLinetable)?;
    if !table.is_pointer_shaped()
        || reader.addr(table.plus(layout.code.ob_type)).at(Site::LinetableType)? != interpreter.bytes_type
    {
        return Err(Rejected::Linetable.into());
    }
    let len = reader.u64(table.plus(layout.text.bytes_size)).at(Site::LinetableSize)?;
    match line_table::line_at(reader, table.plus(layout.text.bytes_data), len, first, lasti) {
        Ok(line) => Ok(line.or_minus_one()),
        Err(line_table::LineError::Fault(fault)) => Err(fault).at(Site::Linetable),
        Err(_) => Err(Rejected::Linetable.into()),
    }
}

/// The live part of the thread's data stack, one chunk at a time, walked outward along with the frames.
struct DataStack {
    from: Addr,
    to: Addr,
    outward: Addr,
    chunks: u32,
}

impl DataStack {
    #[inline(always)]
    fn of<R: Reader>(reader: &R, request: &Request<'_>) -> Result<Self, Stop> {
        let chunk = request.tstate.plus(request.interpreter.layout.thread.datastack_chunk);
        let current = reader.addr(chunk).at(Site::TstateDatastack)?;
        // datastack_top follows; the current chunk's own `top` is not kept up to date.
        let top = reader.addr(chunk.plus(8)).at(Site::TstateDatastack)?;
        let mut stack = DataStack { from: Addr::NULL, to: Addr::NULL, outward: Addr::NULL, chunks: 0 };
        if current.is_pointer_shaped() {
            stack.from = current.plus(chunk::DATA);
            stack.to = top;
            stack.outward = reader.addr(current.plus(chunk::PREVIOUS)).at(Site::Chunk)?;
        }
        Ok(stack)
    }

    /// Rejects a frame that is in no live part: popped, or in memory that the thread has given back.
    #[inline(always)]
    fn must_hold<R: Reader>(&mut self, reader: &R, frame: Addr, size: u32) -> Result<(), Stop> {
        while !(frame >= self.from && frame.plus(size) <= self.to) {
            self.step_outward(reader)?;
        }
        Ok(())
    }

    #[cold]
    fn step_outward<R: Reader>(&mut self, reader: &R) -> Result<(), Stop> {
        let next = self.outward;
        self.chunks += 1;
        // A stack of 2^16 chunks of at least 16 KiB would be 1 GiB of frames.
        if !next.is_pointer_shaped() || self.chunks > 1 << 16 {
            return Err(Rejected::OutsideDataStack.into());
        }
        let slots = reader.u64(next.plus(chunk::TOP)).at(Site::Chunk)?;
        self.from = next.plus(chunk::DATA);
        self.to = Addr::new(self.from.get().wrapping_add(slots.min(1 << 40) * 8));
        self.outward = reader.addr(next.plus(chunk::PREVIOUS)).at(Site::Chunk)?;
        Ok(())
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

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

use super::{At, Detail, EXTRA_HOPS, End, Rejected, Request, Site, Stop, Truncated, Walk, head};
use crate::addr::Addr;
use crate::frame::{Frame, FrameBuf, NO_LINE};
use crate::layout::{Outermost, Version, chunk};
use crate::line_table;
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
        Outermost::BaseFrame(offset) => reader.addr_at(request.tstate, offset).at(Site::TstateBaseFrame)?,
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
        let executable = reader.addr_at(frame, layout.frame.executable).at(Site::FrameExecutable)?;
        let instruction = reader.addr_at(frame, layout.frame.instruction).at(Site::FrameInstruction)?;
        let owner = reader.u8_at(frame, layout.frame.owner).at(Site::FrameOwner)?;
        let previous = reader.addr_at(frame, layout.frame.previous).at(Site::FramePrevious)?;
        if owner == OWNER_THREAD {
            stack.must_hold(reader, frame, layout.frame.size, *hops)?;
        } else if stack.holds(frame) {
            // Frames of generators, frame objects and evaluation loops are elsewhere: this owner byte is not true.
            return Err(Rejected::Owner.into());
        }
        if owner <= OWNER_LAST_PYTHON {
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
        // A zeroed thread state has no base frame, and is no thread without frames.
        (Outermost::BaseFrame(_), _) => !base.is_null(),
        (_, None) => true,
        (Outermost::EntryFrame, owner) => owner == layout.frame.entry_owner,
        (Outermost::IsEntry(offset), _) => reader.u8_at(last, offset).at(Site::FrameIsEntry)? == 1,
    };
    if whole { Ok(()) } else { Err(Truncated::ChainCut.into()) }
}

/// Second pass: replaces what the first left by finished frames, dropping incomplete ones.
#[inline(always)]
fn judge<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Result<(), Stop> {
    let live = LiveObject::of(request.interpreter.layout.version);
    out.compact(|packed| {
        let (frame, owner, executable, instruction) = unpack(packed);
        finish(reader, request, &live, frame, owner, executable, instruction)
    })
}

#[inline(always)]
fn finish<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    live: &LiveObject,
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
    if reader.addr_at(code, layout.code.ob_type).at(Site::CodeType)? != interpreter.code_type {
        return Err(Rejected::CodeType.into());
    }
    let refcount = reader.u64(code).at(Site::CodeRefcount)?;
    if !live.holds(refcount) {
        return Err(Rejected::CodeRefcount.into());
    }
    let units = reader.u64_at(code, layout.code.units).at(Site::CodeUnits)?;
    let lasti = instruction.minus(code.plus(layout.code.adaptive)) as i64;
    // A generator's frame runs only after its first instructions: it is never fresh.
    let first = if owner == OWNER_GENERATOR { 0 } else { live.fresh };
    if units > MAX_UNITS || lasti < first || lasti >= (units as i64) * 2 || lasti & 1 != 0 {
        return Err(Rejected::Instruction.into());
    }
    if owner != OWNER_GENERATOR {
        let resume = reader.u32_at(code, layout.code.firsttraceable).at(Site::CodeFirsttraceable)? as i32;
        // The shim of a specialised `__init__` (3.13+) has 3 units, and 4 here, so that it is never complete.
        if resume < 0 || i64::from(resume) > units as i64 + 1 {
            return Err(Rejected::Resume.into());
        }
        // Before RESUME: invisible to sys._getframe too.
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
struct LiveObject {
    mask: u64,
    immortal: u64,
    immortals: u64,
    /// A fresh frame of 3.11 and 3.12 points one unit before the code.
    fresh: i64,
}

impl LiveObject {
    fn of(version: Version) -> LiveObject {
        match version.triple().1 {
            11 => LiveObject { mask: u64::MAX, immortal: 0, immortals: 0, fresh: -2 },
            12 => LiveObject { mask: u64::MAX, immortal: 0xffff_ffff, immortals: 1, fresh: -2 },
            13 => LiveObject { mask: u64::MAX, immortal: 0xffff_ffff, immortals: 1, fresh: 0 },
            _ => LiveObject {
                mask: 0x0000_ffff_ffff_ffff,
                immortal: 0xc000_0000,
                immortals: 0x4000_0000,
                fresh: 0,
            },
        }
    }

    #[inline(always)]
    fn holds(&self, word: u64) -> bool {
        let count = word & self.mask;
        count.wrapping_sub(1) < 1 << 31 || count.wrapping_sub(self.immortal) < self.immortals
    }
}

fn line_of<R: Reader>(reader: &R, request: &Request<'_>, code: Addr, lasti: i32) -> Result<i32, Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout;
    let first = reader.u32_at(code, layout.code.firstlineno).at(Site::CodeFirstlineno)? as i32;
    let table = reader.addr_at(code, layout.code.linetable).at(Site::CodeLinetable)?;
    if !table.is_pointer_shaped()
        || reader.addr_at(table, layout.code.ob_type).at(Site::LinetableType)? != interpreter.bytes_type
    {
        return Err(Rejected::Linetable.into());
    }
    let len = reader.u64_at(table, layout.text.bytes_size).at(Site::LinetableSize)?;
    match line_table::line_at(reader, table.plus(layout.text.bytes_data), len, first, lasti) {
        Ok(line) => Ok(line.or_minus_one()),
        Err(line_table::LineError::Fault(fault)) => Err(fault).at(Site::Linetable),
        Err(_) => Err(Rejected::Linetable.into()),
    }
}

/// Not checked: that the outermost frame of a whole chain stands at the root chunk's start. It does not while a
/// destructor runs for the locals of a frame that has left the chain and is still on the stack (gh-99729).
///
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
        let top = reader.addr_at(chunk, 8).at(Site::TstateDatastack)?;
        let mut stack = DataStack { from: Addr::NULL, to: Addr::NULL, outward: Addr::NULL, chunks: 0 };
        if current.is_pointer_shaped() {
            stack.from = current.plus(chunk::DATA);
            stack.to = top;
            stack.outward = reader.addr_at(current, chunk::PREVIOUS).at(Site::Chunk)?;
        }
        Ok(stack)
    }

    /// Rejects a frame that is in no live part: popped, or in memory that the thread has given back.
    #[inline(always)]
    fn must_hold<R: Reader>(&mut self, reader: &R, frame: Addr, size: u32, hops: u32) -> Result<(), Stop> {
        while !(frame >= self.from && frame.plus(size) <= self.to) {
            self.step_outward(reader, hops)?;
        }
        Ok(())
    }

    /// Whether an address is in the live part of the chunk that the walk is in.
    #[inline(always)]
    fn holds(&self, frame: Addr) -> bool {
        (frame >= self.from) & (frame < self.to)
    }

    #[cold]
    fn step_outward<R: Reader>(&mut self, reader: &R, hops: u32) -> Result<(), Stop> {
        let next = self.outward;
        self.chunks += 1;
        // A chunk is made for a frame and goes with it, so there are no more chunks than frames, but for the root chunk and
        // one whose frame is just being taken down. A chunk that names itself as its previous once cost 2^16 steps.
        if !next.is_pointer_shaped() || self.chunks > hops + 2 {
            return Err(Rejected::OutsideDataStack.into());
        }
        let slots = reader.u64_at(next, chunk::TOP).at(Site::Chunk)?;
        self.from = next.plus(chunk::DATA);
        self.to = Addr::new(self.from.get().wrapping_add(slots.min(1 << 40) * 8));
        self.outward = reader.addr_at(next, chunk::PREVIOUS).at(Site::Chunk)?;
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

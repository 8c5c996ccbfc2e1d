//! Second pass, over memory that changes far more slowly than frames do: code objects, instruction pointers, completeness.
//!
//! Loads are not checked for faults one by one: no poison passes the check of its value, and [`Judge::why`] looks again. Where
//! that check is off, a value that is needed nevertheless is loaded by the variant that reports the fault.

use super::line::Lines;
use super::{OWNER_GENERATOR, tables, unpack};
use crate::addr::Addr;
use crate::checks::{Check, Checks};
use crate::frame::{Frame, FrameBuf, NO_LINE};
use crate::layout::{CodeLayout, Version};
use crate::reader::{POISON, Reader};
use crate::walk::head::{GROUP, codes};
use crate::walk::{At, Detail, Rejected, Request, Site, Stop};
use core::cell::Cell;
use core::ops::Range;

/// Replaces what the first pass left by finished frames, dropping incomplete ones, and looks lines up where they are asked
/// for. On an error the frames before it stay.
#[inline(always)]
pub(super) fn judge<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Result<(), Stop> {
    let judge = Judge::new(checks, reader, request);
    let lines = Lines::new(checks, reader, request);
    let frames = out.filled();
    let (mut from, mut kept) = (0, 0);
    let mut end = Ok(());
    // In groups, for readers that pay by the call. The code objects of the first group came with the head of the chain, unless the
    // walk ended before it was read again.
    while from < frames.len() && end.is_ok() {
        let to = frames.len().min(from + GROUP);
        if from > 0 {
            reader.forget();
        }
        reader.prefetch(codes(request, &frames[from..to]));
        if request.detail == Detail::Line {
            reader.prefetch(tables::of(checks, reader, request, &frames[from..to]));
        }
        let group = &mut frames[from..to];
        let (judged, dropped);
        (judged, dropped, end) = judge.group(Cell::from_mut(&mut *group).as_slice_of_cells());
        let whole =
            if dropped || kept < from { close_gaps(frames, from..from + judged, kept) } else { judged };
        if request.detail == Detail::Line {
            // Further in than what ended the group.
            if let Err((index, stop)) = fill(&lines, &mut frames[kept..kept + whole]) {
                (kept, end) = (kept + index, Err(stop));
                break;
            }
        }
        kept += whole;
        from = to;
    }
    out.keep(kept);
    end
}

/// Fills the lines of finished frames in. On an error, its index.
#[inline(always)]
fn fill<C: Checks, R: Reader>(lines: &Lines<'_, C, R>, frames: &mut [Frame]) -> Result<(), (usize, Stop)> {
    for (index, frame) in frames.iter_mut().enumerate() {
        frame.line = lines.line(frame.code, frame.lasti).map_err(|stop| (index, stop))?;
    }
    Ok(())
}

/// Address of a frame that is dropped: none that a finished frame can have.
const DROPPED: Addr = Addr::NULL;

/// Moves the finished frames of a range to `to`: how many.
#[cold]
fn close_gaps(frames: &mut [Frame], range: Range<usize>, to: usize) -> usize {
    let mut kept = to;
    for index in range {
        if frames[index].frame != DROPPED {
            frames[kept] = frames[index];
            kept += 1;
        }
    }
    kept - to
}

struct Judge<'a, C, R> {
    checks: C,
    reader: &'a R,
    request: &'a Request<'a>,
    // By value, as in the hot loop of the first pass.
    code: CodeLayout,
    code_type: Addr,
    untag: u64,
    live: LiveObject,
}

impl<'a, C: Checks, R: Reader> Judge<'a, C, R> {
    fn new(checks: C, reader: &'a R, request: &'a Request<'a>) -> Self {
        let layout = &request.interpreter.layout;
        Judge {
            checks,
            reader,
            request,
            code: layout.code,
            code_type: request.interpreter.code_type,
            untag: layout.frame.untag(),
            live: LiveObject::of(layout.version),
        }
    }

    /// Judges packed frames and finishes them in place. A frame that is dropped gets [`DROPPED`] as its address. How many were
    /// judged, and whether any was dropped.
    ///
    /// The hot loop of this pass. It is written so that everything stays in registers: words are passed on as numbers, each
    /// frame stays where it is, and what is rare is out of line. (A frame that was put together on the stack cost half of the
    /// time of the pass: its two halves of a word were loaded as one before they had left the store buffer.)
    #[inline(always)]
    fn group(&self, frames: &[Cell<Frame>]) -> (usize, bool, Result<(), Stop>) {
        let (checks, reader, untag) = (self.checks, self.reader, self.untag);
        let code_type = self.code_type.get();
        let CodeLayout { ob_type, units: ob_size, firsttraceable, adaptive, .. } = self.code;
        let mut dropped = false;
        let mut left = frames.iter();
        while let Some(place) = left.next() {
            let (frame, owner, executable, instruction) = unpack(checks, place.get());
            let code = Addr::new(executable.get() & untag);
            if checks.has(Check::CodeShape) && !code.is_pointer_shaped()
                || checks.has(Check::CodeType) && reader.u64_or_poison(code, ob_type) != code_type
            {
                return self.ended(frames, left.len(), dropped);
            }
            if checks.has(Check::Refcount) {
                let count = reader.u64_or_poison(code, 0);
                if count.wrapping_sub(1) >= MORTALS && !self.live.holds(count) {
                    return self.ended(frames, left.len(), dropped);
                }
            }
            let lasti = instruction.minus(code.plus(adaptive));
            let mut units = 0;
            if checks.has(Check::Instruction) {
                units = reader.u64_or_poison(code, ob_size);
                // One comparison for both ends and for an odd offset: a negative one is huge, and the rotation makes the lowest
                // bit the highest.
                if units > MAX_UNITS || lasti.rotate_right(1) >= units && !self.is_fresh(owner, units, lasti)
                {
                    return self.ended(frames, left.len(), dropped);
                }
            }
            if let Err(stop) = self.words_were_read(frame, executable, instruction) {
                return (frames.len() - left.len() - 1, dropped, Err(stop));
            }
            if owner != OWNER_GENERATOR {
                let resume = match checks.has(Check::Instruction) && checks.has(Check::Resume) {
                    true => u64::from(reader.u32_or_poison(code, firsttraceable)),
                    false => match self.resume(code) {
                        Ok(resume) => resume,
                        Err(stop) => return (frames.len() - left.len() - 1, dropped, Err(stop)),
                    },
                };
                // Before RESUME: invisible to sys._getframe too.
                if (lasti as i64) < (resume * 2) as i64 {
                    if checks.has(Check::Resume) && !checks.has(Check::Instruction) {
                        units = match self.units(code) {
                            Ok(units) => units,
                            Err(stop) => return (frames.len() - left.len() - 1, dropped, Err(stop)),
                        };
                    }
                    if checks.has(Check::Resume) && resume > most_resume(units) {
                        return self.ended(frames, left.len(), dropped);
                    }
                    dropped = true;
                    place.set(Frame { frame: DROPPED, ..Frame::default() });
                    continue;
                }
            }
            place.set(Frame { frame, code, lasti: lasti as i32, line: NO_LINE });
        }
        (frames.len(), dropped, Ok(()))
    }

    /// The end of a group at a frame that is not believed, `left` frames before its end.
    #[cold]
    fn ended(&self, frames: &[Cell<Frame>], left: usize, dropped: bool) -> (usize, bool, Result<(), Stop>) {
        let index = frames.len() - left - 1;
        (index, dropped, Err(self.why(frames[index].get())))
    }

    /// What is wrong with a frame: the same checks in the same order, every load told from a fault. A fault that is none
    /// any more (the page came back meanwhile) is a word that was not what it is now.
    #[cold]
    #[inline(never)]
    fn why(&self, packed: Frame) -> Stop {
        self.examine(packed).map_or_else(|stop| stop, |()| Rejected::Unstable.into())
    }

    fn examine(&self, packed: Frame) -> Result<(), Stop> {
        let (frame, owner, executable, instruction) = unpack(self.checks, packed);
        let (reader, layout, words) = (self.reader, &self.code, &self.request.interpreter.layout.frame);
        let checks = self.checks;
        if executable.get() == POISON {
            reader.u64_at(frame, words.executable).at(Site::FrameExecutable)?;
        }
        if instruction.get() == POISON {
            reader.u64_at(frame, words.instruction).at(Site::FrameInstruction)?;
        }
        let code = Addr::new(executable.get() & self.untag);
        let expect = |holds: bool, why: Rejected| if holds { Ok(()) } else { Err(Stop::from(why)) };
        if checks.has(Check::CodeShape) {
            expect(code.is_pointer_shaped(), Rejected::CodeShape)?;
        }
        if checks.has(Check::CodeType) {
            let found = reader.addr_at(code, layout.ob_type).at(Site::CodeType)?;
            expect(found == self.code_type, Rejected::CodeType)?;
        }
        if checks.has(Check::Refcount) {
            expect(self.live.holds(reader.u64(code).at(Site::CodeRefcount)?), Rejected::CodeRefcount)?;
        }
        let mut units = 0;
        if checks.has(Check::Instruction) || checks.has(Check::Resume) {
            units = self.units(code)?;
        }
        if checks.has(Check::Instruction) {
            let lasti = instruction.minus(code.plus(layout.adaptive));
            let inside = units <= MAX_UNITS && lasti.rotate_right(1) < units;
            expect(inside || self.is_fresh(owner, units, lasti), Rejected::Instruction)?;
        }
        if checks.has(Check::Resume) {
            let resume = self.resume(code)?;
            expect(owner == OWNER_GENERATOR || resume <= most_resume(units), Rejected::Resume)?;
        }
        Ok(())
    }

    /// Loads the words of a frame again that the first pass may not have got, where no check would tell.
    #[inline(always)]
    fn words_were_read(&self, frame: Addr, executable: Addr, instruction: Addr) -> Result<(), Stop> {
        let (reader, words) = (self.reader, &self.request.interpreter.layout.frame);
        if !self.checks.has(Check::CodeShape) && executable.get() == POISON {
            reader.u64_at(frame, words.executable).at(Site::FrameExecutable)?;
        }
        if !self.checks.has(Check::Instruction) && instruction.get() == POISON {
            reader.u64_at(frame, words.instruction).at(Site::FrameInstruction)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn units(&self, code: Addr) -> Result<u64, Stop> {
        self.reader.u64_at(code, self.code.units).at(Site::CodeUnits)
    }

    /// The place of RESUME in code units. A negative number is a huge one.
    #[inline(always)]
    fn resume(&self, code: Addr) -> Result<u64, Stop> {
        let resume = self.reader.u32_at(code, self.code.firsttraceable).at(Site::CodeFirsttraceable)?;
        Ok(u64::from(resume))
    }

    /// A fresh frame of 3.11 and 3.12 points one unit before the code. Not a generator's, which runs only after its first
    /// instructions.
    #[cold]
    fn is_fresh(&self, owner: u8, units: u64, lasti: u64) -> bool {
        let version = self.request.interpreter.layout.version;
        units <= MAX_UNITS && lasti as i64 == -2 && owner != OWNER_GENERATOR && version.triple().1 < 13
    }
}

/// 256 MiB of bytecode: no compiler makes that, and twice the number stays far from overflow.
const MAX_UNITS: u64 = 1 << 27;

/// Greatest place of RESUME, in code units, of a code object of `units`: behind it for the shim of a specialised `__init__`
/// (3.13+), which has 3 and gives 4, so that it is never complete. A negative number is a huge one.
const fn most_resume(units: u64) -> u64 {
    units.saturating_add(1)
}

/// Counts of objects that can die: 1 to this. The whole first word is compared, so that a 3.14 object with flags is looked
/// at twice.
const MORTALS: u64 = 1 << 31;

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

    #[cold]
    fn holds(&self, word: u64) -> bool {
        let count = word & self.mask;
        count.wrapping_sub(1) < MORTALS || count.wrapping_sub(self.immortal) < self.immortals
    }
}

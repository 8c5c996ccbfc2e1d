//! First pass: the chain. Each frame is left in the buffer as (frame | owner, executable, instruction pointer).

use super::data_stack::DataStack;
use super::{
    At, EXTRA_HOPS, OWNER_GENERATOR, OWNER_LAST_PYTHON, OWNER_THREAD, Rejected, Request, Site, Stop,
    Truncated, pack,
};
use crate::addr::Addr;
use crate::checks::{Check, Checks};
use crate::frame::FrameBuf;
use crate::heuristics::is_entry;
use crate::layout::{FrameLayout, Outermost};
use crate::reader::{POISON, Reader};
use crate::walk::head::Head;

/// Follows the chain from the thread state. `CONFIRM`: the buffer was cleared, and holds behind its end what an earlier pass
/// collected; the first difference ends the walk as [`Rejected::Unstable`].
#[inline(always)]
pub(super) fn follow<C: Checks, R: Reader, const CONFIRM: bool>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
    hops: &mut u32,
) -> Result<(), Stop> {
    let layout = &request.interpreter.layout.frame;
    let budget = match checks.has(Check::HopBudget) {
        true => out.capacity() as u32 + EXTRA_HOPS,
        false => BOUNDLESS,
    };
    let first = Head::read(reader, request)?;
    let base = match layout.outermost {
        // Without a look at how a chain ends, NULL is the end of every one, as it is in the PR's walk.
        Outermost::BaseFrame(offset) if checks.has(Check::ChainEnd) => {
            reader.addr_at(request.tstate, offset).at(Site::TstateBaseFrame)?
        }
        _ => Addr::NULL,
    };
    let mut stack = DataStack::of(checks, reader, request, first.frame)?;
    let mut frame = first.frame;
    let mut last = None;
    // The last frame that its thread owns: which chunk the walk is in, where nothing else says so.
    let mut of_thread = None;
    let mut full = false;
    // 3.11 to 3.14: `base` is NULL and this loop ends there. 3.15: NULL before the base frame is a cut.
    while frame != base {
        // What the fast loop follows passes every check; without some of them it follows more.
        let span = match checks.has(Check::DataStack) {
            true => stack.span(layout.size),
            false => Some((Addr::NULL, 0)),
        };
        if let Some(span) = span {
            let hops_left = budget - *hops;
            let run = match stack.is_current() {
                true => {
                    run::<C, R, CONFIRM, false>(checks, reader, layout, span, frame, base, hops_left, out)
                }
                false => {
                    run::<C, R, CONFIRM, true>(checks, reader, layout, span, frame, base, hops_left, out)
                }
            };
            *hops += run.hops;
            frame = run.frame;
            if !run.same {
                return Err(Rejected::Unstable.into());
            }
            if let Some(followed) = run.last {
                last = Some((followed, OWNER_THREAD));
                of_thread = Some(followed);
                // What cannot be read is no frame's address, so that it gets here.
                if frame.get() == POISON {
                    frame = reader.addr_at(followed, layout.previous).at(Site::FramePrevious)?;
                }
            }
            if frame == base {
                break;
            }
        }
        if !frame.is_pointer_shaped() {
            if frame.is_null() {
                return Err(Truncated::ChainCut.into());
            }
            if checks.has(Check::FrameShape) {
                return Err(Rejected::FrameShape.into());
            }
        }
        *hops += 1;
        if *hops > budget {
            return Err(Truncated::HopBudget.into());
        }
        let executable = reader.addr_at(frame, layout.executable).at(Site::FrameExecutable)?;
        let instruction = reader.addr_at(frame, layout.instruction).at(Site::FrameInstruction)?;
        let owner = reader.u8_at(frame, layout.owner).at(Site::FrameOwner)?;
        let previous = reader.addr_at(frame, layout.previous).at(Site::FramePrevious)?;
        if owner == OWNER_THREAD {
            if checks.has(Check::DataStack) {
                stack.must_hold(checks, reader, frame, layout.size, *hops)?;
            }
        } else if checks.has(Check::OwnerPlace) {
            if !checks.has(Check::DataStack)
                && let Some(inner) = of_thread
            {
                stack.catch_up(checks, reader, inner, layout.size, *hops)?;
            }
            if stack.holds(frame) {
                // Frames of generators, frame objects and evaluation loops are elsewhere: this owner byte is not true.
                return Err(Rejected::Owner.into());
            }
        }
        let is_python = match owner {
            0..=OWNER_LAST_PYTHON => true,
            _ if layout.entry_owner == Some(owner) => false,
            _ if checks.has(Check::Owner) => return Err(Rejected::Owner.into()),
            _ => !is_entry(request.interpreter, owner),
        };
        if is_python {
            let packed = pack(checks, frame, owner, executable, instruction);
            let Some(place) = out.room().first_mut() else {
                full = true;
                break;
            };
            if CONFIRM && *place != packed {
                return Err(Rejected::Unstable.into());
            }
            *place = packed;
            out.advance(1);
        }
        if owner == OWNER_THREAD {
            of_thread = Some(frame);
        }
        last = Some((frame, owner));
        frame = previous;
    }
    // The innermost frames of a torn walk are as torn as all of them.
    if full {
        first.must_be_still(checks, reader, request, out.frames())?;
        return Err(Truncated::BufferFull.into());
    }
    // A thread without any frame is whole. Otherwise the last frame must be one that a chain can end with: `previous`
    // of a generator's frame is NULL for a moment after a yield, and a walk that meets it would call half a stack whole.
    let whole = match (layout.outermost, last) {
        _ if !checks.has(Check::ChainEnd) => true,
        // A zeroed thread state has no base frame, and is no thread without frames. And one that names another frame of the
        // chain would end it there: the base frame is an entry frame, in the thread state.
        (Outermost::BaseFrame(_), _) => {
            base.is_pointer_shaped()
                && layout.entry_owner == Some(reader.u8_at(base, layout.owner).at(Site::FrameOwner)?)
        }
        (_, None) => true,
        (Outermost::EntryFrame, Some((_, owner))) => layout.entry_owner == Some(owner),
        // 3.11: a generator that C code runs is an entry as well, and its `previous` is NULL for a moment after each yield. A
        // chain that really ends at one (a generator's `__next__` as a thread's function) is called cut, too.
        (Outermost::IsEntry(offset), Some((last, owner))) => {
            owner != OWNER_GENERATOR && reader.u8_at(last, offset).at(Site::FrameIsEntry)? == 1
        }
    };
    first.must_be_still(checks, reader, request, out.frames())?;
    if whole { Ok(()) } else { Err(Truncated::ChainCut.into()) }
}

/// Hops without a budget: no walk makes so many.
const BOUNDLESS: u32 = 1 << 30;

/// How far before a frame the cache lines are that will be wanted soon: some eight frames, each of two lines.
const AHEAD: u64 = 1024;

/// What [`run`] did.
struct Run {
    /// Frames that it followed, all of them emitted.
    hops: u32,
    /// The last of these.
    last: Option<Addr>,
    /// Where it stopped: not looked at yet.
    frame: Addr,
    /// No frame differs from what an earlier pass left.
    same: bool,
}

/// The hot loop: frames of the data stack, one after another in the same chunk, as in nearly every step of nearly every
/// walk. It stops, without an opinion, at whatever is not that.
///
/// Loads are not checked for faults here. A poisoned owner is none; a poisoned `previous` is in no chunk; the other two
/// words are looked at by the second pass, which no poison gets through. So a frame costs four loads, two comparisons and
/// two stores, and no more state is alive than fits into registers (with everything else in the same loop, the compiler
/// spilled most of it: twice the time a frame).
///
/// `DEEP`: in a chunk of which nothing was used lately. Frames stand one after another, the outer one at the lower address, so
/// the cache lines of those that come next can be asked for: a fifth of the time at 4096 frames, where a hop waits for them.
/// In the innermost chunk it would cost a tenth.
///
/// Without the check of the data stack it follows the thread's frames wherever they are; `base` ends a chain of 3.15 then as before.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn run<C: Checks, R: Reader, const CONFIRM: bool, const DEEP: bool>(
    checks: C,
    reader: &R,
    layout: &FrameLayout,
    (from, distance): (Addr, u64),
    first: Addr,
    base: Addr,
    hops: u32,
    out: &mut FrameBuf<'_>,
) -> Run {
    // By value: what is stored into the buffer cannot change it, and the compiler knows.
    let FrameLayout { executable, previous, instruction, owner, .. } = *layout;
    let (mut frame, mut last, mut count, mut same) = (first, Addr::NULL, 0, true);
    let room = out.room();
    let room = room.len().min(hops as usize);
    for place in &mut out.room()[..room] {
        let is_other = match (checks.has(Check::DataStack), checks.has(Check::FrameShape)) {
            // Inside the chunk and 8-aligned, in one comparison: the rotation makes the low bits the highest.
            (true, true) => frame.minus(from).rotate_right(3) > distance >> 3,
            (true, false) => frame.minus(from) > distance,
            (false, true) => !frame.is_pointer_shaped() || frame == base,
            (false, false) => frame == base,
        };
        if is_other {
            break;
        }
        if reader.u8_or_poison(frame, owner) != OWNER_THREAD {
            break;
        }
        let code = Addr::new(reader.u64_or_poison(frame, executable));
        let next = Addr::new(reader.u64_or_poison(frame, instruction));
        let packed = pack(checks, frame, OWNER_THREAD, code, next);
        if CONFIRM && *place != packed {
            same = false;
            break;
        }
        *place = packed;
        count += 1;
        last = frame;
        if DEEP {
            reader.touch(Addr::new(frame.get().wrapping_sub(AHEAD)));
            reader.touch(Addr::new(frame.get().wrapping_sub(AHEAD - 64)));
        }
        frame = Addr::new(reader.u64_or_poison(frame, previous));
    }
    out.advance(count);
    Run { hops: count as u32, last: (count > 0).then_some(last), frame, same }
}

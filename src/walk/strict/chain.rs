//! First pass: the chain. Each frame is left in the buffer as (frame | owner, executable, instruction pointer).

use super::data_stack::DataStack;
use super::{
    At, EXTRA_HOPS, OWNER_LAST_PYTHON, OWNER_THREAD, Rejected, Request, Site, Stop, Truncated, head, pack,
};
use crate::addr::Addr;
use crate::frame::FrameBuf;
use crate::layout::{FrameLayout, Outermost};
use crate::reader::Reader;

/// The words of a frame that a walk needs.
struct Words {
    executable: Addr,
    instruction: Addr,
    owner: u8,
    previous: Addr,
}

impl Words {
    #[inline(always)]
    fn of<R: Reader>(reader: &R, layout: &FrameLayout, frame: Addr) -> Result<Words, Stop> {
        Ok(Words {
            executable: reader.addr_at(frame, layout.executable).at(Site::FrameExecutable)?,
            instruction: reader.addr_at(frame, layout.instruction).at(Site::FrameInstruction)?,
            owner: reader.u8_at(frame, layout.owner).at(Site::FrameOwner)?,
            previous: reader.addr_at(frame, layout.previous).at(Site::FramePrevious)?,
        })
    }
}

#[inline(always)]
pub(super) fn follow<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
    hops: &mut u32,
) -> Result<(), Stop> {
    let layout = &request.interpreter.layout.frame;
    let budget = out.capacity() as u32 + EXTRA_HOPS;
    let first = head(reader, request)?;
    let base = match layout.outermost {
        Outermost::BaseFrame(offset) => reader.addr_at(request.tstate, offset).at(Site::TstateBaseFrame)?,
        _ => Addr::NULL,
    };
    let mut stack = DataStack::of(reader, request)?;
    let mut frame = first;
    let mut last = None;
    // 3.11 to 3.14: `base` is NULL and this loop ends there. 3.15: NULL before the base frame is a cut.
    while frame != base {
        let mut words = None;
        if let Some((from, distance)) = stack.span(layout.size) {
            let run = run(reader, layout, (from, distance), frame, budget - *hops, out);
            *hops += run.hops;
            frame = run.frame;
            last = run.last.map(|last| (last, OWNER_THREAD)).or(last);
            words = run.next?;
            if frame == base {
                break;
            }
        }
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
        let Words { executable, instruction, owner, previous } = match words {
            Some(words) => words,
            None => Words::of(reader, layout, frame)?,
        };
        if owner == OWNER_THREAD {
            stack.must_hold(reader, frame, layout.size, *hops)?;
        } else if stack.holds(frame) {
            // Frames of generators, frame objects and evaluation loops are elsewhere: this owner byte is not true.
            return Err(Rejected::Owner.into());
        }
        if owner <= OWNER_LAST_PYTHON {
            if !out.push(pack(frame, owner, executable, instruction)) {
                return Err(Truncated::BufferFull.into());
            }
        } else if layout.entry_owner != Some(owner) {
            return Err(Rejected::Owner.into());
        }
        last = Some((frame, owner));
        frame = previous;
    }
    if head(reader, request)? != first {
        return Err(Rejected::HeadMoved.into());
    }
    // A thread without any frame is whole. Otherwise the last frame must be one that a chain can end with: `previous`
    // of a generator's frame is NULL for a moment after a yield, and a walk that meets it would call half a stack whole.
    let whole = match (layout.outermost, last) {
        // A zeroed thread state has no base frame, and is no thread without frames.
        (Outermost::BaseFrame(_), _) => !base.is_null(),
        (_, None) => true,
        (Outermost::EntryFrame, Some((_, owner))) => layout.entry_owner == Some(owner),
        (Outermost::IsEntry(offset), Some((last, _))) => {
            reader.u8_at(last, offset).at(Site::FrameIsEntry)? == 1
        }
    };
    if whole { Ok(()) } else { Err(Truncated::ChainCut.into()) }
}

/// What [`run`] did.
struct Run {
    /// Frames that it followed, all of them emitted.
    hops: u32,
    /// The last of these.
    last: Option<Addr>,
    /// Where it stopped.
    frame: Addr,
    /// The words of that frame where they were read already.
    next: Result<Option<Words>, Stop>,
}

/// The hot loop: frames of the data stack, one after another in the same chunk, as in nearly every step of nearly every
/// walk. It stops, without an opinion, at whatever is not that.
///
/// A frame inside the chunk has the shape of a pointer, so two comparisons judge it; no more state is alive than fits
/// into registers (written as one loop with everything else, the compiler spilled most of it: twice the time a frame).
#[inline(always)]
fn run<R: Reader>(
    reader: &R,
    layout: &FrameLayout,
    (from, distance): (Addr, u64),
    first: Addr,
    hops: u32,
    out: &mut FrameBuf<'_>,
) -> Run {
    // By value: what is stored into the buffer cannot change it, and the compiler knows.
    let layout = *layout;
    let (mut frame, mut last, mut count) = (first, None, 0);
    let mut next = Ok(None);
    for place in out.room().iter_mut().take(hops as usize) {
        if frame.minus(from) > distance || frame.get() & 7 != 0 {
            break;
        }
        match Words::of(reader, &layout, frame) {
            Ok(words) if words.owner == OWNER_THREAD => {
                *place = pack(frame, OWNER_THREAD, words.executable, words.instruction);
                count += 1;
                last = Some(frame);
                frame = words.previous;
            }
            Ok(words) => {
                next = Ok(Some(words));
                break;
            }
            Err(stop) => {
                // The frame that could not be read was a hop as well.
                next = Err(stop);
                break;
            }
        }
    }
    out.advance(count);
    Run { hops: count as u32 + u32::from(next.is_err()), last, frame, next }
}

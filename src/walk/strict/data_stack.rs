//! The data stack of a thread, as far as a walk must know it: which addresses can hold a live frame.
//!
//! Not checked: that the outermost frame of a whole chain stands at the root chunk's start. It does not while a destructor
//! runs for the locals of a frame that has left the chain and is still on the stack (gh-99729).

use super::{At, End, Rejected, Request, Site, Stop};
use crate::addr::Addr;
use crate::checks::{Check, Checks};
use crate::layout::chunk;
use crate::reader::{Block, Reader};

/// The live part of the thread's data stack, one chunk at a time, walked outward along with the frames.
#[derive(Clone, Copy)]
pub(super) struct DataStack {
    from: Addr,
    to: Addr,
    outward: Addr,
    chunks: u32,
}

/// `DATA_STACK_CHUNK_SIZE` of CPython's pystate.c: no chunk is smaller.
const CHUNK_SIZE: u32 = 16 << 10;

/// The header and the live part of the current chunk; of a large one the end, where the innermost frames are.
#[inline(always)]
fn live(current: Addr, top: Addr) -> [Block; 2] {
    let from = current.plus(chunk::DATA);
    let bytes = top.minus(from);
    let len = if bytes & 7 == 0 { bytes.min(u64::from(2 * CHUNK_SIZE)) as u32 } else { 0 };
    let data = Addr::new(top.get().wrapping_sub(u64::from(len)));
    [Block { at: current, len: chunk::DATA }, Block { at: data, len }]
}

/// Whether there is a chunk: NULL is none.
#[inline(always)]
fn is_chunk<C: Checks>(checks: C, at: Addr) -> bool {
    if checks.has(Check::ChunkShape) { at.is_pointer_shaped() } else { !at.is_null() }
}

impl DataStack {
    #[inline(always)]
    pub(super) fn of<C: Checks, R: Reader>(
        checks: C,
        reader: &R,
        request: &Request<'_>,
        innermost: Addr,
    ) -> Result<Self, Stop> {
        let mut stack = DataStack { from: Addr::NULL, to: Addr::NULL, outward: Addr::NULL, chunks: 0 };
        if !checks.has(Check::DataStack) && !checks.has(Check::OwnerPlace) {
            return Ok(stack);
        }
        let chunk = request.tstate.plus(request.interpreter.layout.thread.datastack_chunk);
        let current = reader.addr(chunk).at(Site::TstateDatastack)?;
        // datastack_top follows; the current chunk's own `top` is not kept up to date.
        let top = reader.addr_at(chunk, 8).at(Site::TstateDatastack)?;
        if is_chunk(checks, current) {
            stack.from = current.plus(chunk::DATA);
            stack.to = top;
            let frame = Block { at: innermost, len: request.interpreter.layout.frame.size };
            let outside = !stack.holds(innermost) && innermost.is_pointer_shaped();
            reader.prefetch(live(current, top).into_iter().chain(outside.then_some(frame)));
            stack.outward = reader.addr_at(current, chunk::PREVIOUS).at(Site::Chunk)?;
        }
        Ok(stack)
    }

    /// Rejects a frame that is in no live part: popped, or in memory that the thread has given back.
    #[inline(always)]
    pub(super) fn must_hold<C: Checks, R: Reader>(
        &mut self,
        checks: C,
        reader: &R,
        frame: Addr,
        size: u32,
        hops: u32,
    ) -> Result<(), Stop> {
        while !(frame >= self.from && frame.plus(size) <= self.to) {
            self.step_outward(checks, reader, hops)?;
        }
        Ok(())
    }

    /// Moves on to the chunk that holds a frame, or stays where none does: for a walk that does not ask where frames are.
    #[cold]
    pub(super) fn catch_up<C: Checks, R: Reader>(
        &mut self,
        checks: C,
        reader: &R,
        frame: Addr,
        size: u32,
        hops: u32,
    ) -> Result<(), Stop> {
        let before = *self;
        match self.must_hold(checks, reader, frame, size, hops) {
            Err(Stop(End::Rejected(_))) => {
                *self = before;
                Ok(())
            }
            found => found,
        }
    }

    /// Whether this is the chunk that the thread pushes frames to.
    #[inline(always)]
    pub(super) fn is_current(&self) -> bool {
        self.chunks == 0
    }

    /// First address of a frame of `size` bytes in the chunk that the walk is in, and the distance of the last: a frame is
    /// inside where `frame - first <= distance`. `None` where the chunk has no room for one, or reaches where no user
    /// memory is.
    #[inline(always)]
    pub(super) fn span(&self, size: u32) -> Option<(Addr, u64)> {
        let bytes = self.to.get().checked_sub(self.from.get())?;
        let distance = bytes.checked_sub(u64::from(size))?;
        (self.from.is_pointer_shaped() && self.to.is_pointer_shaped()).then_some((self.from, distance))
    }

    /// Whether an address is in the live part of the chunk that the walk is in.
    #[inline(always)]
    pub(super) fn holds(&self, frame: Addr) -> bool {
        (frame >= self.from) & (frame < self.to)
    }

    #[cold]
    fn step_outward<C: Checks, R: Reader>(&mut self, checks: C, reader: &R, hops: u32) -> Result<(), Stop> {
        let next = self.outward;
        self.chunks += 1;
        // A chunk is made for a frame and goes with it, so there are no more chunks than frames, but for the root chunk and
        // one whose frame is just being taken down. A chunk that names itself as its previous once cost 2^16 steps.
        if !is_chunk(checks, next) || checks.has(Check::ChunkBudget) && self.chunks > hops + 2 {
            return Err(Rejected::OutsideDataStack.into());
        }
        // Chunks that were passed are not read again: their copies would leave no room for this one.
        reader.forget();
        reader.prefetch(core::iter::once(Block { at: next, len: CHUNK_SIZE }));
        let slots = reader.u64_at(next, chunk::TOP).at(Site::Chunk)?;
        self.from = next.plus(chunk::DATA);
        self.to = Addr::new(self.from.get().wrapping_add(slots.min(1 << 40) * 8));
        self.outward = reader.addr_at(next, chunk::PREVIOUS).at(Site::Chunk)?;
        Ok(())
    }
}

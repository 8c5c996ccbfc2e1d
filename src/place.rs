//! Memory for walkers that copy before they look: a fixed number of places, claimed by a walk and given back at its end.
//!
//! A handler has neither room for copies on its stack (an alternate stack may be 8 KiB) nor an allocator. The places are
//! zeroed static memory, so that one that is never claimed costs no page. A walk that finds none free says so; it waits
//! for nothing.
//!
//! # Invariant
//!
//! Of a [`Place`] only the walk that moved its `claimed` from false to true uses the cells, until it stores false again,
//! when the [`Claimed`] is dropped. A walk that is left by `longjmp` never gives its place back.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};

/// Bytes that a place can hold: four chunks of the data stack, or the code objects and line tables of a hundred frames.
pub const BYTES: usize = 64 << 10;

/// Blocks that a place can list.
pub const BLOCKS: usize = 288;

/// Walks that can copy at once, in all threads and nested handlers.
pub const PLACES: usize = 8;

struct Place {
    claimed: AtomicBool,
    cells: Cells,
}

/// What a walk gets.
#[derive(Debug)]
pub(crate) struct Cells {
    /// The copies, one after another.
    pub memory: [Cell<u64>; BYTES / 8],
    /// Address and length of each block: as the kernel's `iovec` has them.
    pub blocks: [[Cell<u64>; 2]; BLOCKS],
    /// Where in `memory` the copy of each block begins, in words.
    pub offsets: [Cell<u32>; BLOCKS],
}

// SAFETY: the module's invariant: the cells are used by one walk at a time, and the claim orders one user after another.
unsafe impl Sync for Place {}

static POOL: [Place; PLACES] = [const { Place::new() }; PLACES];

impl Place {
    const fn new() -> Place {
        Place {
            claimed: AtomicBool::new(false),
            cells: Cells {
                memory: [const { Cell::new(0) }; BYTES / 8],
                blocks: [const { [Cell::new(0), Cell::new(0)] }; BLOCKS],
                offsets: [const { Cell::new(0) }; BLOCKS],
            },
        }
    }
}

/// A claimed place, given back on drop.
#[derive(Debug)]
pub(crate) struct Claimed(&'static Place);

impl core::fmt::Debug for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Place").field("claimed", &self.claimed).finish_non_exhaustive()
    }
}

impl Claimed {
    /// A free place, if there is one.
    ///
    /// # Signal safety
    /// At most one atomic exchange a place; never waits.
    pub fn claim() -> Option<Claimed> {
        let free = |place: &&Place| {
            place.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
        };
        POOL.iter().find(free).map(Claimed)
    }

    /// The memory.
    pub fn cells(&self) -> &Cells {
        &self.0.cells
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.0.claimed.store(false, Ordering::Release);
    }
}

//! Pointers that wait for their use, and what becomes of the memory at each: the truth, told by the interpreter's own calls.
//!
//! * A code object is dead from the moment on in which the interpreter begins to take it down: it then frees what others had attached
//!   to it (`co_extra`), and tells ([`Waiting::died`]).
//! * Its block is free from the call of the allocator's `free` on, and somebody else's from the call of `malloc` on that hands out
//!   a block over its address ([`Waiting::freed`], [`Waiting::allocated`]). Allocations that pass by the interpreter's allocators
//!   are not seen: what they take counts as free.

/// Pointers of one delay that may wait at once.
pub const EACH: usize = 48;

/// Pages that are told apart. A page without a pointer that waits costs an allocation one load.
const PAGES: usize = 4096;
const PAGE: u64 = 4096;

/// What stands at a pointer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The code object that was walked.
    Alive,
    /// Nothing: it is dead, and nobody has its memory.
    Freed,
    /// Somebody else's block, which begins at the address, or does not.
    Others {
        /// Whether it begins there, as another code object's would.
        begins: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// Its own, also while it is being taken down.
    Own,
    Free,
    /// Another that begins there.
    Others(u64),
}

/// A code pointer of a walk, with what was seen of it then.
#[derive(Clone, Copy, Debug)]
pub struct Sample<S> {
    /// The pointer.
    pub code: u64,
    /// Number of the code object: none is given twice.
    pub serial: u64,
    /// Index of the delay.
    pub delay: usize,
    /// When it was walked, nanoseconds.
    pub begun: u64,
    /// When it is to be used.
    pub due: u64,
    /// What the techniques keep.
    pub seen: S,
}

#[derive(Debug)]
struct Waits<S> {
    sample: Sample<S>,
    dead: bool,
    block: Block,
}

/// All that wait.
#[derive(Debug)]
pub struct Waiting<S> {
    samples: Vec<Waits<S>>,
    of_delay: Vec<usize>,
    /// How many wait in a page.
    pages: Vec<u16>,
    soonest: u64,
}

impl<S: Copy> Waiting<S> {
    /// Room for [`EACH`] of each of so many delays; nothing is allocated later.
    pub fn new(delays: usize) -> Self {
        Waiting {
            samples: Vec::with_capacity(delays * EACH),
            of_delay: vec![0; delays],
            pages: vec![0; PAGES],
            soonest: u64::MAX,
        }
    }

    /// Whether one more of that delay may wait.
    pub fn has_room(&self, delay: usize) -> bool {
        self.of_delay[delay] < EACH
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Keeps a pointer to an object that is alive.
    pub fn keep(&mut self, sample: Sample<S>) {
        self.of_delay[sample.delay] += 1;
        self.pages[page(sample.code)] += 1;
        self.soonest = self.soonest.min(sample.due);
        self.samples.push(Waits { sample, dead: false, block: Block::Own });
    }

    /// The code object of that number is being taken down.
    pub fn died(&mut self, serial: u64) {
        for waits in self.samples.iter_mut().filter(|waits| waits.sample.serial == serial) {
            waits.dead = true;
        }
    }

    /// The allocator handed a block out.
    #[inline]
    pub fn allocated(&mut self, block: u64, size: usize) {
        let size = (size as u64).max(1);
        if self.is_near(block, size) {
            for waits in &mut self.samples {
                if waits.block != Block::Own && waits.sample.code.wrapping_sub(block) < size {
                    waits.block = Block::Others(block);
                }
            }
        }
    }

    /// The allocator got a block back.
    #[inline]
    pub fn freed(&mut self, block: u64) {
        if self.samples.is_empty() {
            return;
        }
        for waits in &mut self.samples {
            let begins = match waits.block {
                Block::Own => waits.sample.code,
                Block::Others(begins) => begins,
                Block::Free => continue,
            };
            if begins == block {
                waits.block = Block::Free;
            }
        }
    }

    /// One whose time has come, with what stands there; it waits no longer.
    #[inline]
    pub fn due(&mut self, now: u64) -> Option<(Sample<S>, Standing)> {
        if now < self.soonest {
            return None;
        }
        let at = self.samples.iter().position(|waits| waits.sample.due <= now);
        let Some(at) = at else {
            self.soonest = self.samples.iter().map(|waits| waits.sample.due).min().unwrap_or(u64::MAX);
            return None;
        };
        let Waits { sample, dead, block } = self.samples.swap_remove(at);
        self.of_delay[sample.delay] -= 1;
        self.pages[page(sample.code)] -= 1;
        let standing = match block {
            _ if !dead => Standing::Alive,
            Block::Own | Block::Free => Standing::Freed,
            Block::Others(begins) => Standing::Others { begins: begins == sample.code },
        };
        Some((sample, standing))
    }

    fn is_near(&self, block: u64, size: u64) -> bool {
        if size > PAGE * PAGES as u64 {
            return !self.samples.is_empty();
        }
        let first = block / PAGE;
        let last = block.wrapping_add(size - 1) / PAGE;
        (first..=last).any(|at| self.pages[at as usize % PAGES] > 0)
    }
}

fn page(address: u64) -> usize {
    (address / PAGE) as usize % PAGES
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: u64 = 0x7f00_0000_1040;

    fn one() -> Waiting<()> {
        let mut waiting = Waiting::new(1);
        waiting.keep(Sample { code: CODE, serial: 7, delay: 0, begun: 0, due: 10, seen: () });
        waiting
    }

    fn at_its_use(happens: impl FnOnce(&mut Waiting<()>)) -> Standing {
        let mut waiting = one();
        happens(&mut waiting);
        assert!(waiting.due(9).is_none());
        let (sample, standing) = waiting.due(10).unwrap();
        assert_eq!((sample.serial, waiting.is_empty(), waiting.has_room(0)), (7, true, true));
        standing
    }

    #[test]
    fn a_death_is_told_by_the_number_and_not_by_the_address() {
        assert_eq!(at_its_use(|_| {}), Standing::Alive);
        assert_eq!(at_its_use(|waiting| waiting.died(8)), Standing::Alive);
        assert_eq!(at_its_use(|waiting| waiting.died(7)), Standing::Freed, "it is still being taken down");
    }

    #[test]
    fn the_block_goes_from_hand_to_hand() {
        let gone = |waiting: &mut Waiting<()>| {
            waiting.died(7);
            waiting.freed(CODE);
        };
        assert_eq!(at_its_use(gone), Standing::Freed);
        let taken = |block: u64, size| {
            at_its_use(move |waiting| {
                gone(waiting);
                waiting.allocated(block, size);
            })
        };
        assert_eq!(taken(CODE, 8), Standing::Others { begins: true });
        assert_eq!(taken(CODE - 0x40, 0x41), Standing::Others { begins: false });
        assert_eq!(taken(CODE - 0x40, 0x40), Standing::Freed, "it ends where the pointer is");
        assert_eq!(taken(CODE + 1, 100), Standing::Freed);
        assert_eq!(taken(CODE - 3 * PAGE, 4 * PAGE as usize), Standing::Others { begins: false });
        assert_eq!(taken(0x1000, PAGES * PAGE as usize), Standing::Freed, "another page of the same number");
        let again = at_its_use(|waiting| {
            gone(waiting);
            waiting.allocated(CODE - 16, 64);
            waiting.freed(CODE);
            waiting.freed(CODE - 16);
        });
        assert_eq!(again, Standing::Freed);
    }

    /// A block that is handed out over a living object would be the harness's mistake (a nested call of another domain, for
    /// the same block): the object is believed.
    #[test]
    fn a_living_object_keeps_its_block() {
        assert_eq!(at_its_use(|waiting| waiting.allocated(CODE, 64)), Standing::Alive);
        let nested = at_its_use(|waiting| {
            waiting.allocated(CODE, 64);
            waiting.died(7);
        });
        assert_eq!(nested, Standing::Freed);
    }

    #[test]
    fn a_delay_has_its_own_room_and_the_soonest_comes_first() {
        let mut waiting = Waiting::new(2);
        for index in 0..EACH as u64 {
            let due = 100 - index;
            waiting.keep(Sample { code: 64 * index, serial: index, delay: 1, begun: 0, due, seen: () });
        }
        assert!(waiting.has_room(0) && !waiting.has_room(1));
        assert!(waiting.due(100 - EACH as u64).is_none());
        let (first, _) = waiting.due(101 - EACH as u64).unwrap();
        assert_eq!(first.due, 101 - EACH as u64);
        assert!(waiting.due(101 - EACH as u64).is_none());
        assert_eq!((0..).map_while(|_| waiting.due(1000)).count(), EACH - 1);
    }
}

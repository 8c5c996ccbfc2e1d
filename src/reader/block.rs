//! A reader that copies whole blocks and answers loads from the copies: for sources that pay by the call.
//!
//! What a walk will read is announced by [`Reader::prefetch`] and copied in one call. A load that nobody announced copies
//! a small block of its own: one call more, never a wrong answer. [`Reader::forget`] drops all copies.

use super::{Block, Fault, FaultKind, Reader, VmReader};
use crate::addr::Addr;
use crate::place::{BLOCKS, Cells, Claimed};
use core::cell::Cell;

/// Where blocks come from.
pub trait Source {
    /// Copies `blocks`, each an address and a length in bytes (of all but the last a multiple of 8), one after another into
    /// `into`, which has just their room: how many were copied whole. What follows the first that cannot be read need not be
    /// tried.
    ///
    /// # Errors
    /// Not even the first could be copied.
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind>;
}

impl Source for VmReader {
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        let mut left = VmReader::copy(*self, blocks, into)? as u64;
        let whole = blocks.iter().take_while(|block| {
            let len = block[1].get();
            let whole = len <= left;
            left = left.saturating_sub(len);
            whole
        });
        match whole.count() {
            0 => Err(FaultKind::Unmapped),
            count => Ok(count),
        }
    }
}

impl<S: Source> Source for &S {
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        (**self).copy(blocks, into)
    }
}

/// Blocks by another reader's loads, word by word.
#[derive(Clone, Copy, Debug)]
pub struct ByLoads<R>(pub R);

impl<R: Reader> ByLoads<R> {
    /// A word, of which `left` bytes are wanted at the most.
    #[inline]
    fn word(&self, at: Addr, left: u64) -> Result<u64, Fault> {
        if left >= 8 {
            return self.0.u64(at);
        }
        let mut bytes = [0; 8];
        let (wanted, _) = bytes.split_at_mut(left as usize);
        self.0.bytes(at, wanted)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

impl<R: Reader> Source for ByLoads<R> {
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        let mut places = into.iter();
        for (index, block) in blocks.iter().enumerate() {
            let [at, len] = [block[0].get(), block[1].get()];
            for offset in (0..len).step_by(8) {
                match self.word(Addr::new(at.wrapping_add(offset)), len - offset) {
                    Ok(word) => _ = places.next().map(|place| place.set(word)),
                    Err(fault) if index == 0 => return Err(fault.kind),
                    Err(_) => return Ok(index),
                }
            }
        }
        Ok(blocks.len())
    }
}

/// Loads out of copied blocks.
#[derive(Debug)]
pub struct BlockReader<S> {
    source: S,
    claimed: Claimed,
    /// Blocks that are copied.
    count: Cell<usize>,
    /// Words of memory that are taken.
    used: Cell<usize>,
    /// The block that the last load was in: the next one often is, too, or in the one after it.
    last: Cell<usize>,
    /// A prefetch is being put together: its own loads are answered from copies only.
    gathering: Cell<bool>,
}

/// Longest block that a load which nobody announced copies: within a page, so that it fails only where the load itself does.
const DEMAND: u64 = 256;
const PAGE: u64 = 4096;

/// Address and length, rounded outward to words.
#[inline]
const fn whole_words(at: u64, len: u64) -> (u64, u64) {
    let (from, to) = (at & !7, at.wrapping_add(len));
    (from, to.wrapping_add(7 & to.wrapping_neg()).wrapping_sub(from))
}

impl<S: Source> BlockReader<S> {
    /// A reader without copies, in a place of its own. `None` when walks that are going on hold all places for copies (8 in a process).
    #[must_use]
    pub fn new(source: S) -> Option<Self> {
        Some(BlockReader {
            source,
            claimed: Claimed::claim()?,
            count: Cell::new(0),
            used: Cell::new(0),
            last: Cell::new(0),
            gathering: Cell::new(false),
        })
    }

    /// Notes a block behind those that are there, if it fits.
    #[inline]
    fn note(&self, index: usize, used: usize, from: u64, bytes: u64) -> Option<usize> {
        let Cells { memory, blocks, offsets } = self.claimed.cells();
        let words = usize::try_from(bytes.div_ceil(8)).ok();
        let words = words.filter(|words| *words > 0 && *words <= memory.len() - used)?;
        blocks.get(index)?[0].set(from);
        blocks.get(index)?[1].set(bytes);
        offsets.get(index)?.set(used as u32);
        Some(used + words)
    }

    /// Copies the blocks from `self.count` to `count`, noted before.
    fn fetch(&self, count: usize, used: usize) -> Result<usize, FaultKind> {
        let Cells { memory, blocks, .. } = self.claimed.cells();
        let before = self.count.get();
        let (Some(wanted), Some(into)) = (blocks.get(before..count), memory.get(self.used.get()..used))
        else {
            return Ok(0);
        };
        let copied = self.source.copy(wanted, into)?;
        self.count.set(before + copied);
        self.used.set(used);
        Ok(copied)
    }

    /// Index of a block that holds `len` bytes at `at`.
    #[inline]
    fn find(&self, at: Addr, len: u64) -> Option<usize> {
        let blocks = &self.claimed.cells().blocks;
        let holds = |index: usize| {
            let [from, size] = &blocks[index];
            let offset = at.get().wrapping_sub(from.get());
            offset < size.get() && size.get() - offset >= len
        };
        let (last, count) = (self.last.get(), self.count.get());
        let near = [last, last + 1].into_iter().find(|index| *index < count.min(BLOCKS) && holds(*index));
        let found = near.or_else(|| (0..count.min(BLOCKS)).rev().find(|index| holds(*index)))?;
        self.last.set(found);
        Some(found)
    }

    /// Index of a block that holds `len` bytes at `at`, copied now if need be.
    #[inline]
    fn have(&self, at: Addr, len: u64) -> Result<usize, Fault> {
        match self.find(at, len) {
            Some(index) => Ok(index),
            None => self.demand(at, len),
        }
    }

    #[cold]
    fn demand(&self, at: Addr, len: u64) -> Result<usize, Fault> {
        let fault = |kind| Fault { at, kind };
        if self.gathering.get() {
            return Err(fault(FaultKind::Unmapped));
        }
        let copy = |(from, bytes)| {
            let noted = self.note(self.count.get(), self.used.get(), from, bytes).or_else(|| {
                self.forget();
                self.note(0, 0, from, bytes)
            });
            self.fetch(self.count.get() + 1, noted.ok_or(FaultKind::Unmapped)?)
        };
        let in_page = PAGE - (at.get() & (PAGE - 1));
        let around = whole_words(at.get(), len.max(DEMAND.min(in_page)));
        // An image may end anywhere.
        copy(around).or_else(|_| copy((at.get(), len))).map_err(fault)?;
        self.find(at, len).ok_or(fault(FaultKind::Unmapped))
    }

    /// The word of up to 8 bytes that begins at `at`, which block `index` holds.
    #[inline]
    fn word(&self, index: usize, at: Addr, len: u64) -> u64 {
        let Cells { memory, blocks, offsets } = self.claimed.cells();
        let offset = at.get().wrapping_sub(blocks[index][0].get());
        let first = offsets[index].get() as usize + (offset / 8) as usize;
        let shift = (offset % 8) * 8;
        let low = memory.get(first).map_or(0, Cell::get) >> shift;
        // The next word is looked at only where the load reaches into it.
        if shift + len * 8 <= 64 {
            low
        } else {
            low | memory.get(first + 1).map_or(0, Cell::get) << (64 - shift)
        }
    }

    #[inline]
    fn load(&self, at: Addr, len: u64) -> Result<u64, Fault> {
        Ok(self.word(self.have(at, len)?, at, len))
    }
}

impl<S: Source> Reader for BlockReader<S> {
    #[inline]
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.load(at, 8)
    }
    #[inline]
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.load(at, 4).map(|word| word as u32)
    }
    #[inline]
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.load(at, 1).map(|word| word as u8)
    }

    fn prefetch(&self, wanted: impl Iterator<Item = Block> + Clone) {
        self.gathering.set(true);
        let (before, mut count, mut used) = (self.count.get(), self.count.get(), self.used.get());
        for block in wanted {
            let (at, len) = (block.at, u64::from(block.len));
            let blocks = &self.claimed.cells().blocks;
            let noted = |index: usize| blocks[index][0].get() == at.get() && blocks[index][1].get() >= len;
            if len == 0 || self.find(at, len).is_some() || (before..count).any(noted) {
                continue;
            }
            // What does not fit is copied when it is read.
            let (from, bytes) = whole_words(at.get(), len);
            let Some(taken) = self.note(count, used, from, bytes) else { break };
            (count, used) = (count + 1, taken);
        }
        self.gathering.set(false);
        if count > before {
            let _ = self.fetch(count, used);
        }
    }

    fn forget(&self) {
        self.count.set(0);
        self.used.set(0);
        self.last.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{ImageReader, Region};

    /// Counts calls, and copies by loads.
    struct Counted<'a> {
        calls: &'a Cell<u32>,
        source: ByLoads<ImageReader<'a>>,
    }

    impl Source for Counted<'_> {
        fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
            self.calls.set(self.calls.get() + 1);
            self.source.copy(blocks, into)
        }
    }

    /// Three pages of bytes that differ, a hole, and a page.
    const LOW: u64 = 0x10000;
    const HIGH: u64 = 0x20000;

    fn with(test: impl FnOnce(&BlockReader<Counted<'_>>, &ImageReader<'_>, &Cell<u32>)) {
        let byte = |index: usize| (index * 7 + index / 256) as u8;
        let (low, high): (Vec<u8>, Vec<u8>) =
            ((0..3 * 4096).map(byte).collect(), (0..4096).map(byte).collect());
        let regions = [Region { start: LOW, bytes: &low }, Region { start: HIGH, bytes: &high }];
        let image = ImageReader::new(&regions);
        let calls = Cell::new(0);
        let reader = BlockReader::new(Counted { calls: &calls, source: ByLoads(image) }).expect("a place");
        test(&reader, &image, &calls);
    }

    fn block(at: u64, len: u32) -> Block {
        Block { at: Addr::new(at), len }
    }

    #[test]
    fn announced_blocks_cost_one_call_and_are_not_copied_twice() {
        with(|reader, image, calls| {
            let wanted = [block(LOW + 8, 100), block(HIGH, 64), block(LOW + 8, 100), block(LOW + 4096, 16)];
            reader.prefetch(wanted.into_iter());
            assert_eq!(calls.get(), 1);
            for at in [LOW + 8, LOW + 9, LOW + 100, HIGH, HIGH + 56, LOW + 4096 + 8] {
                assert_eq!(reader.u64(Addr::new(at)), image.u64(Addr::new(at)), "{at:#x}");
            }
            assert_eq!(calls.get(), 1);
            reader.prefetch(wanted.into_iter());
            assert_eq!(calls.get(), 1, "nothing is missing");
            reader.forget();
            reader.prefetch(wanted.into_iter());
            assert_eq!(calls.get(), 2, "all of it is");
        });
    }

    #[test]
    fn every_load_is_that_of_the_source_announced_or_not() {
        for announced in [false, true] {
            with(|reader, image, _| {
                if announced {
                    reader.prefetch(
                        [block(LOW + 3, 333), block(LOW + 4000, 200), block(HIGH + 4080, 16)].into_iter(),
                    );
                }
                for at in (LOW - 9..LOW + 3 * 4096 + 9).chain(HIGH - 9..HIGH + 4096 + 9).map(Addr::new) {
                    assert_eq!(reader.u64(at), image.u64(at), "{at}");
                    assert_eq!(reader.u32(at), image.u32(at), "{at}");
                    assert_eq!(reader.u8(at), image.u8(at), "{at}");
                }
            });
        }
    }

    #[test]
    fn a_block_that_cannot_be_read_hides_only_what_is_behind_it_in_its_call() {
        with(|reader, image, calls| {
            reader.prefetch([block(LOW, 8), block(LOW - 64, 8), block(HIGH, 8)].into_iter());
            assert_eq!((calls.get(), reader.u64(Addr::new(LOW))), (1, image.u64(Addr::new(LOW))));
            assert_eq!(calls.get(), 1);
            assert!(reader.u64(Addr::new(LOW - 64)).is_err());
            assert_eq!(reader.u64(Addr::new(HIGH)), image.u64(Addr::new(HIGH)));
            // The bad one was tried twice, the good one behind it copied when it was read.
            assert_eq!(calls.get(), 4);
        });
    }

    #[test]
    fn more_than_fits_is_copied_when_it_is_read() {
        with(|reader, image, _| {
            // More blocks than can be listed; and one that is larger than the memory.
            reader.prefetch((0..2 * BLOCKS as u64).map(|index| block(LOW + index * 16, 8)));
            reader.prefetch([block(LOW, u32::MAX)].into_iter());
            for round in 0..3 {
                for at in (LOW..LOW + 3 * 4096 - 8).step_by(8).map(Addr::new) {
                    assert_eq!(reader.u64(at), image.u64(at), "{at}, round {round}");
                }
            }
        });
    }

    #[test]
    fn addresses_at_the_end_of_the_world_are_errors() {
        with(|reader, _, _| {
            for at in [u64::MAX, u64::MAX - 7, u64::MAX - 4095, 0] {
                reader.prefetch([block(at, 64)].into_iter());
                assert!(reader.u64(Addr::new(at)).is_err(), "{at:#x}");
            }
        });
    }

    #[test]
    fn places_run_out_and_come_back() {
        // Other tests hold places at the same time: only the bound is certain.
        let region = [Region { start: LOW, bytes: &[1; 8] }];
        let readers: Vec<_> =
            core::iter::from_fn(|| BlockReader::new(ByLoads(ImageReader::new(&region)))).collect();
        assert!(readers.len() <= crate::place::PLACES);
        assert!(
            BlockReader::new(ByLoads(ImageReader::new(&region))).is_none()
                || readers.len() < crate::place::PLACES
        );
        drop(readers);
        while BlockReader::new(ByLoads(ImageReader::new(&region))).is_none() {
            std::thread::yield_now();
        }
    }
}

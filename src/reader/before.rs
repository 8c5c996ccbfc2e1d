//! A reader that asks before each load: a walk whose reads are a known number of the target's instructions apart, one whose
//! addresses are written down, or one of whose loads fails.

use super::{Block, Fault, FaultKind, POISON, Reader, Source, WIDE_POISON};
use crate::addr::Addr;
use crate::cpu::Avx2;
use core::cell::Cell;

/// What is asked ahead of a load, with the bytes that it is after: whether it may be made, and what it failed of if not.
pub type Hook<'a> = &'a dyn Fn(Block) -> Result<(), FaultKind>;

/// Asks `hook` ahead of each load of `reader`. As a [`Source`] it asks ahead of each block: what is behind the first that may
/// not be copied is not copied either, as when the kernel meets a hole.
///
/// # Signal safety
/// The reader's and that of what is called.
#[derive(Clone, Copy)]
pub struct Before<'a, R> {
    reader: R,
    hook: Hook<'a>,
}

impl<'a, R> Before<'a, R> {
    /// `hook` runs ahead of each load.
    #[must_use]
    pub const fn new(reader: R, hook: Hook<'a>) -> Self {
        Before { reader, hook }
    }

    #[inline]
    fn ask(&self, at: Addr, len: u32) -> Result<(), Fault> {
        (self.hook)(Block { at, len }).map_err(|kind| Fault { at, kind })
    }
}

impl<R: core::fmt::Debug> core::fmt::Debug for Before<'_, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Before").field("reader", &self.reader).finish_non_exhaustive()
    }
}

macro_rules! load {
    ($name:ident, $poison_name:ident, $type:ty) => {
        fn $name(&self, at: Addr) -> Result<$type, Fault> {
            self.ask(at, size_of::<$type>() as u32)?;
            self.reader.$name(at)
        }
        // The reader's own, so that the instruction is the one that the walker has in use.
        fn $poison_name(&self, base: Addr, offset: u32) -> $type {
            match self.ask(base.plus(offset), size_of::<$type>() as u32) {
                Ok(()) => self.reader.$poison_name(base, offset),
                Err(_) => POISON as $type,
            }
        }
    };
}

impl<R: Reader> Reader for Before<'_, R> {
    load!(u64, u64_or_poison, u64);
    load!(u32, u32_or_poison, u32);
    load!(u8, u8_or_poison, u8);

    fn u256_or_poison(&self, avx2: Avx2, base: Addr, offset: u32) -> [u64; 4] {
        match self.ask(base.plus(offset), 32) {
            Ok(()) => self.reader.u256_or_poison(avx2, base, offset),
            Err(_) => [WIDE_POISON; 4],
        }
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        self.ask(at, into.len() as u32)?;
        self.reader.bytes(at, into)
    }
    fn prefetch(&self, blocks: impl Iterator<Item = Block> + Clone) {
        self.reader.prefetch(blocks);
    }
    fn forget(&self) {
        self.reader.forget();
    }
    fn touch(&self, at: Addr) {
        self.reader.touch(at);
    }
}

impl<S: Source> Source for Before<'_, S> {
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        let (mut whole, mut words) = (0, 0);
        for [at, len] in blocks {
            match self.ask(Addr::new(at.get()), len.get() as u32) {
                Ok(()) => (whole, words) = (whole + 1, words + len.get().div_ceil(8) as usize),
                Err(fault) if whole == 0 => return Err(fault.kind),
                Err(_) => break,
            }
        }
        let (Some(blocks), Some(into)) = (blocks.get(..whole), into.get(..words)) else {
            return Err(FaultKind::Unmapped);
        };
        self.reader.copy(blocks, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{BlockReader, ByLoads, Failing, ImageReader, Region};

    const AT: u64 = 0x1000;

    fn at(offset: u64) -> Addr {
        Addr::new(AT + offset)
    }

    #[test]
    fn every_load_is_asked_for_once_with_its_bytes() {
        let region = [Region { start: AT, bytes: &[7; 64] }];
        let asked = Cell::new([(0, 0); 16]);
        let count = Cell::new(0);
        let note = |load: Block| {
            let mut all = asked.get();
            all[count.get()] = (load.at.get() - AT, load.len);
            asked.set(all);
            count.set(count.get() + 1);
            Ok(())
        };
        let reader = Before::new(ImageReader::new(&region), &note);
        let _ = (reader.u64(at(0)), reader.u32(at(8)), reader.u8(at(12)), reader.addr(at(16)));
        let _ = (reader.u64_at(at(8), 16), reader.u32_at(at(8), 24), reader.u8_at(at(8), 28));
        let _ = (reader.u64_or_poison(at(0), 40), reader.u32_or_poison(at(0), 48));
        let _ = (reader.u8_or_poison(at(0), 52), reader.bytes(at(53), &mut [0; 3]));
        let expected =
            [(0, 8), (8, 4), (12, 1), (16, 8), (24, 8), (32, 4), (36, 1), (40, 8), (48, 4), (52, 1), (53, 3)];
        assert_eq!(asked.get()[..count.get()], expected);
    }

    #[test]
    fn a_load_that_may_not_be_made_is_a_fault_or_poison() {
        let region = [Region { start: AT, bytes: &[7; 64] }];
        let reader = Before::new(ImageReader::new(&region), &|_| Err(FaultKind::Bus));
        assert_eq!(reader.u64(at(8)), Err(Fault { at: at(8), kind: FaultKind::Bus }));
        assert_eq!(reader.u64_or_poison(at(0), 8), POISON);
        assert_eq!(reader.u32_or_poison(at(0), 8), POISON as u32);
        assert_eq!(reader.u8_or_poison(at(0), 8), POISON as u8);
        if let Some(avx2) = Avx2::detect() {
            assert_eq!(reader.u256_or_poison(avx2, at(0), 0), [WIDE_POISON; 4]);
        }
        assert!(reader.bytes(at(0), &mut [0; 9]).is_err());
    }

    #[test]
    fn a_block_that_may_not_be_copied_ends_its_call() {
        let region = [Region { start: AT, bytes: &[7; 64] }];
        for nth in 1..=3 {
            let failing = Failing::transient(nth);
            let hook = |load| failing.before(load);
            let source = Before::new(ByLoads(ImageReader::new(&region)), &hook);
            let reader = BlockReader::new(source).expect("a place");
            reader.prefetch((0..3).map(|index| Block { at: at(index * 16), len: 8 }));
            assert_eq!(failing.made(), nth, "nothing behind it was asked for");
            // The failure is over, and what is missing is copied now.
            assert_eq!(reader.u64(at(32)), Ok(0x0707_0707_0707_0707));
            assert_eq!(failing.failed(), 1);
        }
    }
}

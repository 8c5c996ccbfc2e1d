//! A reader with a load budget: a walk that does not end becomes an error instead of a hang.

use super::{Block, Fault, FaultKind, Reader};
use crate::addr::Addr;
use core::cell::Cell;

/// Fails every load after the first `loads`. How an endless walk of `pr-b1` is counted without waiting for ever.
#[derive(Debug)]
pub struct Budgeted<R> {
    reader: R,
    left: Cell<u32>,
}

impl<R: Reader> Budgeted<R> {
    /// At most `loads` loads from `reader`.
    #[must_use]
    pub const fn new(reader: R, loads: u32) -> Self {
        Budgeted { reader, left: Cell::new(loads) }
    }

    /// Loads that are left.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left.get()
    }

    #[inline(always)]
    fn spend(&self, at: Addr) -> Result<(), Fault> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Fault { at, kind: FaultKind::Budget }),
        }
    }
}

impl<R: Reader> Reader for Budgeted<R> {
    #[inline(always)]
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.spend(at)?;
        self.reader.u64(at)
    }
    #[inline(always)]
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.spend(at)?;
        self.reader.u32(at)
    }
    #[inline(always)]
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.spend(at)?;
        self.reader.u8(at)
    }
    #[inline(always)]
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        self.spend(at)?;
        self.reader.bytes(at, into)
    }
    #[inline(always)]
    fn prefetch(&self, blocks: impl Iterator<Item = Block> + Clone) {
        self.reader.prefetch(blocks);
    }
    #[inline(always)]
    fn forget(&self) {
        self.reader.forget();
    }
    #[inline(always)]
    fn touch(&self, at: Addr) {
        self.reader.touch(at);
    }
}

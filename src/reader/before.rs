//! A reader that lets something happen before each load: a walk whose reads are a known number of the target's
//! instructions apart, or one of whose loads fails.

use super::{Block, Fault, Reader};
use crate::addr::Addr;

/// Calls `before` ahead of each load of `reader`.
///
/// # Signal safety
/// The reader's and that of what is called.
#[derive(Clone, Copy, Debug)]
pub struct Before<R> {
    reader: R,
    before: fn(),
}

impl<R: Reader> Before<R> {
    /// `before` runs ahead of each load.
    #[must_use]
    pub const fn new(reader: R, before: fn()) -> Self {
        Before { reader, before }
    }
}

impl<R: Reader> Reader for Before<R> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        (self.before)();
        self.reader.u64(at)
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        (self.before)();
        self.reader.u32(at)
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        (self.before)();
        self.reader.u8(at)
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        (self.before)();
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

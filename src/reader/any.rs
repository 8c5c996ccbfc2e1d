//! One of several readers, chosen at run time: so that what wraps a reader is compiled once for all of them.

use super::{ByLoads, Fault, FaultKind, GuardedReader, ImageReader, Reader, Source, VmReader};
use crate::addr::Addr;
use core::cell::Cell;

/// Where bytes come from.
///
/// # Signal safety
/// That of the reader.
#[derive(Clone, Copy, Debug)]
pub enum AnyReader<'a> {
    /// Guarded loads of this process.
    Guarded(GuardedReader),
    /// A process, through the kernel.
    Vm(VmReader),
    /// A saved image.
    Image(ImageReader<'a>),
}

macro_rules! with {
    ($self:ident, $reader:ident => $load:expr) => {
        match $self {
            AnyReader::Guarded($reader) => $load,
            AnyReader::Vm($reader) => $load,
            AnyReader::Image($reader) => $load,
        }
    };
}

impl Reader for AnyReader<'_> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        with!(self, reader => reader.u64(at))
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        with!(self, reader => reader.u32(at))
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        with!(self, reader => reader.u8(at))
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        with!(self, reader => reader.bytes(at, into))
    }
    fn u64_or_poison(&self, base: Addr, offset: u32) -> u64 {
        with!(self, reader => reader.u64_or_poison(base, offset))
    }
    fn u32_or_poison(&self, base: Addr, offset: u32) -> u32 {
        with!(self, reader => reader.u32_or_poison(base, offset))
    }
    fn u8_or_poison(&self, base: Addr, offset: u32) -> u8 {
        with!(self, reader => reader.u8_or_poison(base, offset))
    }
    fn u256_or_poison(&self, avx2: crate::cpu::Avx2, base: Addr, offset: u32) -> [u64; 4] {
        with!(self, reader => reader.u256_or_poison(avx2, base, offset))
    }
    fn touch(&self, at: Addr) {
        with!(self, reader => reader.touch(at));
    }
}

impl Source for AnyReader<'_> {
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        match self {
            AnyReader::Guarded(reader) => ByLoads(reader).copy(blocks, into),
            AnyReader::Vm(reader) => Source::copy(reader, blocks, into),
            AnyReader::Image(reader) => ByLoads(reader).copy(blocks, into),
        }
    }
}

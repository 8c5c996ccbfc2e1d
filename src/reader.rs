//! Readers: copy bytes from an address that may be anything, and may fail.
//!
//! Everything above this module is generic over [`Reader`] and monomorphised, so that the same walk runs over live
//! memory, over live memory with recovery, over another process and over an image in a fuzz target. The only pointer
//! dereferences of foreign memory are in `raw.rs` and `guarded.rs`.
//!
//! Only integers cross this boundary: a type with a niche (`bool`, an enum, a reference) filled from memory that another
//! thread writes lets the *target's bytes* choose the Rust variant, which has killed a production profiler
//! (grafana/pyroscope-python#37: byte 68 of a torn 3.11 frame was 2, not a `bool`).
//!
//! ```
//! use sigwalk::addr::Addr;
//! use sigwalk::reader::{FaultKind, GuardedReader, Reader, VmReader};
//! use sigwalk::signal;
//!
//! let word = 42_u64;
//! let (good, bad) = (Addr::new(&raw const word as u64), Addr::new(8));
//! // By one instruction, whose fault our handler turns into an error.
//! let guarded = GuardedReader::new(signal::install()?);
//! assert_eq!(guarded.u64(good), Ok(42));
//! assert_eq!(guarded.u64(bad).unwrap_err().kind, FaultKind::Unmapped);
//! // By a system call, where the kernel allows it.
//! let kernel = VmReader::own();
//! if kernel.check().is_ok() {
//!     assert_eq!(kernel.u64(good), Ok(42));
//!     assert_eq!(kernel.u64(bad).unwrap_err().at, bad);
//! }
//! # Ok::<(), signal::InstallError>(())
//! ```

mod any;
mod before;
mod block;
mod budget;
mod failing;
mod guarded;
mod image;
mod raw;
mod vm;

pub use any::AnyReader;
pub use before::{Before, Hook};
pub use block::{BlockReader, ByLoads, Source};
pub use budget::Budgeted;
pub use failing::Failing;
pub use guarded::GuardedReader;
pub(crate) use guarded::fixup_for;
pub use image::{Directory, ImageReader, Region};
pub use raw::RawReader;
pub use vm::{VmError, VmReader};

use crate::addr::Addr;
use crate::cpu::Avx2;

/// Bytes of memory that a [`BlockReader`] copies into.
pub const PLACE_BYTES: usize = crate::place::BYTES;

/// A type that is filled from foreign memory must have no niche: no bit pattern to spare, with which the memory could choose
/// the variant of an `Option` or a `Result` around it. Every load of a reader of this crate asks this while it is compiled.
///
/// ```
/// const _: () = sigwalk::reader::has_no_niche::<u32>();
/// ```
///
/// ```compile_fail
/// const _: () = sigwalk::reader::has_no_niche::<bool>();
/// ```
pub const fn has_no_niche<T>() {
    assert!(size_of::<Option<T>>() > size_of::<T>(), "a type with a niche is filled from foreign memory");
}

/// Why a load failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing readable is mapped there (SIGSEGV, or outside the image).
    Unmapped,
    /// Mapped, but the page could not be brought in (SIGBUS: a truncated file).
    Bus,
    /// The load budget of a [`Budgeted`] reader is spent: the walk would not have ended in time.
    Budget,
    /// The process that was read has exited.
    Gone,
    /// The kernel does not read for us (a [`VmReader`] without the right, or under a seccomp filter).
    Refused,
}

/// What [`Reader::u64_or_poison`] and its like give for a load that failed, cut to the width of the load.
///
/// It fits a sign-extended byte, and is no pointer, offset, owner or count of a healthy interpreter: every check that a walk
/// makes anyway fails for it.
pub const POISON: u64 = -0x5a_i64 as u64;

/// What [`Reader::u256_or_poison`] gives four times for a load that failed: in a location table, headers of entries that have
/// an svarint each, and none of them has one.
pub const WIDE_POISON: u64 = 0xefef_efef_efef_efef;

/// Bytes that a walk is about to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First byte.
    pub at: Addr,
    /// Bytes.
    pub len: u32,
}

/// A load that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// First byte that was asked for.
    pub at: Addr,
    /// Why it failed.
    pub kind: FaultKind,
}

/// Copies bytes out of the walked process.
///
/// # Signal safety
///
/// No implementation in this crate allocates, locks, calls into the interpreter or changes errno. A failed load leaves
/// nothing behind.
pub trait Reader {
    /// Loads 8 bytes.
    ///
    /// # Errors
    /// The address cannot be read.
    fn u64(&self, at: Addr) -> Result<u64, Fault>;
    /// Loads 4 bytes.
    ///
    /// # Errors
    /// The address cannot be read.
    fn u32(&self, at: Addr) -> Result<u32, Fault>;
    /// Loads 1 byte.
    ///
    /// # Errors
    /// The address cannot be read.
    fn u8(&self, at: Addr) -> Result<u8, Fault>;

    /// Fills `into` from `at`. On error the content of `into` is unspecified.
    ///
    /// # Errors
    /// Some byte of the range cannot be read.
    #[inline]
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        let mut done = 0;
        while into.len() - done >= 8 {
            let word = self.u64(Addr::new(at.get().wrapping_add(done as u64)))?;
            into[done..done + 8].copy_from_slice(&word.to_le_bytes());
            done += 8;
        }
        while done < into.len() {
            into[done] = self.u8(Addr::new(at.get().wrapping_add(done as u64)))?;
            done += 1;
        }
        Ok(())
    }

    /// Loads 8 bytes at `base + offset`: one instruction where the reader can address that way.
    ///
    /// # Errors
    /// The address cannot be read.
    #[inline(always)]
    fn u64_at(&self, base: Addr, offset: u32) -> Result<u64, Fault> {
        self.u64(base.plus(offset))
    }
    /// 4 bytes at `base + offset`.
    ///
    /// # Errors
    /// The address cannot be read.
    #[inline(always)]
    fn u32_at(&self, base: Addr, offset: u32) -> Result<u32, Fault> {
        self.u32(base.plus(offset))
    }
    /// 1 byte at `base + offset`.
    ///
    /// # Errors
    /// The address cannot be read.
    #[inline(always)]
    fn u8_at(&self, base: Addr, offset: u32) -> Result<u8, Fault> {
        self.u8(base.plus(offset))
    }
    /// A pointer at `base + offset`.
    ///
    /// # Errors
    /// The address cannot be read.
    #[inline(always)]
    fn addr_at(&self, base: Addr, offset: u32) -> Result<Addr, Fault> {
        self.u64_at(base, offset).map(Addr::new)
    }

    /// 8 bytes at `base + offset`, or [`POISON`] where they cannot be read: for a value that is checked anyway, by a check
    /// that no `POISON` passes. When the check fails, [`Reader::u64_at`] tells a fault from a value.
    #[inline(always)]
    fn u64_or_poison(&self, base: Addr, offset: u32) -> u64 {
        self.u64_at(base, offset).unwrap_or(POISON)
    }
    /// 4 bytes at `base + offset`, or [`POISON`].
    #[inline(always)]
    fn u32_or_poison(&self, base: Addr, offset: u32) -> u32 {
        self.u32_at(base, offset).unwrap_or(POISON as u32)
    }
    /// 1 byte at `base + offset`, or [`POISON`].
    #[inline(always)]
    fn u8_or_poison(&self, base: Addr, offset: u32) -> u8 {
        self.u8_at(base, offset).unwrap_or(POISON as u8)
    }

    /// 32 bytes at `base + offset` in four words, or four times [`WIDE_POISON`] where any of them cannot be read: for bytes that are
    /// checked anyway, by a check that does not pass it. `avx2` says that vector loads may be used.
    #[inline(always)]
    fn u256_or_poison(&self, avx2: Avx2, base: Addr, offset: u32) -> [u64; 4] {
        let _ = avx2;
        let mut words = [0; 4];
        for (index, word) in words.iter_mut().enumerate() {
            match self.u64_at(base, offset + index as u32 * 8) {
                Ok(loaded) => *word = loaded,
                Err(_) => return [WIDE_POISON; 4],
            }
        }
        words
    }

    /// Says which blocks will be read next. A reader that pays by the call copies those that it has no copy of, in as few
    /// calls as it can; for others it is nothing. What cannot be copied is found out when it is read.
    #[inline(always)]
    fn prefetch(&self, blocks: impl Iterator<Item = Block> + Clone) {
        let _ = blocks;
    }

    /// Says that the cache line at `at` will be wanted soon. Whatever is there, nothing happens that a program could see.
    #[inline(always)]
    fn touch(&self, at: Addr) {
        let _ = at;
    }

    /// Says that what was read before may have changed since: a reader that keeps copies drops them.
    #[inline(always)]
    fn forget(&self) {}

    /// Loads a pointer.
    ///
    /// # Errors
    /// The address cannot be read.
    #[inline(always)]
    fn addr(&self, at: Addr) -> Result<Addr, Fault> {
        self.u64(at).map(Addr::new)
    }
}

impl<R: Reader> Reader for &R {
    #[inline(always)]
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        (**self).u64(at)
    }
    #[inline(always)]
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        (**self).u32(at)
    }
    #[inline(always)]
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        (**self).u8(at)
    }
    #[inline(always)]
    fn u64_at(&self, base: Addr, offset: u32) -> Result<u64, Fault> {
        (**self).u64_at(base, offset)
    }
    #[inline(always)]
    fn u32_at(&self, base: Addr, offset: u32) -> Result<u32, Fault> {
        (**self).u32_at(base, offset)
    }
    #[inline(always)]
    fn u8_at(&self, base: Addr, offset: u32) -> Result<u8, Fault> {
        (**self).u8_at(base, offset)
    }
    #[inline(always)]
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        (**self).bytes(at, into)
    }
    #[inline(always)]
    fn u64_or_poison(&self, base: Addr, offset: u32) -> u64 {
        (**self).u64_or_poison(base, offset)
    }
    #[inline(always)]
    fn u32_or_poison(&self, base: Addr, offset: u32) -> u32 {
        (**self).u32_or_poison(base, offset)
    }
    #[inline(always)]
    fn u8_or_poison(&self, base: Addr, offset: u32) -> u8 {
        (**self).u8_or_poison(base, offset)
    }
    #[inline(always)]
    fn u256_or_poison(&self, avx2: Avx2, base: Addr, offset: u32) -> [u64; 4] {
        (**self).u256_or_poison(avx2, base, offset)
    }
    #[inline(always)]
    fn prefetch(&self, blocks: impl Iterator<Item = Block> + Clone) {
        (**self).prefetch(blocks);
    }
    #[inline(always)]
    fn forget(&self) {
        (**self).forget();
    }
    #[inline(always)]
    fn touch(&self, at: Addr) {
        (**self).touch(at);
    }
}

//! Raw loads: what every in-process walker of today does. A bad address kills the process, which is the point: crash
//! rates of raw walkers are measured with this reader, in child processes.
//!
//! # Invariant
//!
//! A `RawReader` exists only where its creator has accepted, by an `unsafe` call, that loads through it may end the
//! process. Loads are volatile: the memory may be written by the interpreter, so no load may be repeated, merged or
//! moved.
#![allow(unsafe_code)]

use super::{Fault, Reader};
use crate::addr::Addr;

/// Loads without any protection.
#[derive(Clone, Copy, Debug)]
pub struct RawReader(());

impl RawReader {
    /// A reader of the own process.
    ///
    /// # Safety
    ///
    /// The caller accepts that a load from an unmapped address is a SIGSEGV, and that racing with the owner of the
    /// memory is what it asked for.
    #[must_use]
    pub const unsafe fn new() -> Self {
        RawReader(())
    }
}

/// A hint to the processor: any address will do, and none faults.
#[inline(always)]
pub(super) fn touch(at: Addr) {
    // SAFETY: the instruction is in every x86-64, and reads nothing that a program could see.
    unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at.get() as *const i8) };
}

macro_rules! load {
    ($name:ident, $type:ty) => {
        #[inline(always)]
        fn $name(&self, at: Addr) -> Result<$type, Fault> {
            const { super::has_no_niche::<$type>() };
            // x86-64 loads at any alignment and so does the C code that this stands for; a `packed` field is how Rust
            // spells a volatile load without an alignment claim.
            #[repr(C, packed)]
            struct Unaligned($type);
            let pointer = at.get() as *const Unaligned;
            // SAFETY: the module's invariant: whoever made this reader accepted that the address may be unmapped or
            // written concurrently. All bit patterns of an integer are valid.
            Ok(unsafe { core::ptr::read_volatile(pointer) }.0)
        }
    };
}

impl Reader for RawReader {
    load!(u64, u64);
    load!(u32, u32);
    load!(u8, u8);

    #[inline(always)]
    fn touch(&self, at: Addr) {
        touch(at);
    }
}

//! What the processor and the kernel allow: asked once, then an atomic.
//!
//! `cpuid` is unprivileged and signal-safe, but under a hypervisor it traps: a microsecond and more, where a whole lookup
//! takes ten nanoseconds. So the answer is kept, and a handler that is the first to ask may well be the one who finds it out;
//! two that ask at once store the same.
//!
//! # Invariant
//!
//! An [`Avx2`] exists only where `cpuid` names AVX2 *and* the kernel saves the upper halves of the vector registers
//! (`xgetbv`): one without the other is SIGILL, or registers that another thread overwrites.
#![allow(unsafe_code)]

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering};

/// Proof that AVX2 can be used in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

const UNKNOWN: u8 = 0;
const ABSENT: u8 = 1;
const PRESENT: u8 = 2;

static AVX2: AtomicU8 = AtomicU8::new(UNKNOWN);

impl Avx2 {
    /// The proof, where there is AVX2.
    ///
    /// # Signal safety
    /// One load; `cpuid`, `xgetbv` and a store until one caller has done that.
    #[inline(always)]
    #[must_use]
    pub fn detect() -> Option<Avx2> {
        // Relaxed: the number stands for itself.
        match AVX2.load(Ordering::Relaxed) {
            PRESENT => Some(Avx2(())),
            ABSENT => None,
            _ => ask(),
        }
    }
}

#[cold]
#[inline(never)]
fn ask() -> Option<Avx2> {
    let present = supported();
    AVX2.store(if present { PRESENT } else { ABSENT }, Ordering::Relaxed);
    present.then_some(Avx2(()))
}

// `__cpuid` has become a safe function since Rust 1.88.
#[allow(unused_unsafe)]
fn supported() -> bool {
    // SAFETY: every x86-64 has `cpuid`; a leaf is asked for only after the highest one is known.
    let (highest, features) = unsafe { (__cpuid(0).eax, __cpuid(1).ecx) };
    // OSXSAVE, without which `xgetbv` is an illegal instruction, and AVX.
    const NEEDED: u32 = 1 << 27 | 1 << 28;
    if highest < 7 || features & NEEDED != NEEDED {
        return false;
    }
    // SAFETY: as above.
    let extended = unsafe { __cpuid_count(7, 0).ebx };
    extended & 1 << 5 != 0 && saved_by_the_kernel()
}

fn saved_by_the_kernel() -> bool {
    #[target_feature(enable = "xsave")]
    fn xcr0() -> u64 {
        // SAFETY: register 0 always exists where `xgetbv` does.
        unsafe { _xgetbv(0) }
    }
    // SAFETY: the caller has seen OSXSAVE. SSE and AVX state are bits 1 and 2.
    unsafe { xcr0() & 6 == 6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_std_says() {
        assert_eq!(supported(), std::is_x86_feature_detected!("avx2"));
        for _ in 0..2 {
            assert_eq!(Avx2::detect().is_some(), supported());
        }
    }
}

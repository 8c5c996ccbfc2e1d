//! What a watched process counts, for its parent to read.
//!
//! # Invariant
//!
//! A `Ledger` is zero-initialised shared memory that only atomics touch, and is never unmapped.
#![allow(unsafe_code)]

use super::kind::Kind;
use crate::shared_memory;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Labels that a ledger has room for.
pub const LABELS: usize = 128;

/// The counts of one process.
#[repr(C)]
#[derive(Debug)]
pub struct Ledger {
    /// Walks that began.
    pub begun: AtomicU64,
    /// Walks that came back.
    pub done: AtomicU64,
    /// Frames that they delivered.
    pub frames: AtomicU64,
    /// Most bytes of stack that one used.
    pub stack: AtomicU64,
    /// Walks with a violation, by kind.
    pub violations: [AtomicU64; Kind::ALL.len()],
    /// How often something was called or written, by label.
    pub touched: [AtomicU64; LABELS],
}

impl Ledger {
    /// A new one, shared with processes that are forked from now on.
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn create() -> std::io::Result<&'static Ledger> {
        // SAFETY: all-zero is a valid Ledger, which is made of atomics only.
        unsafe { shared_memory::zeroed() }
    }

    /// All counts back to zero. No process counts in it.
    pub fn clear(&self) {
        let own = [&self.begun, &self.done, &self.frames, &self.stack];
        own.into_iter()
            .chain(&self.violations)
            .chain(&self.touched)
            .for_each(|count| count.store(0, Relaxed));
    }

    /// Something was called or written so often.
    ///
    /// # Signal safety
    /// An atomic addition.
    pub fn touch(&self, label: usize, times: u64) {
        self.touched[label].fetch_add(times, Relaxed);
    }
}

/// The kinds of violations of one walk: each counts once, however often it happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen(u32);

impl Seen {
    /// Notes one.
    pub fn note(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u32;
    }

    /// Counts them.
    pub fn count(self, ledger: &Ledger) {
        for kind in Kind::ALL {
            if self.0 & 1 << *kind as u32 != 0 {
                ledger.violations[*kind as usize].fetch_add(1, Relaxed);
            }
        }
    }
}

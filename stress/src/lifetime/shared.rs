//! What a trial's process counts, in memory that its parent sees.
//!
//! # Invariant
//!
//! Zero-initialised shared memory that only atomics touch, and that is never unmapped.
#![allow(unsafe_code)]

use super::technique::NAMES;
use super::{DELAYS, Fate};
use crate::shared_memory;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Delays that really passed, kept of each delay: the last ones.
const PASSED: usize = 256;

/// Of one delay.
#[repr(C)]
#[derive(Debug)]
pub struct Uses {
    fates: [AtomicU64; 4],
    noticed: [AtomicU64; NAMES.len()],
    false_alarms: [AtomicU64; NAMES.len()],
    passed: [AtomicU64; PASSED],
}

/// Of a trial.
#[repr(C)]
#[derive(Debug)]
pub struct Shared {
    /// By delay.
    pub uses: [Uses; DELAYS.len()],
    /// Functions that the program made.
    pub made: AtomicU64,
    /// Nanoseconds that it ran.
    pub ran: AtomicU64,
}

impl Shared {
    /// New memory, for a trial that is forked later.
    ///
    /// # Errors
    /// The kernel has none.
    pub fn map() -> std::io::Result<&'static Shared> {
        // SAFETY: all-zero is a valid Shared, which is made of atomics only.
        unsafe { shared_memory::zeroed() }
    }
}

impl Uses {
    /// Counts a use.
    pub fn count(&self, fate: Fate, told: [bool; NAMES.len()], passed: u64) {
        let before: u64 = self.fates.iter().map(|count| count.load(Relaxed)).sum();
        self.passed[before as usize % PASSED].store(passed, Relaxed);
        self.fates[fate as usize].fetch_add(1, Relaxed);
        let counts = if fate == Fate::Alive { &self.false_alarms } else { &self.noticed };
        for (count, told) in counts.iter().zip(told) {
            count.fetch_add(u64::from(told), Relaxed);
        }
    }

    /// Uses by fate: alive, dead, recycled, wrong.
    pub fn fates(&self) -> [u64; 4] {
        self.fates.each_ref().map(|count| count.load(Relaxed))
    }

    /// What a technique noticed, and its false alarms.
    pub fn of(&self, technique: usize) -> (u64, u64) {
        (self.noticed[technique].load(Relaxed), self.false_alarms[technique].load(Relaxed))
    }

    /// Delays that really passed, of some.
    pub fn passed(&self) -> Vec<u64> {
        let n: u64 = self.fates().iter().sum();
        self.passed.iter().take(n as usize).map(|passed| passed.load(Relaxed)).collect()
    }
}

//! What the child that takes pages away tells its parent: what it is trying, and what it has seen.
//!
//! # Invariant
//!
//! Zero-initialised shared memory that only atomics touch, mapped for as long as the [`Shared`] lives.
#![allow(unsafe_code)]

use super::super::rows::Outcome;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One word for what is tried, one for each walker and outcome.
pub(super) struct Shared {
    words: *mut AtomicU64,
    count: usize,
}

impl Shared {
    pub(super) fn new(walkers: usize) -> Result<Shared, String> {
        let count = 1 + walkers * Outcome::COUNT;
        // SAFETY: a fresh mapping.
        let words = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                count * size_of::<AtomicU64>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if words == libc::MAP_FAILED {
            return Err(format!("a page to share: {}", std::io::Error::last_os_error()));
        }
        Ok(Shared { words: words.cast(), count })
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the module's invariant.
        unsafe { std::slice::from_raw_parts(self.words, self.count) }
    }

    /// The child is about to make this walk.
    pub(super) fn try_next(&self, index: usize) {
        self.words()[0].store(index as u64 + 1, Relaxed);
    }

    /// The walk is over: a death from here on is not its.
    pub(super) fn between(&self) {
        self.words()[0].store(0, Relaxed);
    }

    /// Which walk the child was in when it ended.
    pub(super) fn trying(&self) -> Option<usize> {
        (self.words()[0].load(Relaxed) as usize).checked_sub(1)
    }

    pub(super) fn count(&self, walker: usize, outcome: Outcome) {
        self.words()[1 + walker * Outcome::COUNT + outcome as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn counted(&self, walker: usize, outcome: Outcome) -> u64 {
        self.words()[1 + walker * Outcome::COUNT + outcome as usize].load(Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and `words` does not outlive this.
        unsafe { libc::munmap(self.words.cast(), self.count * size_of::<AtomicU64>()) };
    }
}

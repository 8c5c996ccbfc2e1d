//! Entries that a handler may read while one is appended.

use super::atomics::{AtomicU64, Ordering, array_of, constructor};

/// Words of one entry.
pub const WORDS: usize = 3;

/// An append-only list whose last entry a signal handler may read at any moment.
///
/// Entries are never overwritten, so a reader can neither see a half-written entry nor one that changes under it; the
/// price is a fixed number of entries, ever. One writer at a time (the caller holds a lock); any number of readers.
#[derive(Debug)]
pub struct Published<const N: usize> {
    entries: [[AtomicU64; WORDS]; N],
    count: AtomicU64,
}

impl<const N: usize> Published<N> {
    constructor! {
        /// An empty list.
        pub fn new() -> Self {
            Published { entries: array_of![array_of![AtomicU64::new(0); WORDS]; N], count: AtomicU64::new(0) }
        }
    }

    /// Appends an entry and publishes it. Not for concurrent callers.
    ///
    /// # Errors
    /// `Full` when all `N` entries were used.
    pub fn push(&self, words: [u64; WORDS]) -> Result<(), Full> {
        let index = self.count.load(Ordering::Relaxed);
        let entry = self.entries.get(index as usize).ok_or(Full)?;
        for (place, word) in entry.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        // Release: a reader that sees the new count sees the words. tests/loom_published.rs finds the bug when this is
        // Relaxed.
        self.count.store(index + 1, Ordering::Release);
        Ok(())
    }

    /// The entry that was published last.
    ///
    /// # Signal safety
    /// Loads only.
    pub fn last(&self) -> Option<[u64; WORDS]> {
        let count = self.count.load(Ordering::Acquire);
        let entry = self.entries.get((count as usize).wrapping_sub(1))?;
        Some(core::array::from_fn(|i| entry[i].load(Ordering::Relaxed)))
    }
}

impl<const N: usize> Default for Published<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// No entry is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

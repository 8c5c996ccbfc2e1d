//! The lock-free pieces, over `core` or, under `cfg(loom)`, over loom's model of it.
//!
//! loom does not model a signal on the same thread: the models run the handler as a second thread, which shows the
//! orderings between threads and nothing about re-entry.

mod seqlock;

pub use seqlock::Seqlock;

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Words of one entry.
pub const WORDS: usize = 3;

/// An append-only list whose last entry a signal handler may read at any moment.
///
/// Entries are never overwritten, so a reader can neither see a half-written entry nor one that changes under it; the
/// price is a fixed number of entries, ever. One writer at a time (the caller holds a lock); any number of readers.
#[derive(Debug)]
pub struct Published<const N: usize> {
    entries: [[AtomicU64; WORDS]; N],
    count: AtomicUsize,
}

impl<const N: usize> Published<N> {
    /// An empty list.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Published { entries: [const { [const { AtomicU64::new(0) }; WORDS] }; N], count: AtomicUsize::new(0) }
    }

    /// An empty list (loom's atomics cannot be built in a constant).
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Published {
            entries: core::array::from_fn(|_| core::array::from_fn(|_| AtomicU64::new(0))),
            count: AtomicUsize::new(0),
        }
    }

    /// Appends an entry and publishes it. Not for concurrent callers.
    ///
    /// # Errors
    /// `Full` when all `N` entries were used.
    pub fn push(&self, words: [u64; WORDS]) -> Result<(), Full> {
        let index = self.count.load(Ordering::Relaxed);
        let entry = self.entries.get(index).ok_or(Full)?;
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
        let entry = self.entries.get(count.wrapping_sub(1))?;
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

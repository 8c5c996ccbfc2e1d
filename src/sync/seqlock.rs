//! A few words that many threads and nested handlers read and replace, and nobody waits for.

use super::atomics::{AtomicU64, Ordering, array_of, constructor, fence};

/// `N` words that are read whole or not at all.
///
/// A sequence lock whose writers try: the sequence is odd while somebody writes, and who finds it odd, or changed, gives up. So
/// a handler that interrupts a writer on its own thread neither waits for it nor sees half of its words. A writer that never
/// comes back (its thread was cancelled, or forked away) leaves one cell that is odd, and useless, for ever.
#[derive(Debug)]
#[repr(C)]
pub struct Seqlock<const N: usize> {
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Seqlock<N> {
    constructor! {
        /// Never written: sequence 0, and words of 0.
        pub fn new() -> Self {
            Seqlock { sequence: AtomicU64::new(0), words: array_of![AtomicU64::new(0); N] }
        }
    }

    /// The words of one write, or `None` while somebody writes or where somebody just has.
    ///
    /// # Signal safety
    /// Loads, as many as there are words and two; no loop.
    #[inline(always)]
    #[must_use]
    pub fn read(&self) -> Option<[u64; N]> {
        // Acquire: the words of the write that made this number.
        let before = self.sequence.load(Ordering::Acquire);
        let words = core::array::from_fn(|index| self.words[index].load(Ordering::Relaxed));
        // Whoever has seen a word of a later write sees that writer's odd number now: this fence and the writer's.
        // tests/loom_seqlock.rs finds the bug without either of them.
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before & 1 == 0).then_some(words)
    }

    /// Replaces the words, unless somebody else is about to. Whether it did.
    ///
    /// # Signal safety
    /// Loads, stores and one compare-exchange; no loop.
    pub fn try_write(&self, words: [u64; N]) -> bool {
        let sequence = self.sequence.load(Ordering::Relaxed);
        // Acquire: these words come after those of the write before.
        let ours = sequence & 1 == 0
            && self
                .sequence
                .compare_exchange(sequence, sequence + 1, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if ours {
            fence(Ordering::Release);
            for (place, word) in self.words.iter().zip(words) {
                place.store(word, Ordering::Relaxed);
            }
            self.sequence.store(sequence + 2, Ordering::Release);
        }
        ours
    }

    /// As if it had never been written. Nobody may be using it: for shared memory that is used again.
    ///
    /// # Signal safety
    /// Stores only.
    pub fn forget(&self) {
        for word in self.words.iter().chain([&self.sequence]) {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// How often it was written.
    ///
    /// # Signal safety
    /// One load.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed) / 2
    }
}

impl<const N: usize> Default for Seqlock<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_interrupts_a_writer_gives_up() {
        let cell = Seqlock::<2>::new();
        assert!(cell.try_write([1, 2]));
        // What a handler meets in the middle of `try_write`.
        cell.sequence.store(3, Ordering::Relaxed);
        cell.words[0].store(3, Ordering::Relaxed);
        assert_eq!(cell.read(), None);
        assert!(!cell.try_write([5, 6]));
        cell.words[1].store(4, Ordering::Relaxed);
        cell.sequence.store(4, Ordering::Release);
        assert_eq!((cell.read(), cell.writes()), (Some([3, 4]), 2));
    }
}

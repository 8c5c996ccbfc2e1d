//! A few words that somebody left first, and that nobody replaces.

use super::atomics::{AtomicU64, Ordering, array_of, constructor};

/// Nobody has left words, somebody is about to, they are there.
const EMPTY: u64 = 0;
const WRITING: u64 = 1;
const THERE: u64 = 2;

/// `N` words of whoever came first: what a process says of itself to its parent, or a handler to the code after it.
///
/// All-zero memory is one without words, so it may lie in shared memory. Whoever sees the words also sees what the writer counted
/// before it left them. A writer that never comes back leaves one that has no words for ever, and nobody waits for it.
#[derive(Debug)]
#[repr(C)]
pub struct Kept<const N: usize> {
    state: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Kept<N> {
    constructor! {
        /// Without words.
        pub fn new() -> Self {
            Kept { state: AtomicU64::new(EMPTY), words: array_of![AtomicU64::new(0); N] }
        }
    }

    /// Leaves the words, unless somebody has, or is about to. Whether it did.
    ///
    /// # Signal safety
    /// One compare-exchange and stores; no loop. Usable from several threads and nested handlers.
    pub fn keep(&self, words: [u64; N]) -> bool {
        // Relaxed: there was nothing before this to be seen.
        let ours = self.state.compare_exchange(EMPTY, WRITING, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if ours {
            for (place, word) in self.words.iter().zip(words) {
                place.store(word, Ordering::Relaxed);
            }
            // Release: whoever sees this sees the words. tests/loom_page.rs finds the bug when it is Relaxed.
            self.state.store(THERE, Ordering::Release);
        }
        ours
    }

    /// The words, when all of them are there.
    ///
    /// # Signal safety
    /// Loads only.
    #[must_use]
    pub fn get(&self) -> Option<[u64; N]> {
        let there = self.state.load(Ordering::Acquire) == THERE;
        there.then(|| core::array::from_fn(|index| self.words[index].load(Ordering::Relaxed)))
    }
}

impl<const N: usize> Default for Kept<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::atomics::watched::{for_ever, interrupt};
    use super::*;

    #[test]
    fn a_handler_that_comes_in_anywhere_is_first_or_second_and_never_half() {
        let mut interrupted = 0;
        loop {
            let kept: &'static Kept<2> = for_ever(Kept::new());
            let handler = move || {
                let seen = kept.get();
                assert!(matches!(seen, None | Some([1, 2])), "half: {seen:?}");
                kept.keep([3, 4]);
            };
            if !interrupt(interrupted + 1, handler, || {
                kept.keep([1, 2]);
            }) {
                break;
            }
            interrupted += 1;
            let expected = if interrupted == 1 { [3, 4] } else { [1, 2] };
            assert_eq!(kept.get(), Some(expected), "interrupted before operation {interrupted}");
        }
        assert_eq!(interrupted, 4, "an exchange and three stores");
    }
}

//! Who handled a signal before our handler, kept so that our handler can ask at any moment.
//!
//! The kernel has one handler a signal, and no operation that replaces it only if it still is what it was. Whoever asks and then
//! installs may step on a component that installed itself in between; what the kernel gives back on installing tells that, too late
//! for a fault that comes at once, and early enough to lose nobody. So: ask, publish, install, and repair.

use super::atomics::{AtomicU64, Ordering, constructor, spin_loop};
use super::published::{Published, WORDS};

/// The kernel's side of one signal: handler, flags and mask in three words.
pub trait Disposition {
    /// Why the kernel refuses.
    type Error;

    /// What is installed now.
    ///
    /// # Errors
    /// The kernel's.
    fn ask(&self) -> Result<[u64; WORDS], Self::Error>;

    /// Installs our handler: what it replaced.
    ///
    /// # Errors
    /// The kernel's.
    fn install_ours(&self) -> Result<[u64; WORDS], Self::Error>;

    /// Installs what was there before: what it replaced.
    ///
    /// # Errors
    /// The kernel's.
    fn put_back(&self, earlier: [u64; WORDS]) -> Result<[u64; WORDS], Self::Error>;

    /// Whether these words are our handler's.
    fn is_ours(&self, words: &[u64; WORDS]) -> bool;
}

/// Why a signal was not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble<E> {
    /// The kernel refused.
    Kernel(E),
    /// More distinct handlers were replaced than there are places.
    Full,
}

/// One signal's earlier handlers, the last of which is chained to: at most `N` in a process's life.
///
/// Installing and uninstalling exclude each other by a lock; other components do not know it. A handler takes no lock.
#[derive(Debug)]
pub struct Handover<const N: usize> {
    changing: AtomicU64,
    earlier: Published<N>,
}

struct Changing<'a>(&'a AtomicU64);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

impl<const N: usize> Handover<N> {
    constructor! {
        /// Nobody was replaced yet.
        pub fn new() -> Self {
            Handover { changing: AtomicU64::new(0), earlier: Published::new() }
        }
    }

    fn change(&self) -> Changing<'_> {
        while self.changing.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spin_loop();
        }
        Changing(&self.changing)
    }

    /// Installs our handler over whatever is there, which is published first. Idempotent.
    ///
    /// # Errors
    /// The kernel refuses, or all places are used.
    ///
    /// # Signal safety
    /// None: it takes a lock.
    pub fn install<D: Disposition>(&self, kernel: &D) -> Result<(), Trouble<D::Error>> {
        let _alone = self.change();
        let found = kernel.ask().map_err(Trouble::Kernel)?;
        if kernel.is_ours(&found) {
            return Ok(());
        }
        let before = self.earlier.last();
        // Before ours can run, or a fault that comes at once would find nobody to go to.
        self.publish(found)?;
        let replaced = kernel.install_ours().map_err(Trouble::Kernel)?;
        // Somebody was faster between the question and this. One that took over is behind us now; one that gave the signal back to us
        // is gone.
        let behind = if kernel.is_ours(&replaced) { before } else { Some(replaced) };
        behind.map_or(Ok(()), |behind| self.publish(behind)).inspect_err(|_| {
            // Without a place for it, it stays.
            let _ = kernel.put_back(replaced);
        })
    }

    fn publish<E>(&self, words: [u64; WORDS]) -> Result<(), Trouble<E>> {
        // A profiler that starts and stops finds the same handler each time.
        if self.earlier.last() == Some(words) {
            return Ok(());
        }
        self.earlier.push(words).map_err(|_| Trouble::Full)
    }

    /// Puts the earlier handler back where ours is installed. Whoever took the signal over keeps it.
    ///
    /// # Errors
    /// The kernel refuses.
    ///
    /// # Signal safety
    /// None: it takes a lock.
    pub fn uninstall<D: Disposition>(&self, kernel: &D) -> Result<(), D::Error> {
        let _alone = self.change();
        if kernel.is_ours(&kernel.ask()?)
            && let Some(earlier) = self.earlier.last()
        {
            let replaced = kernel.put_back(earlier)?;
            if !kernel.is_ours(&replaced) {
                // Taken over since we asked.
                kernel.put_back(replaced)?;
            }
        }
        Ok(())
    }

    /// Whom our handler chains to. Once our handler can run there is somebody, also when it was uninstalled meanwhile.
    ///
    /// # Signal safety
    /// Loads only.
    #[must_use]
    pub fn earlier(&self) -> Option<[u64; WORDS]> {
        self.earlier.last()
    }
}

impl<const N: usize> Default for Handover<N> {
    fn default() -> Self {
        Self::new()
    }
}

//! Atomics that a test may look into: the same operations, each with a moment before it.
//!
//! * In unit tests, that moment is where a signal handler may come in ([`interrupt`]), or where a thread ends for ever.
//! * Under loom, which has no signals, it is where one kind of operation is made weaker than the code asks for ([`planted`]): the
//!   planted bugs of tests/loom_*.rs are those, and need no second copy of what they are planted in.

#[cfg(loom)]
extern crate std;

use core::sync::atomic::Ordering;
#[cfg(not(loom))]
use core::sync::atomic::{AtomicU64 as Inner, fence as inner_fence};
#[cfg(loom)]
use loom::sync::atomic::{AtomicU64 as Inner, fence as inner_fence};

/// `AtomicU64` with a moment before each operation.
#[derive(Debug)]
#[repr(transparent)]
pub struct AtomicU64(Inner);

impl AtomicU64 {
    /// See `core`.
    #[cfg(not(loom))]
    pub const fn new(value: u64) -> Self {
        AtomicU64(Inner::new(value))
    }

    /// See `core`.
    #[cfg(loom)]
    pub fn new(value: u64) -> Self {
        AtomicU64(Inner::new(value))
    }

    /// See `core`.
    pub fn load(&self, ordering: Ordering) -> u64 {
        self.0.load(moment::load(ordering))
    }

    /// See `core`.
    pub fn store(&self, value: u64, ordering: Ordering) {
        self.0.store(value, moment::store(ordering));
    }

    /// See `core`.
    pub fn fetch_add(&self, value: u64, ordering: Ordering) -> u64 {
        moment::other();
        self.0.fetch_add(value, ordering)
    }

    /// See `core`.
    ///
    /// # Errors
    /// See `core`.
    pub fn compare_exchange(
        &self,
        from: u64,
        to: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        if moment::exchange() {
            return self.0.compare_exchange(from, to, success, failure);
        }
        let seen = self.0.load(failure);
        if seen == from {
            self.0.store(to, success);
            return Ok(seen);
        }
        Err(seen)
    }
}

/// See `core`.
pub fn fence(ordering: Ordering) {
    if moment::fence(ordering) {
        inner_fence(ordering);
    }
}

#[cfg(not(loom))]
use interrupted as moment;
#[cfg(not(loom))]
pub use interrupted::{for_ever, interrupt};

#[cfg(loom)]
use planted as moment;

/// A handler that comes in before a chosen operation of the calling thread.
#[cfg(not(loom))]
mod interrupted {
    use core::cell::Cell;
    use core::sync::atomic::Ordering;

    std::thread_local! {
        // Constant initialisers and no destructors: other unit tests use these atomics in real handlers.
        static BEFORE: Cell<u32> = const { Cell::new(0) };
        static HANDLER: Cell<Option<&'static dyn Fn()>> = const { Cell::new(None) };
    }

    /// Puts a value where every thread and handler may use it for ever. A leak detector finds it in the list.
    pub fn for_ever<T: 'static>(value: T) -> &'static T {
        static KEPT: std::sync::Mutex<std::vec::Vec<usize>> = std::sync::Mutex::new(std::vec::Vec::new());
        let kept: &'static T = std::boxed::Box::leak(std::boxed::Box::new(value));
        KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(core::ptr::from_ref(kept).addr());
        kept
    }

    /// Runs `body` with `handler` called before the operation number `at` (from 1) of this thread. Whether there were so many.
    pub fn interrupt(at: u32, handler: impl Fn() + 'static, body: impl FnOnce()) -> bool {
        HANDLER.set(Some(for_ever(handler)));
        BEFORE.set(at);
        body();
        HANDLER.take();
        BEFORE.replace(0) == 0
    }

    pub fn other() {
        match BEFORE.get() {
            0 => {}
            // Operations of the handler itself are not counted: 0 from here on.
            1 => {
                BEFORE.set(0);
                if let Some(handler) = HANDLER.get() {
                    handler();
                }
            }
            more => BEFORE.set(more - 1),
        }
    }

    pub fn load(ordering: Ordering) -> Ordering {
        other();
        ordering
    }

    pub fn store(ordering: Ordering) -> Ordering {
        other();
        ordering
    }

    pub fn exchange() -> bool {
        other();
        true
    }

    pub fn fence(_: Ordering) -> bool {
        other();
        true
    }
}

/// One kind of operation made weaker, for all lock-free parts of this crate.
#[cfg(loom)]
pub mod planted {
    use super::std;
    use core::cell::Cell;
    use core::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

    /// What is weakened.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Bug {
        /// Every store is Relaxed.
        RelaxedStores,
        /// Every load is Relaxed.
        RelaxedLoads,
        /// No fence is made that the reader of a sequence lock needs.
        NoAcquireFence,
        /// No fence is made that its writer needs.
        NoReleaseFence,
        /// A compare-exchange is a load, a comparison and a store.
        TornExchange,
    }

    std::thread_local! {
        // loom runs all threads of a model on the thread that asked for it.
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    struct Until;

    impl Drop for Until {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }

    /// Runs a model with the bug.
    pub fn plant(bug: Bug, model: impl FnOnce()) {
        let _until = Until;
        PLANTED.set(Some(bug));
        model();
    }

    fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    pub(super) fn load(ordering: Ordering) -> Ordering {
        if is(Bug::RelaxedLoads) { Relaxed } else { ordering }
    }

    pub(super) fn store(ordering: Ordering) -> Ordering {
        if is(Bug::RelaxedStores) { Relaxed } else { ordering }
    }

    pub(super) fn other() {}

    pub(super) fn exchange() -> bool {
        !is(Bug::TornExchange)
    }

    pub(super) fn fence(ordering: Ordering) -> bool {
        !(ordering == Acquire && is(Bug::NoAcquireFence) || ordering == Release && is(Bug::NoReleaseFence))
    }
}

//! Where every lock-free part of this crate gets its atomics, fences and constructors from: `core`, or, under `cfg(loom)`,
//! loom's model of it.
//!
//! In unit tests and under loom the same types are [`watched`]: a test can interrupt a thread before any single operation, or
//! weaken one kind of operation, and what it runs is still the very code that is shipped. A build of neither kind has `core`'s
//! own types here, and nothing else.

#[cfg(any(loom, test))]
pub mod watched;

pub use core::sync::atomic::Ordering;

#[cfg(not(any(loom, test)))]
pub use core::sync::atomic::{AtomicU64, fence};
#[cfg(any(loom, test))]
pub use watched::{AtomicU64, fence};

#[cfg(not(loom))]
pub use core::hint::spin_loop;
// Without it loom would follow a waiting thread for ever.
#[cfg(loom)]
pub use loom::hint::spin_loop;

/// `array_of![expression; N]`: each element made anew, in a constant where that is possible.
#[cfg(not(loom))]
macro_rules! array_of {
    ($element:expr; $length:expr) => {
        [const { $element }; $length]
    };
}

/// loom's atomics are registered when they are made, and so cannot be built in a constant.
#[cfg(loom)]
macro_rules! array_of {
    ($element:expr; $length:expr) => {
        core::array::from_fn::<_, { $length }, _>(|_| $element)
    };
}

/// A constructor, which is `const` but under loom.
macro_rules! constructor {
    ($(#[$meta:meta])* pub fn $name:ident() -> Self $body:block) => {
        $(#[$meta])*
        #[cfg(not(loom))]
        #[must_use]
        pub const fn $name() -> Self $body

        $(#[$meta])*
        #[cfg(loom)]
        #[must_use]
        pub fn $name() -> Self $body
    };
}

pub(crate) use {array_of, constructor};

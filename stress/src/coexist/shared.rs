//! The page of a trial: how far it came, what its walks said, whom the other component heard of.
//!
//! # Invariant
//!
//! That of [`Page`]: zero-initialised shared memory that only atomics touch.
#![allow(unsafe_code)]

use crate::page::Page;
use crate::shared_memory;
use sigwalk::frame::Frame;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Frames of a stack that are compared.
pub const FRAMES: usize = 128;

/// What the processes of one trial write.
#[repr(C)]
pub struct Shared {
    /// For what the harness has to say.
    pub page: Page,
    stage: AtomicU32,
    /// Signals that came to our handler.
    pub samples: AtomicU32,
    /// What [`sigwalk::signal::protected`] said at the first of them, as 1 + 0 or 1.
    pub protected: AtomicU32,
    /// What the walks said, as [`Said`]: over the bad address, and over the undamaged stack.
    pub said: [AtomicU32; 2],
    /// Frames of the first walk, each as one number, and how many.
    first: [AtomicU64; FRAMES],
    first_len: AtomicU32,
    /// Calls of the other component's handler.
    pub heard: AtomicU32,
    /// The same, by our own walks.
    pub alarmed: AtomicU32,
    /// Not 0: the dispositions were those that the other component had left.
    pub restored: AtomicU32,
    /// Genuine bad accesses that reached the other component: one while we were installed, one after.
    pub reached: AtomicU32,
}

macro_rules! numbered {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $said:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            const ALL: &'static [$name] = &[$($name::$variant),*];

            /// In words.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $said,)* }
            }
        }
    };
}

numbered! {
    /// How far a trial came.
    Stage {
        /// Nothing is installed.
        Setup = "before anything was installed",
        /// The two components are being installed.
        Install = "while both were installed",
        /// The first signal is to come.
        BadAddress = "at the bad address",
        /// The second.
        Healthy = "at the undamaged stack",
        /// Python goes on.
        Python = "when Python went on",
        /// A genuine bad access, in another process.
        While = "at another process's bad access",
        /// We are uninstalled.
        Uninstall = "while we were uninstalled",
        /// A genuine bad access, in another process.
        After = "at another process's bad access",
        /// All is done.
        Done = "at its end",
    }
}

numbered! {
    /// What became of a walk.
    Said {
        /// None was asked for yet.
        Nothing = "nothing",
        /// A load failed at the bad address.
        Failed = "a failed load",
        /// The stack is complete, and the first walk's frames are its innermost.
        Complete = "complete",
        /// None was made: guarded loads are not protected.
        Unprotected = "SIGSEGV or SIGBUS belongs to another component",
        /// None was made: the sampler's signal did not come to us.
        Taken = "the sampler's signal was taken away",
        /// Something else.
        Other = "something else",
    }
}

impl Shared {
    /// A new one.
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn map() -> std::io::Result<&'static Shared> {
        // SAFETY: all-zero is a valid Shared, which is made of atomics only.
        unsafe { shared_memory::zeroed() }
    }

    /// As new. Only where no process of an earlier trial is left.
    pub fn reset(&self) {
        self.page.reset();
        let words =
            [&self.stage, &self.samples, &self.protected, &self.first_len, &self.heard, &self.alarmed];
        words
            .into_iter()
            .chain([&self.restored, &self.reached])
            .chain(&self.said)
            .for_each(|word| word.store(0, Relaxed));
    }

    /// The trial has come so far.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage as u32, Relaxed);
    }

    /// How far it came.
    #[must_use]
    pub fn stage(&self) -> Stage {
        Stage::ALL.get(self.stage.load(Relaxed) as usize).copied().unwrap_or(Stage::Setup)
    }

    /// Keeps what became of walk `turn`.
    pub fn say(&self, turn: usize, said: Said) {
        self.said[turn].store(said as u32, Relaxed);
    }

    /// What became of walk `turn`.
    #[must_use]
    pub fn said(&self, turn: usize) -> Said {
        Said::ALL.get(self.said[turn].load(Relaxed) as usize).copied().unwrap_or(Said::Other)
    }

    /// Keeps the frames of the first walk.
    pub fn keep(&self, frames: &[Frame]) {
        for (place, frame) in self.first.iter().zip(frames) {
            place.store(number(frame), Relaxed);
        }
        self.first_len.store(frames.len() as u32, Relaxed);
    }

    /// Whether those are the innermost of `frames`, and not all of them.
    #[must_use]
    pub fn kept_begins(&self, frames: &[Frame]) -> bool {
        let len = self.first_len.load(Relaxed) as usize;
        len < frames.len()
            && self.first[..len].iter().zip(frames).all(|(kept, frame)| kept.load(Relaxed) == number(frame))
    }
}

/// Code and place of a frame in one number.
fn number(frame: &Frame) -> u64 {
    frame.code.get() ^ (u64::from(frame.lasti as u32) << 48) ^ frame.frame.get().rotate_left(17)
}

//! One watched walk.
//!
//! # Invariant
//!
//! The watch is published once in a process, before anything can visit it, and never freed. One thread visits, and no visit while one
//! is on.
#![allow(unsafe_code)]

use super::interposed::Interposed;
use super::kind::Kind;
use super::labels::Labels;
use super::ledger::{Ledger, Seen};
use super::registers::{Registers, painted};
use super::stores::Stores;
use super::subjects::{Here, Subject};
use sigwalk_embed::{Live, system_calls};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// What is watched. Each needs a process of its own: watching stores makes calls and faults.
#[derive(Debug)]
pub enum Look {
    /// Calls of the C library, registers, the stack.
    Calls(Option<Interposed>),
    /// Stores.
    Stores(Stores),
    /// System calls, by the tracer of this process.
    SystemCalls,
}

/// A walk to watch, and what it is watched for.
#[derive(Debug)]
pub struct Watch {
    /// For the walk.
    pub live: Live,
    /// Whose walk it is.
    pub subject: &'static Subject,
    /// What for.
    pub look: Look,
    /// Names.
    pub labels: &'static Labels,
    /// Where it is counted.
    pub ledger: &'static Ledger,
    /// Walks wanted.
    pub walks: u64,
}

static WATCH: AtomicPtr<Watch> = AtomicPtr::new(std::ptr::null_mut());
static ON: AtomicBool = AtomicBool::new(false);

/// Publishes the watch of this process; visits count from now on.
pub fn publish(watch: Watch) -> &'static Watch {
    let watch: &'static Watch = Box::leak(Box::new(watch));
    WATCH.store(std::ptr::from_ref(watch).cast_mut(), Release);
    watch
}

/// Walks here, if walks are still wanted. Whether it did.
///
/// # Signal safety
/// The subject's, which is what is asked. The watch itself makes system calls, and keeps errno.
pub fn visit() -> bool {
    // SAFETY: null, or the leaked watch of `publish`.
    let Some(watch) = (unsafe { WATCH.load(Acquire).as_ref() }) else { return false };
    // A subject that allocates comes by again, in the allocator's hook.
    if ON.swap(true, Relaxed) {
        return false;
    }
    let walked = watch.visit();
    ON.store(false, Relaxed);
    walked
}

impl Watch {
    /// Whether enough was walked.
    pub fn is_done(&self) -> bool {
        self.ledger.begun.load(Relaxed) >= self.walks
    }

    fn visit(&self) -> bool {
        if self.is_done() {
            return false;
        }
        let Some(tstate) = self.live.own.state(&self.live.readers.guarded) else { return false };
        let here = Here { live: &self.live, tstate };
        self.ledger.begun.fetch_add(1, Relaxed);
        let mut seen = Seen::default();
        let frames = match &self.look {
            Look::Calls(interposed) => self.look_at_calls(*interposed, &here, &mut seen),
            Look::Stores(stores) => {
                stores.begin();
                let frames = self.subject.walk(&here);
                stores.end();
                stores.count(self.labels, self.ledger, &mut seen);
                frames
            }
            Look::SystemCalls => {
                system_calls::mark();
                let frames = self.subject.walk(&here);
                system_calls::mark();
                frames
            }
        };
        // A planted violation: the next memmove would run backwards. SAFETY: as the ABI has it.
        unsafe { std::arch::asm!("cld") };
        seen.count(self.ledger);
        self.ledger.frames.fetch_add(frames, Relaxed);
        self.ledger.done.fetch_add(1, Relaxed);
        true
    }

    fn look_at_calls(&self, interposed: Option<Interposed>, here: &Here<'_>, seen: &mut Seen) -> u64 {
        let before = interposed.map(Interposed::calls);
        let registers = Registers::before();
        interposed.inspect(|library| library.arm(true));
        let (stack, frames) = painted(|| self.subject.walk(here));
        interposed.inspect(|library| library.arm(false));
        registers.after(seen);
        if let Some((library, before)) = interposed.zip(before) {
            let after = library.calls();
            for (label, (_, kind)) in self.labels.functions().iter().enumerate() {
                let calls = after[label] - before[label];
                if calls > 0 {
                    self.ledger.touch(label, calls);
                    seen.note(*kind);
                }
            }
        }
        self.ledger.stack.fetch_max(stack, Relaxed);
        if too_deep(stack) {
            seen.note(Kind::Stack);
        }
        frames
    }
}

/// SIGSTKSZ as it was while it was a constant: what a program has given its handlers that did not ask the kernel.
pub const SIGNAL_STACK: u64 = 8192;

/// What the kernel puts on a signal stack itself.
pub fn minimal_signal_stack() -> u64 {
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) }
}

/// Not asked of builds without optimisation, in which each inlined value has a place of its own.
fn too_deep(stack: u64) -> bool {
    !cfg!(debug_assertions) && stack + minimal_signal_stack() > SIGNAL_STACK
}

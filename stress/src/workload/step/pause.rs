//! A one-shot timer of the calling thread: when the next burst begins.
//!
//! # Invariant
//!
//! The timer belongs to the thread that made it and is only set by that thread, also in its handlers: `timer_settime` is
//! async-signal-safe.
#![allow(unsafe_code)]

use crate::hash;
use crate::timer;
use libc::{c_int, c_void, siginfo_t, timer_t};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Ends a pause.
pub const SIGNAL: c_int = libc::SIGPROF;

static MEAN_NS: AtomicU64 = AtomicU64::new(0);
static SEED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static TIMER: Cell<timer_t> = const { Cell::new(std::ptr::null_mut()) };
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Installs what runs at the end of a pause.
pub fn prepare(seed: u64, mean_ns: u64, handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void)) {
    MEAN_NS.store(mean_ns, Relaxed);
    SEED.store(seed, Relaxed);
    // SAFETY: all-zero is a valid sigaction; the handler has the right signature.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        // On the stack that the steps' handlers have, for the same reason: nothing is left on the target's.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigaction(SIGNAL, &action, std::ptr::null_mut());
    }
}

/// Gives the calling thread its timer. Not for handlers.
pub fn arm() {
    if !TIMER.get().is_null() {
        return;
    }
    if let Ok(timer) = timer::of_this_thread(SIGNAL) {
        TIMER.set(timer);
    }
    RANDOM.set(hash::mix(SEED.load(Relaxed)));
}

/// As [`arm`], in a process that was just forked: it has no timer, and its parent's ids mean nothing in it. Begins a pause.
pub fn arm_in_child() {
    TIMER.set(std::ptr::null_mut());
    arm();
    begin();
}

/// Begins a pause, exponentially distributed.
pub fn begin() {
    let timer = TIMER.get();
    if timer.is_null() {
        return;
    }
    let random = hash::next(RANDOM.get());
    RANDOM.set(random);
    timer::set(timer, 0, hash::exponential(random, MEAN_NS.load(Relaxed)), 0);
}

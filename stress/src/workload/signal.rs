//! Workload `signal`: each armed thread has a timer of its own, whose handler walks the thread it interrupted and sets
//! the timer again, after an exponentially distributed gap.
//!
//! A gap counts from the end of the handler, so that a slow walk cannot starve its target. A signal that is pending when
//! a system call returns is delivered there: teardown windows that begin with munmap are hit far more often than their
//! length suggests.
#![allow(unsafe_code)]

use crate::attempt;
use crate::page::Tally;
use libc::{c_int, c_void, siginfo_t, timer_t};
use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The signal of the timers.
pub const SIGNAL: c_int = libc::SIGPROF;

thread_local! {
    // Constant initialisers and no destructors: plain loads in a handler.
    static TIMER: Cell<timer_t> = const { Cell::new(std::ptr::null_mut()) };
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Mean gap in nanoseconds; 0 = not this workload.
static MEAN_GAP: AtomicU64 = AtomicU64::new(0);
static SEED: AtomicU64 = AtomicU64::new(0);
static ARMED: AtomicUsize = AtomicUsize::new(0);

/// A timer outlives its thread. Under thread churn the oldest ones are deleted here, or a trial would run into
/// RLIMIT_SIGPENDING.
const TIMERS: usize = 128;
static TIMER_RING: [AtomicPtr<c_void>; TIMERS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; TIMERS];

/// Installs the handler. Threads are armed one by one.
pub fn prepare(seed: u64, mean_gap_ns: u64) {
    SEED.store(seed, Relaxed);
    MEAN_GAP.store(mean_gap_ns, Relaxed);
    // SAFETY: all-zero is a valid sigaction; the handler has the right signature. Only SIGPROF itself is blocked in it:
    // `admit_faults` does not see a handler's own mask, and with SIGSEGV blocked a guarded load's fault would be fatal.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_timer as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(SIGNAL, &action, std::ptr::null_mut());
    }
}

/// Gives the calling thread a timer, if this is the workload. The timer runs until the thread is gone.
pub fn arm() {
    let mean = MEAN_GAP.load(Relaxed);
    if mean == 0 {
        return;
    }
    let turn = ARMED.fetch_add(1, Relaxed);
    RANDOM.set(crate::hash::mix(SEED.load(Relaxed) ^ (turn as u64) << 32));
    // SAFETY: a zeroed sigevent is valid and is filled; the timer id is written by the call; deleting a timer whose
    // thread is gone is allowed, and a slot of the ring is taken by one thread only (swap).
    unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = SIGNAL;
        event.sigev_notify_thread_id = libc::gettid();
        let mut timer: timer_t = std::ptr::null_mut();
        if libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) != 0 {
            return;
        }
        // glibc's timer ids are small integers, 0 among them: stored plus one, so that null means none.
        let old = TIMER_RING[turn % TIMERS].swap(timer.wrapping_byte_add(1), Relaxed);
        if !old.is_null() {
            libc::timer_delete(old.wrapping_byte_sub(1));
        }
        TIMER.set(timer.wrapping_byte_add(1));
    }
    set_timer(mean);
}

/// As [`arm`], in a process that was just forked: it has no timer, and ids of its parent's timers mean nothing in it.
pub fn arm_in_child() {
    for slot in &TIMER_RING {
        slot.store(std::ptr::null_mut(), Relaxed);
    }
    TIMER.set(std::ptr::null_mut());
    arm();
}

/// No signal of ours has an effect from now on.
pub fn stop() {
    MEAN_GAP.store(0, Relaxed);
    attempt::retire();
}

fn set_timer(mean: u64) {
    let timer = TIMER.get();
    if timer.is_null() || mean == 0 {
        return;
    }
    let random = crate::hash::next(RANDOM.get());
    RANDOM.set(random);
    // Uniform in (0, 1]; −ln of it is exponential with mean 1.
    let uniform = ((crate::hash::mix(random) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let gap = ((-uniform.ln()) * mean as f64) as i64;
    let gap = gap.clamp(1_000, 20 * mean as i64);
    // SAFETY: the calling thread's timer; a deleted one is refused with EINVAL. timer_settime is async-signal-safe.
    unsafe {
        let mut when: libc::itimerspec = std::mem::zeroed();
        when.it_value.tv_sec = gap / 1_000_000_000;
        when.it_value.tv_nsec = gap % 1_000_000_000;
        libc::timer_settime(timer.wrapping_byte_sub(1), 0, &when, std::ptr::null_mut());
    }
}

extern "C" fn on_timer(_signal: c_int, _info: *mut siginfo_t, interrupted: *mut c_void) {
    // A target may block signals around what it does, SIGSEGV among them and SIGPROF not.
    // SAFETY: the context that the kernel gave this handler.
    let _admitted = unsafe { sigwalk::signal::admit_faults(interrupted) };
    // SAFETY: the address of the calling thread's errno.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    if let Some(context) = attempt::context() {
        match context.live.own.state(&context.live.readers.guarded) {
            Some(tstate) => context.attempt(tstate),
            None => context.page.count(Tally::NoThreadState),
        }
        set_timer(MEAN_GAP.load(Relaxed));
    }
    *errno = before;
}

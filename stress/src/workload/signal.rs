//! Workload `signal`: each armed thread has a timer of its own, whose handler walks the thread it interrupted and sets
//! the timer again, for the next of a series of due times with exponentially distributed gaps: a Poisson process.
//!
//! The series is one of absolute times: the k-th due time of a thread follows from the seed and from when it was armed, and
//! from nothing that a walker does. Due times that have passed when the handler ends are left out and counted as missed,
//! so that a walk that is slower than the gap cannot starve its target: what is left until the next due time of a Poisson
//! process is a whole gap again, on average, whenever one begins to wait. A thread that the kernel did not run, or that
//! had the signal blocked, misses its due times in the same way. (A gap that counts from the end of the handler, as it was
//! before, has the same distribution, but each walker then has due times of its own.)
//!
//! A signal that is pending when a system call returns is delivered there: teardown windows that begin with munmap are hit
//! far more often than their length suggests.
#![allow(unsafe_code)]

use crate::attempt;
use crate::timer;
use libc::{c_int, c_void, siginfo_t, timer_t};
use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The signal of the timers.
pub const SIGNAL: c_int = libc::SIGPROF;

thread_local! {
    // Constant initialisers and no destructors: plain loads in a handler.
    static TIMER: Cell<timer_t> = const { Cell::new(std::ptr::null_mut()) };
    static SERIES: Cell<Series> = const { Cell::new(Series { random: 0, due: 0 }) };
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
    let random = crate::hash::mix(SEED.load(Relaxed) ^ (turn as u64) << 32);
    SERIES.set(Series { random, due: now() });
    let Ok(timer) = timer::of_this_thread(SIGNAL) else { return };
    // A slot of the ring is taken by one thread only (swap).
    timer::delete(TIMER_RING[turn % TIMERS].swap(timer, Relaxed));
    TIMER.set(timer);
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

/// The due times of a thread: nanoseconds of CLOCK_MONOTONIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Series {
    random: u64,
    due: u64,
}

/// Due times that are drawn to pass over what was missed: some microseconds of drawing. A thread that was stopped for
/// longer begins a new series.
const CATCH_UP: u64 = 256;

impl Series {
    /// The first due time after `now`, and how many were passed over.
    fn after(mut self, now: u64, mean: u64) -> (Series, u64) {
        for missed in 0..CATCH_UP {
            self.random = crate::hash::next(self.random);
            self.due += gap(self.random, mean);
            if self.due > now {
                return (self, missed);
            }
        }
        let missed = CATCH_UP + (now - self.due) / mean;
        self.random = crate::hash::next(self.random);
        self.due = now + gap(self.random, mean);
        (self, missed)
    }
}

/// Exponential with this mean, between 1 µs (less is not a gap that a timer could keep) and 20 means.
fn gap(random: u64, mean: u64) -> u64 {
    crate::hash::exponential(random, mean).clamp(1_000, (20 * mean).max(1_000))
}

fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written; clock_gettime is async-signal-safe.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Sets the calling thread's timer for its next due time; how many had passed.
fn set_timer(mean: u64) -> u64 {
    let timer = TIMER.get();
    if timer.is_null() || mean == 0 {
        return 0;
    }
    let (series, missed) = SERIES.get().after(now(), mean);
    SERIES.set(series);
    timer::set(timer, libc::TIMER_ABSTIME, series.due, 0);
    missed
}

extern "C" fn on_timer(_signal: c_int, _info: *mut siginfo_t, interrupted: *mut c_void) {
    // A target may block signals around what it does, SIGSEGV among them and SIGPROF not.
    // SAFETY: the context that the kernel gave this handler.
    let _admitted = unsafe { sigwalk::signal::admit_faults(interrupted) };
    // SAFETY: the address of the calling thread's errno.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    if let Some(context) = attempt::context() {
        context.attempt_own();
        let missed = set_timer(MEAN_GAP.load(Relaxed));
        context.page.missed.fetch_add(missed, Relaxed);
    }
    *errno = before;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: u64 = 50_000;

    fn due_times(mut series: Series, count: usize) -> Vec<u64> {
        let mut all = Vec::new();
        for _ in 0..count {
            let due = series.due;
            series = series.after(due, MEAN).0;
            all.push(series.due);
        }
        all
    }

    #[test]
    fn a_slow_walk_passes_over_due_times_and_moves_none() {
        let begin = Series { random: 7, due: 1_000_000 };
        let all = due_times(begin, 200);
        for (walk, expected) in [(0, 0), (all[3] - all[0], 3), (all[100] - all[0] + 1, 100)] {
            let first = begin.after(begin.due, MEAN).0;
            let (next, missed) = first.after(all[0] + walk, MEAN);
            assert_eq!((next.due, missed), (all[expected + 1], expected as u64));
        }
    }

    #[test]
    fn a_thread_that_was_stopped_for_seconds_is_not_kept_drawing() {
        let begin = Series { random: 7, due: 1_000_000 };
        let late = begin.due + 10_000_000_000;
        let (next, missed) = begin.after(late, MEAN);
        assert!(next.due > late && next.due <= late + 20 * MEAN, "{next:?}");
        let declared = 10_000_000_000 / MEAN;
        assert!(missed.abs_diff(declared) < 5 * CATCH_UP, "{missed} of {declared}");
    }

    #[test]
    fn gaps_are_exponential() {
        let count = 100_000;
        let all = due_times(Series { random: 1, due: 0 }, count);
        let gaps = || all.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / MEAN as f64);
        let mean = gaps().sum::<f64>() / (count - 1) as f64;
        let longer = gaps().filter(|gap| *gap > 2.0).count() as f64 / (count - 1) as f64;
        // Ten standard errors; the seed is fixed.
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        assert!((longer - (-2.0_f64).exp()).abs() < 0.011, "{longer}");
    }
}

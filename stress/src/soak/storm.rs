//! The storm: one POSIX timer a process, whose handler walks the thread that the signal came to, and sets the timer again
//! after an exponentially distributed gap.
//!
//! * **SIGURG**, because its default action is to do nothing. A timer's signal may be pending when the program executes another
//!   one: handlers are reset, the timer is gone, the signal is delivered, and a real-time signal or SIGPROF would kill what was
//!   just started ("Profiling timer expired"). A program that resets every handler survives too. Go sends it for
//!   pre-emption for the same reason (golang/go#24543).
//! * **Directed at the process**, so that no thread has to be armed: since 6.4 the kernel gives a timer's signal to the thread that
//!   runs. No thread of ours is in the program (os.fork would warn of it).
//! * **A gap counts from the end of the handler**, so that slow walks cannot starve the program. An interval stands behind it: a
//!   signal that the program itself took (`sigwait`), or that found another handler, does not end the storm.
//! * **Forked children** have no timers, so each gets its own, in the fork itself: the first walks fall into CPython's own
//!   repairs after a fork. A child made by vfork gets none, and executes at once.
//!
//! # Invariant
//!
//! The state is published before the first timer exists, and never freed.
#![allow(unsafe_code)]

use super::shared::Shared;
use crate::attempt::{self, Context};
use crate::oracle::Oracle;
use crate::subject::Subject;
use crate::{crash, hash, timer};
use libc::{c_int, c_void, siginfo_t};
use sigwalk::signal::{admit_faults, protected};
use sigwalk_embed::Live;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// The timer's signal.
pub const SIGNAL: c_int = libc::SIGURG;

static SHARED: AtomicPtr<Shared> = AtomicPtr::new(std::ptr::null_mut());
/// glibc's timer ids are small integers, 0 among them: stored plus one, so that null means none.
static TIMER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static MEAN_GAP: AtomicU64 = AtomicU64::new(0);
static RANDOM: AtomicU64 = AtomicU64::new(0);

/// Begins, with `subject` walking, or nobody. For the main thread, before the program starts. `live` is what is walked.
///
/// # Errors
/// The kernel refuses a timer.
pub fn begin(
    shared: &'static Shared,
    live: Live,
    subject: Option<Subject>,
    mean_gap_ns: u64,
    seed: u64,
) -> Result<(), String> {
    crash::report_to(&shared.page);
    // On top of the crash reporter, so that it hears of what is not a guarded load.
    sigwalk::signal::install().map_err(|error| error.to_string())?;
    if let Some(subject) = subject {
        Context::new(live, subject, Oracle::absent(), &shared.page).carrying(true).publish();
    }
    MEAN_GAP.store(mean_gap_ns, Relaxed);
    RANDOM.store(hash::mix(seed), Relaxed);
    SHARED.store(std::ptr::from_ref(shared).cast_mut(), Release);
    // SAFETY: all-zero is a valid sigaction; the handler has the right signature. SA_RESTART, as any profiler: calls that the kernel
    // cannot restart return EINTR, and the program must cope. Not SA_ONSTACK: the walk runs on the interrupted thread's
    // stack, as threads of Python have no other. Nothing is blocked beside the signal itself.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_timer as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(SIGNAL, &action, std::ptr::null_mut());
        libc::pthread_atfork(None, None, Some(in_forked_child));
    }
    arm(shared).map_err(|error| format!("timer_create: {error}"))
}

/// No signal of ours has an effect from now on.
pub fn end() {
    timer::delete(TIMER.swap(std::ptr::null_mut(), Relaxed));
    SHARED.store(std::ptr::null_mut(), Release);
    attempt::retire();
}

fn arm(shared: &Shared) -> std::io::Result<()> {
    TIMER.store(timer::create(SIGNAL, None)?, Relaxed);
    shared.processes.fetch_add(1, Relaxed);
    set_timer();
    Ok(())
}

/// After fork, in the child, on its only thread, which has no timer yet and so is not interrupted.
unsafe extern "C" fn in_forked_child() {
    TIMER.store(std::ptr::null_mut(), Relaxed);
    // SAFETY: null, or the page that is never unmapped.
    let Some(shared) = (unsafe { SHARED.load(Acquire).as_ref() }) else { return };
    // Another schedule than the parent's. SAFETY: a plain system call.
    RANDOM.fetch_xor(hash::mix(unsafe { libc::getpid() } as u64), Relaxed);
    // Whoever reads through the kernel would read the parent. glibc allows malloc here.
    if let Some(context) = attempt::context() {
        context.in_forked_child().publish();
    }
    // Without a timer the child just runs on.
    let _ = arm(shared);
}

fn set_timer() {
    let (timer, mean) = (TIMER.load(Relaxed), MEAN_GAP.load(Relaxed));
    if timer.is_null() {
        return;
    }
    // SplitMix64 is a counter with a mixer behind it, and so can be drawn from by several threads at once.
    let state = RANDOM.fetch_add(hash::next(0), Relaxed);
    let most = 20 * mean;
    timer::set(timer, 0, hash::exponential(state, mean).clamp(1_000, most), most.max(20_000_000));
}

/// # Signal safety
/// The walk's, and four system calls: whether bad loads are recovered, and the timer. errno is kept.
extern "C" fn on_timer(_signal: c_int, _info: *mut siginfo_t, interrupted: *mut c_void) {
    // A program may block signals around what it does, SIGSEGV among them and SIGURG not.
    // SAFETY: the context that the kernel gave this handler.
    let _admitted = unsafe { admit_faults(interrupted) };
    // SAFETY: the address of the calling thread's errno.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    // SAFETY: null, or the page that is never unmapped.
    if let Some(shared) = unsafe { SHARED.load(Acquire).as_ref() } {
        shared.signals.fetch_add(1, Relaxed);
        if let Some(context) = attempt::context() {
            let state = context.live.own.state(&context.live.readers.guarded);
            if state.is_some() && !protected() {
                shared.unprotected.fetch_add(1, Relaxed);
            }
            context.attempt_found(state);
        }
        set_timer();
    }
    *errno = before;
}

//! Where walks are made: an allocator's hook, a timer's signal handler, the handler of a crash.
//!
//! # Invariant
//!
//! What a hook or handler uses was published before it was installed, and is never freed. There is one thread.
#![allow(unsafe_code)]

use super::handlers::CRASHES;
use super::watch;
use crate::hooks::{self, Call, Observer};
use crate::{hash, timer};
use libc::{c_int, c_void, siginfo_t};
use sigwalk_embed::pyo3::Python;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

/// Where a subject is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Before `malloc` of the domains mem and obj, attached.
    Hook,
    /// In a timer's handler, wherever the thread was.
    Signal,
    /// In a SIGSEGV handler, of a bad load of the program's own, on the alternate stack.
    CrashHandler,
}

/// Does nothing by default, and so kills nobody where it comes late.
const SIGNAL: c_int = libc::SIGURG;

/// Mean time between two signals.
const GAP_NS: u64 = 150_000;

/// Every so many calls of the allocator are walked at: a prime, so as to be at different ones in each pass.
const EVERY: u64 = 23;

impl Context {
    /// All of them.
    pub const ALL: [Context; 3] = [Context::Hook, Context::Signal, Context::CrashHandler];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Context::Hook => "hook",
            Context::Signal => "signal",
            Context::CrashHandler => "crash-handler",
        }
    }

    /// Begins: walks are made from now on.
    ///
    /// # Errors
    /// The kernel has no timer, or the interpreter no allocator.
    pub fn begin(self, _attached: Python<'_>) -> Result<(), String> {
        match self {
            Context::Hook => hooks::install::<Hooked>(),
            Context::Signal => signal().map_err(|error| format!("timer: {error}")),
            Context::CrashHandler => {
                CRASHES.store(true, Relaxed);
                Ok(())
            }
        }
    }

    /// Where the program's loads go.
    pub fn address(self) -> *const u64 {
        static WORD: u64 = 0;
        match self {
            Context::CrashHandler => 16 as *const u64,
            _ => &raw const WORD,
        }
    }
}

static CALLS: AtomicU64 = AtomicU64::new(0);

struct Hooked;

impl Observer for Hooked {
    type Token = ();

    /// Not of the raw domain, which may be called detached.
    fn before(call: &Call) {
        let counts = call.domain != "raw" && call.function == "malloc";
        if counts && CALLS.fetch_add(1, Relaxed).is_multiple_of(EVERY) {
            watch::visit();
        }
    }

    fn after((): (), _: &Call, _: *mut c_void) {}
}

static TIMER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static RANDOM: AtomicU64 = AtomicU64::new(1);

fn signal() -> std::io::Result<()> {
    // SAFETY: all-zero is a valid sigaction; the handler has the right signature.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_timer as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut());
    }
    TIMER.store(timer::of_this_thread(SIGNAL)?, Relaxed);
    set_timer();
    Ok(())
}

fn set_timer() {
    let random = hash::next(RANDOM.load(Relaxed));
    RANDOM.store(random, Relaxed);
    timer::set(TIMER.load(Relaxed), 0, hash::exponential(random, GAP_NS).clamp(1_000, 20 * GAP_NS), 0);
}

extern "C" fn on_timer(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the calling thread's errno.
    let errno = unsafe { *libc::__errno_location() };
    watch::visit();
    set_timer();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

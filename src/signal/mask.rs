//! Blocked faults, and what helps against them.
//!
//! A fault whose signal is blocked is not delayed: the kernel resets the handler and kills the process, whatever is
//! installed. So a guarded load is an error value only while SIGSEGV and SIGBUS are *not* blocked in the thread that
//! makes it. In a handler there are three ways to have them blocked, and two remedies:
//!
//! | who blocked | seen in the context | remedy |
//! |---|---|---|
//! | the interrupted code (a thread's own mask, another handler's `sa_mask`) | yes | [`admit_faults`], free |
//! | this handler's own `sa_mask` | no | leave them out of it, or [`admit_faults_now`] |
//! | [`super::install`], chaining to this handler of SIGSEGV or SIGBUS as the kernel would | no | SA_NODEFER, or [`admit_faults_now`] |
//!
//! A handler of SIGSEGV that was installed *over* ours is none of these: a bad load goes to it, see [`super::owner`].
//!
//! tests/handler_facts.rs shows each of the rows dying without its remedy, and an error value with it.
//!
//! # Invariant
//!
//! The kernel's signal set is the first 8 bytes of a `sigset_t`: bit n − 1 for signal n. The rest of its 128 bytes is
//! glibc's, and zero.
#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::ptr;
use libc::{c_int, c_void, sigset_t};

const FAULTS: u64 = bit(libc::SIGSEGV) | bit(libc::SIGBUS);

const fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// SIGSEGV, SIGBUS or both are unblocked in the calling thread; blocked again on drop.
#[derive(Debug)]
#[must_use = "the signals are blocked again when this is dropped"]
pub struct Admitted {
    blocked: u64,
    /// The mask is the thread's: not Send.
    thread: PhantomData<*mut ()>,
}

/// Unblocks SIGSEGV and SIGBUS for a handler of *another* signal, where the code that it interrupted had them blocked.
/// `None`, and no system call, where it had not: the usual case costs two loads.
///
/// A SIGSEGV that somebody sent by `kill` while it was blocked is pending, and is delivered now, to whoever handles it.
///
/// # Safety
/// `context` is the third argument that the kernel gave the handler that is running (SA_SIGINFO).
///
/// # Signal safety
/// One `rt_sigprocmask` here and one on drop, only when blocked; errno is kept.
#[inline]
pub unsafe fn admit_faults(context: *const c_void) -> Option<Admitted> {
    // SAFETY: a ucontext of the kernel's, by this function's contract. It has no more of the set than the first 8
    // bytes, so no reference to a whole one is made.
    let interrupted =
        unsafe { (&raw const (*context.cast::<libc::ucontext_t>()).uc_sigmask).cast::<u64>().read() };
    if interrupted & FAULTS == 0 {
        return None;
    }
    admit_faults_now()
}

/// The same for any code: asks the kernel what is blocked, and unblocks it, in one system call. `None` where nothing
/// was.
///
/// # Signal safety
/// One `rt_sigprocmask`, and one on drop when something was blocked; errno is kept.
pub fn admit_faults_now() -> Option<Admitted> {
    let blocked = change(libc::SIG_UNBLOCK, FAULTS) & FAULTS;
    (blocked != 0).then_some(Admitted { blocked, thread: PhantomData })
}

impl Drop for Admitted {
    /// Blocks what was blocked and nothing else: what happened to other signals meanwhile is kept.
    fn drop(&mut self) {
        change(libc::SIG_BLOCK, self.blocked);
    }
}

/// Whether SIGSEGV or SIGBUS is blocked in the calling thread now: a guarded load of a bad address would kill the
/// process. One system call: once a walk at most, never once a load.
///
/// # Signal safety
/// One `rt_sigprocmask`; errno is kept.
#[must_use]
pub fn faults_blocked() -> bool {
    change(libc::SIG_BLOCK, 0) & FAULTS != 0
}

/// Changes the calling thread's mask and returns what it was.
fn change(how: c_int, signals: u64) -> u64 {
    let mut before = set(0);
    // SAFETY: two sets of ours. `pthread_sigmask` returns its error, and with these arguments has none; errno is not
    // touched.
    unsafe { libc::pthread_sigmask(how, &set(signals), &mut before) };
    word(&before)
}

/// The signals of a set.
pub(super) fn word(set: &sigset_t) -> u64 {
    // SAFETY: the module's invariant; a sigset_t is plain integers.
    unsafe { ptr::from_ref(set).cast::<u64>().read_unaligned() }
}

/// A set of signals.
pub(super) fn set(signals: u64) -> sigset_t {
    // SAFETY: all-zero is the empty set; the first 8 bytes are the kernel's.
    unsafe {
        let mut set: sigset_t = core::mem::zeroed();
        ptr::from_mut(&mut set).cast::<u64>().write_unaligned(signals);
        set
    }
}

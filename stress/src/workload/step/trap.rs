//! Single-stepping of the calling thread by the trap flag of its own flags register.
//!
//! # Invariant
//!
//! The handlers run on the thread that they step, and only touch its constant-initialised thread-locals, atomics and the
//! published context: async-signal-safe. The flag is cleared by the kernel while the handler runs, and is set again by
//! the flags that the handler leaves in its context.
#![allow(unsafe_code)]

use super::{Stepping, pause};
use crate::attempt;
use crate::hash;
use crate::page::Tally;
use libc::{c_int, c_void, siginfo_t};
use std::arch::asm;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// TF in EFLAGS.
const TRAP_FLAG: i64 = 1 << 8;

static STRIDE: AtomicU64 = AtomicU64::new(1);
static BURST: AtomicU64 = AtomicU64::new(0);
static SEED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static OPEN: Cell<bool> = const { Cell::new(false) };
    /// Boundaries until the next walk, and until the end of the burst.
    static SKIP: Cell<u64> = const { Cell::new(0) };
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Installs the handlers.
pub fn prepare(step: Stepping, gap_us: u64, seed: u64) {
    STRIDE.store(step.stride, Relaxed);
    BURST.store(step.burst, Relaxed);
    SEED.store(seed, Relaxed);
    // SAFETY: all-zero is a valid sigaction; the handlers have the right signature and nothing is blocked in them but
    // their own signal.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_trap as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut());
    }
    if step.burst > 0 {
        pause::prepare(seed, gap_us * 1000, on_pause_over);
    }
}

/// From the next instruction on the calling thread is stepped; with bursts, from some moment on.
pub fn open() {
    OPEN.set(true);
    // The stride begins somewhere else in every trial.
    SKIP.set(hash::mix(SEED.load(Relaxed)) % STRIDE.load(Relaxed));
    match BURST.load(Relaxed) {
        0 => {
            LEFT.set(u64::MAX);
            set_flag();
        }
        _ => {
            pause::arm();
            pause::begin();
        }
    }
}

/// The thread runs freely again after the next instruction.
pub fn close() {
    OPEN.set(false);
}

fn set_flag() {
    // SAFETY: sets one bit of the flags; without `nostack`, the compiler keeps the red zone free. The handler is installed.
    unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq") }
}

/// The flags register in a handler's context.
///
/// # Safety
/// `context` is the kernel's, of the handler that is running.
unsafe fn flags<'a>(context: *mut c_void) -> &'a mut i64 {
    // SAFETY: by this function's contract.
    unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_EFL as usize] }
}

/// A burst begins.
extern "C" fn on_pause_over(_signal: c_int, _info: *mut siginfo_t, interrupted: *mut c_void) {
    if OPEN.get() {
        LEFT.set(BURST.load(Relaxed));
        // SAFETY: the kernel's context of this handler.
        unsafe { *flags(interrupted) |= TRAP_FLAG };
    }
}

extern "C" fn on_trap(_signal: c_int, _info: *mut siginfo_t, interrupted: *mut c_void) {
    // SAFETY: the kernel's context of this handler; the address of the calling thread's errno.
    let (flags, errno, _admitted) = unsafe {
        (flags(interrupted), &mut *libc::__errno_location(), sigwalk::signal::admit_faults(interrupted))
    };
    let Some(context) = attempt::context().filter(|_| OPEN.get()) else {
        *flags &= !TRAP_FLAG;
        return;
    };
    let before = *errno;
    context.page.boundaries.fetch_add(1, Relaxed);
    match SKIP.get() {
        0 => {
            SKIP.set(STRIDE.load(Relaxed) - 1);
            let tally = context.attempt_own();
            if !matches!(tally, Tally::Complete | Tally::NoThreadState) {
                // SAFETY: as above.
                let pc = unsafe {
                    (*interrupted.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize]
                };
                context.page.count_at(pc as u64, tally);
            }
        }
        skip => SKIP.set(skip - 1),
    }
    LEFT.set(LEFT.get() - 1);
    if LEFT.get() == 0 {
        *flags &= !TRAP_FLAG;
        pause::begin();
    } else {
        *flags |= TRAP_FLAG;
    }
    *errno = before;
}

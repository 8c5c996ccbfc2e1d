//! Single-stepping of the calling thread by the trap flag of its own flags register.
//!
//! A trap while SIGTRAP is blocked kills. glibc blocks every signal while it makes or ends a thread and while it forks, so the
//! handler looks at the instruction that comes: where it is `rt_sigprocmask`, SIGTRAP is left out of what it blocks. A new thread and
//! a forked child begin with the flag of their parent; a new thread clears it in its first trap, a child goes on being stepped.
//!
//! The handler runs on a stack of its own. On the target's it would leave its frames exactly where the target's next call finds its
//! uninitialised locals, and S2 would be about what a walker left there.
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
    /// The thread's handlers have a stack of their own.
    static STACK: Cell<bool> = const { Cell::new(false) };
    /// Boundaries until the next walk, and until the end of the burst.
    static SKIP: Cell<u64> = const { Cell::new(0) };
    static LEFT: Cell<u64> = const { Cell::new(0) };
    /// The register that was taken for a system call, and the set that the call was given instead.
    static TAKEN: Cell<i64> = const { Cell::new(0) };
    static OPENED: Cell<u64> = const { Cell::new(0) };
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
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        // A pause that is over while this handler runs would set the flag in it, where SIGTRAP is blocked.
        libc::sigaddset(&mut action.sa_mask, pause::SIGNAL);
        libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut());
    }
    if step.burst > 0 {
        pause::prepare(seed, gap_us * 1000, on_pause_over);
    }
}

/// From the next instruction on the calling thread is stepped; with bursts, from some moment on.
pub fn open() {
    if !STACK.replace(true) {
        own_stack();
    }
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

/// As [`open`], for a thread of the target, to its end.
pub fn arm() {
    if !OPEN.get() {
        open();
    }
}

/// Where windows are stepped in bursts, a forked child has bursts of its own.
pub fn arm_in_child() {
    if OPEN.get() && BURST.load(Relaxed) > 0 {
        pause::arm_in_child();
    }
}

/// The thread runs freely again after the next instruction.
pub fn close() {
    OPEN.set(false);
}

/// Room for two handlers, with vector state each, and a walk.
const STACK_BYTES: usize = 128 << 10;

/// Gives the calling thread a stack for its handlers. It is never unmapped: a thread's last instructions are stepped, too.
fn own_stack() {
    // SAFETY: a fresh mapping of that size, which nothing else uses, becomes the calling thread's alternate stack.
    unsafe {
        let place = libc::mmap(
            std::ptr::null_mut(),
            STACK_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if place != libc::MAP_FAILED {
            let stack = libc::stack_t { ss_sp: place, ss_flags: 0, ss_size: STACK_BYTES };
            libc::sigaltstack(&stack, std::ptr::null_mut());
        }
    }
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
        // SAFETY: the kernel's context of this handler, whose program counter is at code that is about to run: it may be the very
        // system call that blocks signals, and then the first trap would kill.
        unsafe {
            keep_traps_open(interrupted, true);
            *flags(interrupted) |= TRAP_FLAG;
        }
    }
}

extern "C" fn on_trap(_signal: c_int, _info: *mut siginfo_t, interrupted: *mut c_void) {
    // SAFETY: the kernel's context of this handler; the address of the calling thread's errno.
    let (flags, errno, _admitted) = unsafe {
        (flags(interrupted), &mut *libc::__errno_location(), sigwalk::signal::admit_faults(interrupted))
    };
    let Some(context) = attempt::context().filter(|_| OPEN.get()) else {
        // SAFETY: the kernel's context of this handler.
        unsafe { keep_traps_open(interrupted, false) };
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
    let goes_on = LEFT.get() > 0;
    // SAFETY: the kernel's context of this handler, whose program counter is at code that is about to run.
    unsafe { keep_traps_open(interrupted, goes_on) };
    if goes_on {
        *flags |= TRAP_FLAG;
    } else {
        *flags &= !TRAP_FLAG;
        pause::begin();
    }
    *errno = before;
}

/// Leaves SIGTRAP out of the set of a system call that is about to block signals, and gives the register back after it.
///
/// # Safety
/// `context` is the kernel's, of the handler that is running.
unsafe fn keep_traps_open(context: *mut c_void, goes_on: bool) {
    const SYSCALL: [u8; 2] = [0x0f, 0x05];
    const SIGTRAP: u64 = 1 << (libc::SIGTRAP - 1);
    // SAFETY: by this function's contract; the set is the interrupted code's, of 8 bytes, which the kernel would read now.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        if TAKEN.get() != 0 {
            registers[libc::REG_RSI as usize] = TAKEN.replace(0);
        }
        let blocks = goes_on
            && (registers[libc::REG_RIP as usize] as *const [u8; 2]).read_unaligned() == SYSCALL
            && registers[libc::REG_RAX as usize] == libc::SYS_rt_sigprocmask
            && registers[libc::REG_RDI as usize] != i64::from(libc::SIG_UNBLOCK);
        let set = registers[libc::REG_RSI as usize];
        if blocks && set != 0 {
            OPENED.set((set as *const u64).read_unaligned() & !SIGTRAP);
            TAKEN.set(set);
            registers[libc::REG_RSI as usize] = OPENED.with(|opened| opened.as_ptr() as i64);
        }
    }
}

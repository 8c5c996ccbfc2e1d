//! The handlers of a watched process, installed before CPython starts, so that the fault handler of guarded loads comes on top and
//! hands on what is not its own, as it does with any crash tracker's.
//!
//! # Invariant
//!
//! [`touch`] is three bytes of a load and a return: a fault of it is made good by going on behind the load.
#![allow(unsafe_code)]

use super::{stores, watch};
use libc::{c_int, c_void, siginfo_t, ucontext_t};
use std::arch::naked_asm;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Bytes of the stack that handlers run on.
pub const STACK: usize = 512 << 10;

/// Length of the load in [`touch`].
const LOAD: i64 = 3;

/// Crashes of [`touch`] are ones to walk at.
pub static CRASHES: AtomicBool = AtomicBool::new(false);

/// Reads a word. At a bad address it is the crash of a target.
#[unsafe(naked)]
pub extern "C" fn touch(at: *const u64) -> u64 {
    naked_asm!("mov rax, qword ptr [rdi]", "ret")
}

/// Installs both.
pub fn install() {
    for (signal, handler) in [(libc::SIGSEGV, on_fault as *const ()), (libc::SIGTRAP, on_trap as *const ())] {
        // SAFETY: all-zero is a valid sigaction; the handlers have the right signature. SA_NODEFER: a walk in the handler stores and
        // loads badly itself.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// A stack for handlers, for ever; its addresses.
///
/// # Errors
/// The kernel refuses.
pub fn own_stack() -> std::io::Result<std::ops::Range<u64>> {
    // SAFETY: a fresh mapping, never unmapped.
    unsafe {
        let mapping = libc::mmap(
            std::ptr::null_mut(),
            STACK,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if mapping == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(mapping as u64..mapping as u64 + STACK as u64)
    }
}

/// Makes it the stack of the calling thread's handlers. Again where a subject was prepared: `faulthandler.register` brings a stack of
/// its own, which is smaller.
///
/// # Errors
/// The kernel refuses.
pub fn use_stack(stack: &std::ops::Range<u64>) -> std::io::Result<()> {
    let stack = libc::stack_t { ss_sp: stack.start as *mut c_void, ss_flags: 0, ss_size: STACK };
    // SAFETY: the mapping of `own_stack`.
    match unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

extern "C" fn on_fault(_: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's siginfo and context.
    unsafe {
        if stores::on_fault(info, context) {
            return;
        }
        let registers = &mut (*context.cast::<ucontext_t>()).uc_mcontext.gregs;
        if CRASHES.load(Relaxed) && registers[libc::REG_RIP as usize] == touch as *const () as i64 {
            watch::visit();
            registers[libc::REG_RIP as usize] += LOAD;
            return;
        }
        // Happens again when we return, and is fatal then.
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
    }
}

extern "C" fn on_trap(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's context.
    unsafe { stores::on_trap(context) };
}

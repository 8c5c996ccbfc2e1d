//! The crash reporter of a trial's process: writes where it died to the shared page, then lets it die of the signal.
//!
//! Installed before sigwalk's own fault handler, which chains to it: a guarded load never gets here.
#![allow(unsafe_code)]

use crate::attempt;
use crate::page::Page;
use libc::{c_int, c_void, siginfo_t};
use std::sync::atomic::{AtomicPtr, Ordering};

/// `si_code` of faults for which the kernel supplies no address (not in the libc crate).
const SI_KERNEL: c_int = 0x80;

static PAGE: AtomicPtr<Page> = AtomicPtr::new(std::ptr::null_mut());

/// Signals that end a process because of what it did.
pub const SIGNALS: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT, libc::SIGILL, libc::SIGFPE];

/// Reports crashes of this process to `page` from now on.
pub fn report_to(page: &'static Page) {
    PAGE.store(std::ptr::from_ref(page).cast_mut(), Ordering::Release);
    for signal in SIGNALS {
        // SAFETY: all-zero is a valid sigaction; the handler has the right signature. SA_RESETHAND: a second fault, in
        // the reporter itself, is fatal at once.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_crash as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

extern "C" fn on_crash(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the page is never unmapped; info and context are the kernel's; sigaction and raise are async-signal-safe.
    unsafe {
        if let Some(page) = PAGE.load(Ordering::Acquire).as_ref() {
            let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
            let pc = registers[libc::REG_RIP as usize] as u64;
            // A general-protection fault (a non-canonical address) comes without an address; 0 would read as NULL.
            let address = if (*info).si_code == SI_KERNEL { 0 } else { (*info).si_addr() as u64 };
            page.record_crash(signal, attempt::phase(), address, pc);
        }
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &default, std::ptr::null_mut());
        // A fault of an instruction happens again when we return; what was sent (abort) must be sent again.
        if (*info).si_code <= 0 {
            libc::raise(signal);
        }
    }
}

//! Ctrl-C and SIGTERM: asked to stop, what is finished is kept.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ASKED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_signal: c_int) {
    ASKED.store(true, Relaxed);
}

/// Takes SIGINT and SIGTERM over.
pub fn prepare() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: all-zero is a valid sigaction; the handler only stores to an atomic. SA_RESETHAND: a second Ctrl-C
        // ends the process at once.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_RESETHAND;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Whether a stop was asked for.
#[must_use]
pub fn asked() -> bool {
    ASKED.load(Relaxed)
}

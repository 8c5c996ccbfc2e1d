//! What `sigaction` says of a signal, as plain words that can be compared and put back.
//!
//! # Invariant
//!
//! A disposition is SIG_DFL, SIG_IGN, a handler of ours with the signature that its flags say, or what the kernel gave us. A
//! `sigset_t` begins with the kernel's 64 signals, and the rest of it is nobody's.
#![allow(unsafe_code)]

use libc::{c_int, sigset_t};

/// A disposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// Address of the handler, SIG_DFL or SIG_IGN.
    pub handler: usize,
    /// Without SA_RESTORER, which the C library adds to whatever it installs.
    pub flags: c_int,
    /// Signals that are blocked meanwhile.
    pub mask: u64,
}

/// Not in the libc crate for this target.
const SA_RESTORER: c_int = 0x0400_0000;

/// Every signal.
pub const EVERY: u64 = u64::MAX;

impl Disposition {
    /// The default action.
    pub const DEFAULT: Disposition = Disposition { handler: libc::SIG_DFL, flags: 0, mask: 0 };
    /// The signal is ignored.
    pub const IGNORE: Disposition = Disposition { handler: libc::SIG_IGN, flags: 0, mask: 0 };

    /// That of `signal` now.
    ///
    /// # Signal safety
    /// `sigaction` is on POSIX's list.
    #[must_use]
    pub fn of(signal: c_int) -> Disposition {
        // SAFETY: all-zero is a valid action, which the kernel fills; the module's invariant for the mask.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &mut action);
            Disposition {
                handler: action.sa_sigaction,
                flags: action.sa_flags & !SA_RESTORER,
                mask: (&raw const action.sa_mask).cast::<u64>().read_unaligned(),
            }
        }
    }

    /// Makes it that of `signal`.
    ///
    /// # Signal safety
    /// As [`Disposition::of`].
    pub fn put(self, signal: c_int) {
        // SAFETY: all-zero is a valid action with an empty mask; the module's invariant for handler and mask.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = self.handler;
            action.sa_flags = self.flags;
            (&raw mut action.sa_mask).cast::<u64>().write_unaligned(self.mask);
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Blocks `signal` in the calling thread, or lets it through.
pub fn block(signal: c_int, blocked: bool) {
    // SAFETY: a set of one signal, made here.
    unsafe {
        let mut set: sigset_t = std::mem::zeroed();
        libc::sigaddset(&mut set, signal);
        let how = if blocked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK };
        libc::pthread_sigmask(how, &set, std::ptr::null_mut());
    }
}

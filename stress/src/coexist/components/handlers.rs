//! Handlers as crash reporters of other languages have them.
//!
//! # Invariant
//!
//! What was there before is kept before a handler of this file is installed, by a process with one thread. `info` and `context` are
//! the kernel's, or those that a handler which chains got from it.
#![allow(unsafe_code)]

use super::FAULTS;
use crate::coexist::component::{Component, Hears, Takes};
use crate::coexist::disposition::{Disposition, EVERY};
use crate::coexist::scene;
use libc::{c_int, c_void, siginfo_t};
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// All.
pub const ALL: &[Component] = &[
    Component {
        name: "chains",
        about: "a handler that counts and calls the one that was there before",
        takes: Takes::Faults,
        install: |_| install(chains, libc::SA_SIGINFO | libc::SA_ONSTACK, 0),
        hears: Hears::Counts,
    },
    Component {
        name: "never-chains",
        about: "a handler that ends the process with a code of its own",
        takes: Takes::Faults,
        install: |_| install(never_chains, libc::SA_SIGINFO, 0),
        hears: Hears::Exits(CODE),
    },
    Component {
        name: "onstack-returns",
        about: "own alternate stack, every signal blocked; puts the earlier handler back and returns to the fault (Breakpad)",
        takes: Takes::Faults,
        install: |_| on_own_stack(returns),
        hears: Hears::Counts,
    },
    Component {
        name: "onstack-raises",
        about: "own alternate stack, every signal blocked; puts the earlier handler back and raises the signal (Abseil)",
        takes: Takes::Faults,
        install: |_| on_own_stack(raises),
        hears: Hears::Counts,
    },
];

/// What [`never_chains`] ends with.
const CODE: c_int = 42;

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// What was there before: handler, flags and mask of SIGSEGV and SIGBUS.
static EARLIER: [(AtomicUsize, AtomicI32, AtomicU64); 2] =
    [const { (AtomicUsize::new(0), AtomicI32::new(0), AtomicU64::new(0)) }; 2];

fn earlier(signal: c_int) -> Disposition {
    let (handler, flags, mask) = &EARLIER[usize::from(signal == libc::SIGBUS)];
    Disposition { handler: handler.load(Relaxed), flags: flags.load(Relaxed), mask: mask.load(Relaxed) }
}

fn install(handler: Handler, flags: c_int, mask: u64) -> Result<(), String> {
    for (signal, (place, place_of_flags, place_of_mask)) in FAULTS.into_iter().zip(&EARLIER) {
        let before = Disposition::of(signal);
        place.store(before.handler, Relaxed);
        place_of_flags.store(before.flags, Relaxed);
        place_of_mask.store(before.mask, Relaxed);
        Disposition { handler: handler as usize, flags, mask }.put(signal);
    }
    Ok(())
}

/// With an alternate stack of its own for this thread, which it keeps.
fn on_own_stack(handler: Handler) -> Result<(), String> {
    const SIZE: usize = 64 << 10;
    let stack = Box::leak(vec![0_u8; SIZE].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIZE };
    // SAFETY: memory that is never freed.
    if unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) } != 0 {
        return Err(format!("sigaltstack: {}", std::io::Error::last_os_error()));
    }
    install(handler, libc::SA_SIGINFO | libc::SA_ONSTACK, EVERY)
}

extern "C" fn chains(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    scene::heard();
    let earlier = earlier(signal);
    match earlier.handler {
        // The fault happens again when we return, and is fatal then.
        libc::SIG_DFL | libc::SIG_IGN => Disposition::DEFAULT.put(signal),
        handler if earlier.flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: a handler installed with SA_SIGINFO has this signature; the module's invariant for what it gets.
            let function: Handler = unsafe { std::mem::transmute(handler) };
            function(signal, info, context);
        }
        handler => {
            // SAFETY: a handler installed without SA_SIGINFO has this signature.
            let function: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            function(signal);
        }
    }
}

extern "C" fn never_chains(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    scene::heard();
    // SAFETY: async-signal-safe.
    unsafe { libc::_exit(CODE) }
}

/// As `google_breakpad::ExceptionHandler::SignalHandler` ends: what was sent is sent again, a fault happens again by itself.
extern "C" fn returns(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    scene::heard();
    FAULTS.into_iter().for_each(|signal| earlier(signal).put(signal));
    // SAFETY: the kernel's siginfo; raise is async-signal-safe.
    unsafe {
        if (*info).si_code <= 0 {
            libc::raise(signal);
        }
    }
}

/// As `absl::AbslFailureSignalHandler` ends with `call_previous_handler`.
extern "C" fn raises(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
    scene::heard();
    earlier(signal).put(signal);
    // SAFETY: async-signal-safe. It is blocked, and so delivered when we return.
    unsafe { libc::raise(signal) };
}

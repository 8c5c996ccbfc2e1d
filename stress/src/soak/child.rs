//! The process of a soaked program: prepares the storm, where there is one, and hands over to `Py_BytesMain`.
//!
//! We initialise nothing of CPython and run no code in it, so that the program meets what python3 gives it, and the storm
//! covers start and finalisation. All that a walk needs is known before: symbols and layout are constant data, and the place of the
//! thread state was found and verified by the parent, which is the same executable ([`Live::before_start`]). A hook that
//! completed it later (audit hook, sitecustomize) would be seen by the program, and would miss the start.
#![allow(unsafe_code)]

use super::shared::Shared;
use super::storm;
use crate::cli::SoakProgram;
use crate::failure::Failure;
use sigwalk::signal::AltStack;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::ffi;
use sigwalk_record::Phase;
use std::ffi::{CString, c_int};
use std::os::unix::ffi::OsStrExt;

/// Becomes the program; the exit code.
///
/// # Errors
/// The storm cannot be prepared. The parent reads it from stderr.
pub fn run(arguments: &SoakProgram) -> Result<i32, Failure> {
    // SAFETY: plain system calls of a single-threaded process. Rust's runtime ignores SIGPIPE and catches stack overflows, which
    // python3 does not.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        for signal in [libc::SIGPIPE, libc::SIGSEGV, libc::SIGBUS] {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
    let shared =
        arguments.page.map(Shared::inherited).transpose().map_err(|error| failed(error.to_string()))?;
    if let Some(shared) = shared {
        shared.page.enter(Phase::Setup);
        let subject = super::subject(&arguments.walker).map_err(Failure::usage)?;
        let live = Live::before_start(arguments.bound)?;
        // For guarded loads of the main thread after a stack overflow; other threads are Python's, and have none.
        std::mem::forget(AltStack::install());
        shared.page.enter(Phase::Target);
        storm::begin(shared, live, subject, arguments.gap, arguments.seed).map_err(failed)?;
    }
    let mut words = vec![sigwalk_embed::EXECUTABLE.as_bytes()];
    words.extend(arguments.arguments.iter().map(|word| word.as_bytes()));
    let words: Result<Vec<CString>, _> = words.into_iter().map(CString::new).collect();
    let words = words.map_err(|error| failed(error.to_string()))?;
    let mut pointers: Vec<_> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    pointers.push(std::ptr::null_mut());
    // SAFETY: not initialised yet; argc strings and a null behind them, which outlive the call and are not written to.
    let code = unsafe { ffi::Py_BytesMain(words.len() as c_int, pointers.as_mut_ptr()) };
    if let Some(shared) = shared {
        storm::end();
        shared.page.enter(Phase::Done);
    }
    Ok(code)
}

fn failed(why: String) -> Failure {
    Failure::internal(format!("soak: {why}"))
}

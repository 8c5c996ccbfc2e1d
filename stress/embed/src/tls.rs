//! Where a thread keeps its thread state, as offsets from the thread pointer.
//!
//! The variables are hidden, at offsets that differ from build to build, and the accessors that CPython exports go through
//! `__tls_get_addr`, which may allocate. A load at a fixed offset from the thread pointer is all that a signal handler can
//! afford. It is right only where libpython was loaded at the start of the program, so that its block is part of every thread
//! (static TLS); a second thread is asked to prove it.
#![allow(unsafe_code)]

use crate::thread::on_a_thread;
use crate::tls_words::{offsets, read};
use pyo3::ffi;

/// Offsets in bytes from the thread pointer (`fs:0`) to the words that hold a `PyThreadState *`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsSlots {
    /// Null while the thread is detached. 3.12 and later.
    pub attached: Option<isize>,
    /// Kept while the thread is detached. 3.15 and later; before, see [`crate::bound_key`].
    pub bound: Option<isize>,
}

/// Finds the slots. The caller must be attached; it is detached and attached again twice, so other threads may run.
///
/// `None` where there are none (3.11), where the caller is not attached, where more than one word fits, or where a second thread
/// contradicts: libpython was loaded by dlopen.
#[must_use]
pub fn slots() -> Option<TlsSlots> {
    // SAFETY: may be called at any time. The check is needed because detaching while detached is a fatal error.
    let state = unsafe {
        if ffi::Py_IsInitialized() == 0 || ffi::PyGILState_Check() == 0 {
            return None;
        }
        ffi::PyGILState_GetThisThreadState()
    };
    if state.is_null() {
        return None;
    }
    let words = offsets();
    let matching = |words: &[isize], state: usize| -> Vec<isize> {
        // SAFETY: offsets of this thread, taken above.
        words.iter().copied().filter(|word| unsafe { read(*word) } == state).collect()
    };
    let both = matching(&words, state as usize);
    // SAFETY: this thread is attached with `state`, as was just checked, and attaches again with the same.
    let kept = unsafe {
        let saved = ffi::PyEval_SaveThread();
        let kept = matching(&both, state as usize);
        ffi::PyEval_RestoreThread(saved);
        kept
    };
    let cleared: Vec<isize> = both.into_iter().filter(|word| !kept.contains(word)).collect();
    let (attached, bound) = (at_most_one(&cleared)?, at_most_one(&kept)?);
    let slots = TlsSlots { attached, bound };
    ((attached.is_some() || bound.is_some()) && holds_on_another_thread(slots)).then_some(slots)
}

/// `None` where the answer is ambiguous.
fn at_most_one(words: &[isize]) -> Option<Option<isize>> {
    match words {
        [] => Some(None),
        [word] => Some(Some(*word)),
        _ => None,
    }
}

/// Whether a fresh native thread finds its own thread state at the same offsets.
fn holds_on_another_thread(slots: TlsSlots) -> bool {
    let check = move || {
        let words = offsets();
        let wanted: Vec<isize> = slots.attached.into_iter().chain(slots.bound).collect();
        // Not before this check may the offsets be read: with dynamic TLS they lead to somebody else's memory.
        if !wanted.iter().all(|word| words.contains(word)) {
            return false;
        }
        // SAFETY: a native thread of an initialised interpreter; Release undoes Ensure on the same thread; the offsets are
        // among this thread's own, as was just checked.
        unsafe {
            let gil = ffi::PyGILState_Ensure();
            let state = ffi::PyGILState_GetThisThreadState() as usize;
            let right = wanted.iter().all(|word| read(*word) == state);
            ffi::PyGILState_Release(gil);
            right
        }
    };
    // SAFETY: the caller is attached; it must not be while it waits for a thread that attaches.
    unsafe {
        let saved = ffi::PyEval_SaveThread();
        let right = on_a_thread(check).unwrap_or(false);
        ffi::PyEval_RestoreThread(saved);
        right
    }
}

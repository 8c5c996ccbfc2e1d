//! Thread states that native threads make, lose and leave behind.
#![allow(unsafe_code)]

use super::{Callee, Native, error, none};
use crate::workload;
use sigwalk_embed::pyo3::ffi::{self, PyObject, PyThreadState};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::{Duration, Instant};

/// This family's functions.
pub const ALL: &[Native] = &[
    Native::with_argument(c"sigwalk_ensure", ensure),
    Native::with_argument(c"sigwalk_delete_other", delete_other),
    Native::plain(c"sigwalk_vanish", vanish),
];

/// Native threads that [`ensure`] starts, and how often each asks for a thread state.
const THREADS: usize = 2;
const ROUNDS: usize = 4;

/// How long the victim of [`delete_other`] is walked with a slot that dangles.
const DANGLING: Duration = Duration::from_micros(100);

// `pthread_exit` unwinds the stack of the thread that it ends, which libc's declaration does not say.
unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut c_void) -> !;
}

/// Runs `threads` while the calling thread is detached, and waits for them.
fn detached(threads: Vec<Box<dyn FnOnce() + Send>>) -> bool {
    // SAFETY: attached before and after; nothing of Python is touched in between.
    unsafe {
        let state = ffi::PyEval_SaveThread();
        let spawned: Vec<_> =
            threads.into_iter().map(|thread| std::thread::Builder::new().spawn(thread)).collect();
        let all = spawned.into_iter().all(|thread| thread.is_ok_and(|thread| thread.join().is_ok()));
        ffi::PyEval_RestoreThread(state);
        all
    }
}

/// S15: calls the argument on native threads, each of which gets a thread state and gives it back, several times.
unsafe extern "C-unwind" fn ensure(_module: *mut PyObject, function: *mut PyObject) -> *mut PyObject {
    let function = Callee(function);
    let body = move || {
        workload::arm();
        for _ in 0..ROUNDS {
            // SAFETY: a thread that has no state of its own, or had one and released it; attached in between.
            unsafe {
                let gil = ffi::PyGILState_Ensure();
                function.call();
                ffi::PyGILState_Release(gil);
            }
        }
    };
    let threads = (0..THREADS).map(|_| Box::new(body) as Box<dyn FnOnce() + Send>).collect();
    if detached(threads) { none() } else { error(c"a native thread could not run") }
}

/// S10: one native thread deletes the thread state of another, which then runs on with a slot that points to freed
/// memory. Up to 3.11 that is all; from 3.12 on the slot of the thread that deletes is emptied, too. Both call the
/// argument while they have a state.
unsafe extern "C-unwind" fn delete_other(_module: *mut PyObject, function: *mut PyObject) -> *mut PyObject {
    static VICTIM: AtomicPtr<PyThreadState> = AtomicPtr::new(std::ptr::null_mut());
    static DELETED: AtomicBool = AtomicBool::new(false);
    VICTIM.store(std::ptr::null_mut(), Ordering::Release);
    DELETED.store(false, Ordering::Release);
    let function = Callee(function);
    let victim = move || {
        workload::arm();
        // SAFETY: a thread without a state; it detaches before it hands its state over, and never attaches again.
        unsafe {
            ffi::PyGILState_Ensure();
            function.call();
            VICTIM.store(ffi::PyEval_SaveThread(), Ordering::Release);
        }
        while !DELETED.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        while begun.elapsed() < DANGLING {
            std::hint::spin_loop();
        }
    };
    let deleter = move || {
        workload::arm();
        let state = loop {
            let state = VICTIM.load(Ordering::Acquire);
            if !state.is_null() {
                break state;
            }
            std::thread::yield_now();
        };
        // SAFETY: attached with a state of its own; the victim's is nobody's current one. Its own is deleted without
        // PyGILState_Release, which looks into the slot that the first deletion may have emptied.
        unsafe {
            ffi::PyGILState_Ensure();
            ffi::PyThreadState_Clear(state);
            ffi::PyThreadState_Delete(state);
            DELETED.store(true, Ordering::Release);
            function.call();
            ffi::PyThreadState_Clear(ffi::PyThreadState_Get());
            ffi::PyThreadState_DeleteCurrent();
        }
    };
    if detached(vec![Box::new(victim), Box::new(deleter)]) {
        none()
    } else {
        error(c"a native thread could not run")
    }
}

/// S6: the calling thread ends here, by pthread_exit, through the frames that it is in: its thread state stays in the list,
/// and names frames of which the entry frames were on a C stack that is gone. The GIL is given back before.
unsafe extern "C-unwind" fn vanish(_module: *mut PyObject, _argument: *mut PyObject) -> *mut PyObject {
    // SAFETY: attached, on a thread that Python started and nobody waits for. The C frames above have unwind tables and
    // no clean-up, and so has this one.
    unsafe {
        ffi::PyEval_SaveThread();
        pthread_exit(std::ptr::null_mut())
    }
}

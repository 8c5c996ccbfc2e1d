//! A child that is walked from its first instruction on.
#![allow(unsafe_code)]

use super::{Callee, Native, error, none};
use crate::workload::{signal, step};
use crate::{attempt, child};
use sigwalk_embed::pyo3::ffi::{self, PyObject};
use std::time::{Duration, Instant};

/// This family's functions.
pub const ALL: &[Native] = &[Native::with_argument(c"sigwalk_fork", fork)];

/// How long the child stays in the window between fork and PyOS_AfterFork_Child.
const WINDOW: Duration = Duration::from_micros(100);

/// S14: forks, as `os.fork` does. The child has a timer from the start (a timer is not inherited), is walked before, in and
/// after PyOS_AfterFork_Child, calls the argument and ends. Both are counted on the trial's page; a child that dies takes its
/// parent with it.
unsafe extern "C-unwind" fn fork(_module: *mut PyObject, function: *mut PyObject) -> *mut PyObject {
    let function = Callee(function);
    // SAFETY: attached; CPython's own hooks stand around the fork. The child ends without destructors and closes nothing.
    let pid = unsafe {
        ffi::PyOS_BeforeFork();
        let pid = libc::fork();
        if pid == 0 {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            // Before the first signal: `syscall` and its like would walk the parent.
            if let Some(context) = attempt::context() {
                context.in_forked_child().publish();
            }
            signal::arm_in_child();
            step::arm_in_child();
            let begun = Instant::now();
            while begun.elapsed() < WINDOW {
                std::hint::spin_loop();
            }
            ffi::PyOS_AfterFork_Child();
            function.call();
            // The context of the child is a copy: what its walks found is said by it.
            if let Some((context, note)) =
                attempt::context().and_then(|context| Some((context, context.witness()?)))
            {
                context.page.leave_note(&note);
            }
            libc::_exit(0);
        }
        ffi::PyOS_AfterFork_Parent();
        pid
    };
    if pid < 0 {
        return error(c"fork failed");
    }
    // SAFETY: attached before and after; nothing of Python is touched in between.
    let ended = unsafe {
        let state = ffi::PyEval_SaveThread();
        let ended = child::wait(pid);
        ffi::PyEval_RestoreThread(state);
        ended
    };
    if ended.is_ok() { none() } else { error(c"the child failed") }
}

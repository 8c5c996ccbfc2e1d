//! Interpreters besides the main one.
#![allow(unsafe_code)]

use super::{Native, error, none};
use crate::attempt;
use sigwalk_embed::pyo3::ffi::{self, PyObject};
use std::sync::atomic::Ordering;

/// This family's functions.
pub const ALL: &[Native] = &[Native::with_argument(c"sigwalk_subinterpreter", subinterpreter)];

/// S13: makes an interpreter, runs the argument (source text) in it, swaps to the first one and back, and ends it. What runs
/// in it is code that the oracle does not know.
unsafe extern "C-unwind" fn subinterpreter(_module: *mut PyObject, source: *mut PyObject) -> *mut PyObject {
    if let Some(context) = attempt::context() {
        context.page.lenient.store(1, Ordering::Relaxed);
    }
    // SAFETY: attached to the first interpreter before and after; the text belongs to an object of the caller. The second
    // interpreter has no thread but this one when it ends, and no frame.
    unsafe {
        let text = ffi::PyUnicode_AsUTF8(source);
        if text.is_null() {
            return std::ptr::null_mut();
        }
        let first = ffi::PyThreadState_Get();
        let second = ffi::Py_NewInterpreter();
        if second.is_null() {
            ffi::PyThreadState_Swap(first);
            return error(c"Py_NewInterpreter failed");
        }
        let failed = ffi::PyRun_SimpleString(text) != 0;
        ffi::PyThreadState_Swap(first);
        ffi::PyThreadState_Swap(second);
        ffi::Py_EndInterpreter(second);
        ffi::PyThreadState_Swap(first);
        if failed { error(c"the program of the second interpreter failed") } else { none() }
    }
}

//! Functions that targets get from here: what Python code cannot do. A new one is a row in one of the files.
//!
//! # Invariant
//!
//! Each has CPython's calling convention, is called attached, and returns a new reference, or NULL with an exception set. Plain
//! C API calls and no pyo3 on the way: some of them end their thread or delete thread states, which nothing that pyo3
//! keeps on the stack would survive.
#![allow(unsafe_code)]

mod fork;
mod interpreters;
mod signals;
mod states;

use sigwalk_embed::pyo3::ffi::{self, PyObject};
use sigwalk_embed::pyo3::prelude::*;
use std::ffi::{CStr, c_int};

/// CPython's `PyCFunction`, except that a thread may end in it.
pub type Function =
    unsafe extern "C-unwind" fn(module: *mut PyObject, argument: *mut PyObject) -> *mut PyObject;

/// A function for targets.
#[derive(Debug)]
pub struct Native {
    /// Its name in the target's namespace.
    pub name: &'static CStr,
    /// METH_NOARGS or METH_O.
    flags: c_int,
    function: Function,
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Native> {
    [signals::ALL, states::ALL, interpreters::ALL, fork::ALL].into_iter().flatten()
}

impl Native {
    /// One without an argument.
    pub const fn plain(name: &'static CStr, function: Function) -> Native {
        Native { name, flags: ffi::METH_NOARGS, function }
    }

    /// One with one argument.
    pub const fn with_argument(name: &'static CStr, function: Function) -> Native {
        Native { name, flags: ffi::METH_O, function }
    }

    /// The Python object.
    ///
    /// # Errors
    /// Python's.
    pub fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the two types differ in what may happen on the way out only.
        let function = unsafe { std::mem::transmute::<Function, ffi::PyCFunction>(self.function) };
        // Python keeps the address of the definition.
        let definition = Box::leak(Box::new(ffi::PyMethodDef {
            ml_name: self.name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
            ml_flags: self.flags,
            ml_doc: std::ptr::null(),
        }));
        // SAFETY: attached; the definition lives for ever; a new reference or NULL with an exception.
        unsafe {
            let object = ffi::PyCFunction_NewEx(definition, std::ptr::null_mut(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(py, object)
        }
    }
}

/// A new reference to None.
pub fn none() -> *mut PyObject {
    // SAFETY: attached (the module's invariant); None is never freed.
    unsafe {
        let none = ffi::Py_None();
        ffi::Py_IncRef(none);
        none
    }
}

/// NULL, with a RuntimeError.
fn error(text: &CStr) -> *mut PyObject {
    // SAFETY: attached (the module's invariant); the text is copied.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_RuntimeError, text.as_ptr()) };
    std::ptr::null_mut()
}

/// An object that another thread is to call while the caller of this function waits for it, with its own reference.
#[derive(Clone, Copy)]
struct Callee(*mut PyObject);

// SAFETY: used by a thread that is attached, while the thread that has the reference waits.
unsafe impl Send for Callee {}

impl Callee {
    /// Calls it and drops the result; an exception is printed.
    ///
    /// # Safety
    /// The calling thread is attached.
    unsafe fn call(self) {
        // SAFETY: the caller's; the object is alive (see above).
        unsafe {
            let result = ffi::PyObject_CallNoArgs(self.0);
            if result.is_null() {
                ffi::PyErr_Print();
            } else {
                ffi::Py_DecRef(result);
            }
        }
    }
}

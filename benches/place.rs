//! Where a subject stands when it walks: native code at the bottom of a Python stack.
//!
//! What is timed runs *inside* the innermost Python call, so that the frames are there while it does.
#![allow(unsafe_code)]

use crate::failure::Failure;
use sigwalk::addr::Addr;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::pyo3::prelude::*;
use std::ffi::{CStr, c_void};
use std::ptr;

const CAPSULE: &CStr = c"sigwalk_benches.bottom";

/// What native code at the bottom of a stack can use.
#[derive(Clone, Copy)]
pub struct Here<'py> {
    /// Proof of being attached.
    pub py: Python<'py>,
    /// The interpreter as walkers see it.
    pub live: Live,
    /// The thread state of this thread.
    pub tstate: Addr,
    /// Python frames above.
    pub depth: u64,
    /// Which real stack this is; `None` for one that was made to a depth.
    pub stack: Option<&'static str>,
}

/// How native code comes to the bottom of a stack.
#[derive(Debug, Clone, Copy)]
pub struct Native {
    method: *mut ffi::PyMethodDef,
    live: Live,
}

impl Native {
    /// Once a process.
    #[must_use]
    pub fn new(live: Live) -> Self {
        // CPython keeps the pointer as long as any function made from it lives: leaked.
        let method = Box::leak(Box::new(ffi::PyMethodDef {
            ml_name: c"bottom".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: bottom },
            ml_flags: ffi::METH_NOARGS,
            ml_doc: ptr::null(),
        }));
        Native { method, live }
    }
}

/// A Python callable that calls the function it is given, at the bottom of `depth` frames.
#[derive(Debug)]
pub struct Place<'py> {
    descend: Bound<'py, PyAny>,
    native: Native,
    /// Python frames.
    pub depth: u64,
    /// Which real stack this is; `None` for one that was made to a depth.
    pub stack: Option<&'static str>,
}

impl<'py> Place<'py> {
    /// A stack that was made to a depth.
    #[must_use]
    pub fn made(native: Native, descend: Bound<'py, PyAny>, depth: u64) -> Self {
        Place { descend, native, depth, stack: None }
    }

    /// A stack whose depth is what `sys._getframe` sees at its bottom.
    ///
    /// # Errors
    /// Whatever Python raises on the way down.
    pub fn found(native: Native, descend: Bound<'py, PyAny>, stack: &'static str) -> Result<Self, Failure> {
        let mut place = Place { descend, native, depth: 0, stack: Some(stack) };
        let known = place.at(|here| crate::reference::frames(here.py))??;
        place.depth = known.len() as u64;
        Ok(place)
    }

    /// Runs `work` at the bottom.
    ///
    /// # Errors
    /// Whatever Python raises on the way down, a lost thread state.
    pub fn at<T>(&self, work: impl FnOnce(&Here<'py>) -> T) -> Result<T, Failure> {
        let py = self.descend.py();
        let Native { method, live } = self.native;
        let (mut work, mut result) = (Some(work), None);
        let mut step = || {
            let tstate = live.tstate()?;
            let here = Here { py, live, tstate, depth: self.depth, stack: self.stack };
            result = Some(work.take()?(&here));
            Some(())
        };
        let mut step: &mut dyn FnMut() -> Option<()> = &mut step;
        // SAFETY: attached. The capsule holds the address of `step`, which outlives the call below; only `bottom` reads
        // it, and a function kept beyond that call is called by nobody: no stack here keeps what it was given to call it
        // later.
        let function: Bound<'py, PyAny> = unsafe {
            let pointer = (&raw mut step).cast::<c_void>();
            let capsule = ffi::PyCapsule_New(pointer, CAPSULE.as_ptr(), None);
            let capsule: Bound<'py, PyAny> = Bound::from_owned_ptr_or_err(py, capsule)?;
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyCFunction_NewEx(method, capsule.as_ptr(), ptr::null_mut()),
            )?
        };
        self.descend.call1((function,))?;
        result.ok_or_else(|| {
            let stack = self.stack.unwrap_or("ladder");
            Failure::internal(format!(
                "the bottom of the stack {stack} was not reached, or its thread state not found"
            ))
        })
    }
}

/// The C function at the bottom of the stack.
unsafe extern "C" fn bottom(capsule: *mut ffi::PyObject, _none: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by CPython, attached, with the capsule that `Place::at` made; that call is still on the stack, and
    // with it the closure. A panic cannot leave an `extern "C"` function: it ends the process, with its message.
    unsafe {
        let step = ffi::PyCapsule_GetPointer(capsule, CAPSULE.as_ptr());
        if step.is_null() {
            return ptr::null_mut();
        }
        let step = &mut *step.cast::<&mut dyn FnMut() -> Option<()>>();
        // Whether it ran is told by the result that it left.
        let _ = step();
        ffi::Py_NewRef(ffi::Py_None())
    }
}

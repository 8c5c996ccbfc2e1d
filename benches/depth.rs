//! Stacks of a known depth: a ring of Python functions that call each other, and native code at the bottom.
//!
//! Not one recursive function but sixteen, of different lengths, each with its own code object and line table: a walk
//! over one code object would find it in the cache every time and every branch of the line decoder predicted, which no
//! real stack grants.
//!
//! What is timed runs *inside* the innermost call, so that the Python frames are there while it does. No call crosses C
//! on the way down: the stack is one run of the eval loop, as in a Python program that calls Python functions.
#![allow(unsafe_code)]

use crate::failure::Failure;
use sigwalk::addr::Addr;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::pyo3::prelude::*;
use std::ffi::{CStr, CString, c_void};
use std::fmt::Write as _;
use std::ptr;

/// The depths that are measured.
pub const DEPTHS: [u64; 7] = [1, 4, 16, 64, 100, 256, 1024];

const FUNCTIONS: usize = 16;
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
}

/// The ring of functions.
#[derive(Debug)]
pub struct Ladder<'py> {
    first: Bound<'py, PyAny>,
    method: *mut ffi::PyMethodDef,
    live: Live,
}

impl<'py> Ladder<'py> {
    /// Compiles the functions, and raises the recursion limit over the greatest depth.
    ///
    /// # Errors
    /// Whatever Python raises.
    pub fn new(py: Python<'py>, live: Live) -> Result<Self, Failure> {
        let source = CString::new(source()).map_err(|error| Failure::internal(error.to_string()))?;
        let module = PyModule::from_code(py, &source, c"sigwalk_bench/ladder.py", c"ladder")?;
        let greatest = DEPTHS.iter().max().copied().unwrap_or_default();
        py.import("sys")?.call_method1("setrecursionlimit", (greatest + 1000,))?;
        // CPython keeps the pointer as long as any function made from it lives: leaked, once a process.
        let method = Box::leak(Box::new(ffi::PyMethodDef {
            ml_name: c"bottom".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: bottom },
            ml_flags: ffi::METH_NOARGS,
            ml_doc: ptr::null(),
        }));
        Ok(Ladder { first: module.getattr("rung_0")?, method, live })
    }

    /// Runs `work` under `depth` Python frames.
    ///
    /// # Errors
    /// Whatever Python raises on the way down, a lost thread state.
    pub fn at<T>(&self, depth: u64, work: impl FnOnce(&Here<'py>) -> T) -> Result<T, Failure> {
        let py = self.first.py();
        let (mut work, mut result) = (Some(work), None);
        let mut step = || {
            let tstate = self.live.tstate()?;
            let here = Here { py, live: self.live, tstate, depth };
            result = Some(work.take()?(&here));
            Some(())
        };
        let mut step: &mut dyn FnMut() -> Option<()> = &mut step;
        // SAFETY: attached. The capsule holds the address of `step`, which outlives the call below; only `bottom` reads
        // it, and nothing keeps the function that owns the capsule after that call.
        let function: Bound<'py, PyAny> = unsafe {
            let pointer = (&raw mut step).cast::<c_void>();
            let capsule = ffi::PyCapsule_New(pointer, CAPSULE.as_ptr(), None);
            let capsule: Bound<'py, PyAny> = Bound::from_owned_ptr_or_err(py, capsule)?;
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyCFunction_NewEx(self.method, capsule.as_ptr(), ptr::null_mut()),
            )?
        };
        self.first.call1((depth, function))?;
        result.ok_or_else(|| {
            Failure::internal("the thread state was not found at the bottom of the stack".to_owned())
        })
    }
}

/// The C function at the bottom of the stack.
unsafe extern "C" fn bottom(capsule: *mut ffi::PyObject, _none: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by CPython, attached, with the capsule that `Ladder::at` made; that call is still on the stack, and
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

fn source() -> String {
    let mut text = String::new();
    for rung in 0..FUNCTIONS {
        let _ = writeln!(text, "def rung_{rung}(left, bottom):");
        for line in 0..rung % 8 {
            let _ = writeln!(text, "    value_{line} = left + {line}");
        }
        let _ = writeln!(text, "    if left == 1:\n        return bottom()");
        let _ = writeln!(text, "    return rung_{}(left - 1, bottom)\n", (rung + 1) % FUNCTIONS);
    }
    text
}

//! The interpreter's own functions that tell or follow a stack, as a tool would call them.
//!
//! # Invariant
//!
//! A function is called on the thread whose state it is given. In a hook that thread is attached; in a signal handler it was
//! attached where the signal came, which is in the middle of anything: what these functions do there is what is asked, and the
//! process is there to die of it.
#![allow(unsafe_code)]

use super::subjects::{Subject, frames_by};
use crate::python;
use crate::subject::Subject as Walks;
use crate::subject::{FAULTHANDLER, Judged};
use crate::workload::Workload;
use sigwalk::frame::FrameBuf;
use sigwalk::walk::{Detail, Request};
use sigwalk_embed::cpython_c;
use sigwalk_embed::pyo3::ffi::{self, PyObject, PyThreadState};
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::symbols;
use sigwalk_record::Whose;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// A key for tracemalloc, never dereferenced, and a domain apart from CPython's.
const POINTER: usize = 0x5167_7761_6c6b;
const DOMAIN: c_uint = 148_930;

// pyo3 does not declare them. Exported by every libpython from 3.11 to 3.15.
unsafe extern "C" {
    fn PyTraceMalloc_Track(domain: c_uint, pointer: usize, size: usize) -> c_int;
    fn PyTraceMalloc_Untrack(domain: c_uint, pointer: usize) -> c_int;
}

static NULL: AtomicI32 = AtomicI32::new(-1);

/// A descriptor of /dev/null, for those that print.
pub fn null() -> c_int {
    NULL.load(Relaxed)
}

/// All of them.
///
/// # Errors
/// /dev/null cannot be opened.
pub fn all(py: Python<'_>) -> PyResult<Vec<Subject>> {
    // SAFETY: a NUL-terminated path; the descriptor is kept.
    let file = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    NULL.store(file, Relaxed);
    let helpers = match python::subject(py, cpython_c::NAME, Workload::Signal) {
        Ok(Walks::Judged(Judged::CpythonC(walker))) => {
            Subject::new(cpython_c::NAME, Whose::Cpython, move |here| {
                frames_by(here, |_, request, out| {
                    walker.walk(request, out);
                })
            })
        }
        _ => Subject::missing(
            cpython_c::NAME,
            cpython_c::available().err().unwrap_or("not this interpreter's"),
        ),
    };
    Ok(vec![helpers, dump(), faulthandler(), tracemalloc(), frame_objects(), frame_functions()])
}

/// The printer of fatal errors, wherever it is found.
fn dump() -> Subject {
    type Function = unsafe extern "C" fn(c_int, *mut PyThreadState) -> *const c_void;
    for name in ["PyUnstable_DumpTraceback", "_Py_DumpTraceback"] {
        if let Some(symbol) = symbols::find(name) {
            // SAFETY: that symbol is a function of this type in every version that has it, but for the result, which is in a
            // register and ignored.
            let function = unsafe { std::mem::transmute::<usize, Function>(symbol.addr) };
            return Subject::new(name, Whose::Cpython, move |here| {
                // SAFETY: the module's invariant, and an open descriptor.
                unsafe { function(null(), here.tstate.get() as *mut PyThreadState) };
                0
            });
        }
    }
    Subject::missing("_Py_DumpTraceback", "neither exported nor in a symbol table")
}

/// What `faulthandler.register` installs.
fn faulthandler() -> Subject {
    static HANDLER: OnceLock<Walks> = OnceLock::new();
    Subject::new("faulthandler.register", Whose::Cpython, |_| {
        if let Some(Walks::Faulthandler(handler)) = HANDLER.get() {
            handler.call();
        }
        0
    })
    .after(|py| {
        let _ = HANDLER.set(python::subject(py, FAULTHANDLER, Workload::Signal)?);
        Ok(())
    })
}

fn tracemalloc() -> Subject {
    Subject::new("PyTraceMalloc_Track", Whose::Cpython, |_| {
        // SAFETY: the module's invariant; the pair leaves nothing behind.
        unsafe {
            PyTraceMalloc_Track(DOMAIN, POINTER, 1);
            PyTraceMalloc_Untrack(DOMAIN, POINTER);
        }
        0
    })
    .after(|py| py.import("_tracemalloc")?.call_method1("start", (25,)).map(drop))
}

/// The public way, which makes a frame object of every frame.
fn frame_objects() -> Subject {
    Subject::new("PyThreadState_GetFrame, PyFrame_GetBack", Whose::Cpython, |here| {
        let mut frames = 0;
        // SAFETY: the module's invariant; every reference that is returned is given back once.
        unsafe {
            let mut frame = ffi::PyThreadState_GetFrame(here.tstate.get() as *mut PyThreadState);
            while !frame.is_null() {
                frames += 1;
                let back = ffi::PyFrame_GetBack(frame);
                ffi::Py_DecRef(frame.cast());
                frame = back;
            }
        }
        frames
    })
}

/// What an interpreter frame may be asked since 3.12 (PEP 523 tools). Frames come from our own walk, whose part in what is seen is
/// nothing.
fn frame_functions() -> Subject {
    const NAME: &str = "PyUnstable_InterpreterFrame_GetCode, _GetLasti, _GetLine";
    type GetCode = unsafe extern "C" fn(*mut c_void) -> *mut PyObject;
    type GetNumber = unsafe extern "C" fn(*mut c_void) -> c_int;
    let find =
        |name: &str| symbols::find(&format!("PyUnstable_InterpreterFrame_Get{name}")).map(|found| found.addr);
    let (Some(code), Some(lasti), Some(line)) = (find("Code"), find("Lasti"), find("Line")) else {
        return Subject::missing(NAME, "they came with 3.12");
    };
    // SAFETY: the functions of these names have these types.
    let (code, lasti, line) = unsafe {
        (
            std::mem::transmute::<usize, GetCode>(code),
            std::mem::transmute::<usize, GetNumber>(lasti),
            std::mem::transmute::<usize, GetNumber>(line),
        )
    };
    Subject::new(NAME, Whose::Cpython, move |here| {
        let mut frames = [sigwalk::frame::Frame::default(); 64];
        let mut out = FrameBuf::new(&mut frames);
        let request = Request::new(&here.live.interpreter, here.tstate, Detail::Code);
        sigwalk::walk::strict::walk(&here.live.readers.guarded, &request, &mut out);
        for frame in out.frames() {
            let frame = frame.frame.get() as *mut c_void;
            // SAFETY: the module's invariant: frames of the calling thread, which stands still.
            unsafe {
                let object = code(frame);
                lasti(frame);
                line(frame);
                ffi::Py_DecRef(object);
            }
        }
        out.frames().len() as u64
    })
}

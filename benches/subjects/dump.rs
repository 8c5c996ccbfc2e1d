//! CPython's own answer for a handler: the traceback printed as text. At most 100 frames, and names cut at 500
//! characters.
#![allow(unsafe_code)]

use super::{Label, Subject, timed};
use crate::depth::{FEW, USUAL};
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::{ffi, types::PyDict};
use sigwalk_embed::symbols::{self, How};
use sigwalk_record::What;
use std::ffi::{CStr, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

/// MAX_FRAME_DEPTH of CPython's traceback.c.
pub(super) const MOST: u64 = 100;

/// `_Py_DumpTraceback` returns nothing and `PyUnstable_DumpTraceback` a message; in a register, which may be ignored.
type Function = unsafe extern "C" fn(c_int, *mut ffi::PyThreadState) -> *const c_void;

enum Way {
    Function(Function),
    Faulthandler(Py<PyAny>, Py<PyDict>),
}

/// The printer and its file.
pub(super) struct Printer {
    how: Way,
    pub(super) found: String,
    pub(super) file: File,
}

impl Printer {
    /// Prefers the function that the interpreter's fatal error handler calls, wherever it can be found.
    pub(super) fn new(py: Python<'_>, file: File) -> Result<Self, Failure> {
        for name in ["_Py_DumpTraceback", "PyUnstable_DumpTraceback"] {
            if let Some(symbol) = symbols::find(name) {
                let how = if symbol.how == How::Exported { "exported" } else { "hidden, found in .symtab" };
                // SAFETY: that symbol is a function of this type in every version that has it, but for the result.
                let function = unsafe { std::mem::transmute::<usize, Function>(symbol.addr) };
                return Ok(Printer { how: Way::Function(function), found: format!("{name}, {how}"), file });
            }
        }
        let function = py.import("faulthandler")?.getattr("dump_traceback")?.unbind();
        let keywords = PyDict::new(py);
        keywords.set_item("file", file.as_raw_fd())?;
        keywords.set_item("all_threads", false)?;
        let found = "faulthandler.dump_traceback, a Python call around _Py_DumpTraceback".to_owned();
        Ok(Printer { how: Way::Faulthandler(function, keywords.unbind()), found, file })
    }

    #[inline(always)]
    pub(super) fn print(&self, here: &Here<'_>) {
        match &self.how {
            // SAFETY: an open file, and the state of the calling thread, which is attached.
            Way::Function(function) => unsafe {
                function(self.file.as_raw_fd(), here.tstate.get() as *mut ffi::PyThreadState);
            },
            Way::Faulthandler(function, keywords) => {
                let _ = function.call(here.py, (), Some(keywords.bind(here.py)));
            }
        }
    }
}

/// A file in memory.
pub(super) fn memory_file(name: &CStr) -> Result<File, Failure> {
    // SAFETY: a NUL-terminated name; the descriptor is owned by the file from here on.
    unsafe {
        match libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) {
            -1 => Err(Failure::internal(format!("memfd_create: {}", std::io::Error::last_os_error()))),
            descriptor => Ok(File::from_raw_fd(descriptor)),
        }
    }
}

struct Dump {
    sink: &'static str,
    rewinds: bool,
    printer: Printer,
    /// The same printer over a memfd, to see what is printed.
    looking: Printer,
}

/// One a sink.
pub(super) fn all(py: Python<'_>) -> Result<Vec<Box<dyn Subject>>, Failure> {
    let null = OpenOptions::new().write(true).open("/dev/null");
    let null = null.map_err(|error| Failure::internal(format!("/dev/null: {error}")))?;
    let dump = |sink, rewinds, file| -> Result<Box<dyn Subject>, Failure> {
        let looking = Printer::new(py, memory_file(c"sigwalk-look")?)?;
        Ok(Box::new(Dump { sink, rewinds, printer: Printer::new(py, file)?, looking }))
    };
    Ok(vec![dump("/dev/null", false, null)?, dump("memfd", true, memory_file(c"sigwalk-dump")?)?])
}

impl Subject for Dump {
    fn label(&self) -> Label {
        Label { sink: Some(self.sink), ..Label::new("dump_traceback", What::Names) }
    }

    fn expected(&self, depth: u64) -> u64 {
        depth.min(MOST)
    }

    fn depths(&self) -> &'static [u64] {
        // The second sink tells what a file costs the printer, which no depth changes.
        if self.rewinds { &[USUAL] } else { &FEW }
    }

    fn note(&self) -> Option<String> {
        let rewinds = if self.rewinds { "; an lseek to the start is timed with it" } else { "" };
        Some(format!("{}{rewinds}", self.printer.found))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let known = reference::stack(here)?;
        let printed = text(&self.looking, here)?;
        let lines = printed.lines().filter(|line| line.starts_with("  File ")).count() as u64;
        if lines != self.expected(known.len() as u64) {
            return Err(Failure::internal(format!("{lines} frames printed of {}", known.len())));
        }
        Ok(lines)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let printer = &self.printer;
        if self.rewinds {
            return timed(iters, || {
                let _ = (&printer.file).rewind();
                printer.print(here);
            });
        }
        timed(iters, || printer.print(here))
    }
}

/// What the printer prints.
pub(super) fn text(printer: &Printer, here: &Here<'_>) -> Result<String, Failure> {
    let read = || -> std::io::Result<String> {
        let mut file = &printer.file;
        file.flush()?;
        file.set_len(0)?;
        file.rewind()?;
        printer.print(here);
        let mut bytes = vec![0; file.metadata()?.len() as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().map_err(|error| Failure::internal(format!("the memfd: {error}")))
}

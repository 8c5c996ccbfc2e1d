//! The running interpreter as walkers see it.
#![allow(unsafe_code)]

use crate::{Error, runtime_symbols, tls};
use pyo3::ffi;
use sigwalk::addr::Addr;
use sigwalk::interpreter::{Interpreter, Symbols};
use sigwalk::layout::KnownThread;
use sigwalk::reader::{GuardedReader, RawReader, Reader, VmReader};
use sigwalk::signal;
use sigwalk::thread::OwnThread;
use sigwalk::walkers::Readers;

/// Everything that a handler needs, as plain data. Made once, at start-up, while attached.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// Layout and addresses of the interpreter.
    pub interpreter: Interpreter,
    /// How the calling thread's state is found.
    pub own: OwnThread,
    /// Raw and guarded loads of this process.
    pub readers: Readers,
}

impl Live {
    /// Installs the fault handler, reads the layout, finds the thread-state slot, and checks all of it on the calling
    /// thread: the state found without a call must be the one that CPython's own call returns, and must name this
    /// thread.
    ///
    /// # Errors
    /// [`Error::NoSymbol`], [`Error::Layout`], [`Error::Handler`], or [`Error::ThreadState`] where the slot cannot be
    /// found (a dlopen()ed libpython) or is wrong.
    pub fn find() -> Result<Live, Error> {
        let bound = tls::slots().and_then(|slots| slots.bound);
        // SAFETY: `tls::slots` found the word in static TLS and verified it on a second thread.
        let live = unsafe { Live::with_slot(bound) }?;
        let (interpreter, guarded) = (live.interpreter, live.readers.guarded);
        // SAFETY: attached; the call reads the thread's slot.
        let expected = unsafe { ffi::PyGILState_GetThisThreadState() as u64 };
        let state = live.own.state(&guarded).ok_or(Error::ThreadState("the slot is empty while attached"))?;
        if state != Addr::new(expected) {
            return Err(Error::ThreadState(
                "the slot holds another state than PyGILState_GetThisThreadState",
            ));
        }
        // SAFETY: plain calls of the C library.
        let known = unsafe { KnownThread { pthread: libc::pthread_self(), tid: libc::gettid() as u64 } };
        interpreter.layout.probe(&guarded, state, known).map_err(Error::Layout)?;
        Ok(live)
    }

    /// The same before the interpreter is initialised, and so without the check on an attached thread: symbols and layout need no
    /// interpreter that runs, and `bound` is the offset that [`tls::slots`] found in another process of this very executable. It
    /// is the same in all of them, because the dynamic linker lays static TLS out in the order of loading.
    ///
    /// # Errors
    /// As [`Live::find`]; [`Error::ThreadState`] too where `bound` is not in libpython's block of the calling thread.
    pub fn before_start(bound: Option<isize>) -> Result<Live, Error> {
        if bound.is_some_and(|offset| !crate::tls_words::offsets().contains(&offset)) {
            return Err(Error::ThreadState("the slot of another process is not in this one's libpython"));
        }
        // SAFETY: in this thread's block of libpython, which has one before anything ran that could have called dlopen: static TLS.
        unsafe { Live::with_slot(bound) }
    }

    /// # Safety
    /// `bound` is what [`OwnThread::new`] asks for.
    unsafe fn with_slot(bound: Option<isize>) -> Result<Live, Error> {
        let guarded = GuardedReader::new(signal::install().map_err(Error::Handler)?);
        let found = runtime_symbols()?;
        let at = |found: crate::symbols::Found| Addr::new(found.addr as u64);
        let symbols = Symbols {
            py_version: at(found.version),
            runtime: at(found.runtime),
            runtime_size: found.runtime.size,
            code_type: at(found.code_type),
            unicode_type: at(found.unicode_type),
            bytes_type: at(found.bytes_type),
        };
        let interpreter = Interpreter::read(&guarded, &symbols).map_err(Error::Layout)?;
        // SAFETY: the caller's.
        let own = unsafe { OwnThread::new(&interpreter.layout, symbols.runtime, bound) }
            .ok_or(Error::ThreadState("no thread-local slot of a start-up-loaded libpython"))?;
        // SAFETY: the raw reader is for trials in child processes and for healthy stacks: whoever uses it accepts what a bad
        // load does.
        let raw = unsafe { RawReader::new() };
        Ok(Live { interpreter, own, readers: Readers { raw, guarded, vm: VmReader::own() } })
    }

    /// The same, but whoever reads through the kernel reads through `vm`: after a fork [`VmReader::own`] must be asked again,
    /// or they read the parent, which is what a walker outside wants.
    #[must_use]
    pub fn reading(&self, vm: VmReader) -> Live {
        Live { readers: Readers { vm, ..self.readers }, ..*self }
    }

    /// The calling thread's bound thread state.
    #[must_use]
    pub fn tstate(&self) -> Option<Addr> {
        self.own.state(&self.readers.guarded)
    }

    /// A word of this process.
    #[must_use]
    pub fn word(&self, at: Addr) -> Option<u64> {
        self.readers.guarded.u64(at).ok()
    }
}

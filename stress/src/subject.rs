//! Whose walk a trial makes: a walker of ours, CPython's own helpers, or the interpreter's own faulthandler.
#![allow(unsafe_code)]

use crate::planted;
use crate::workload::interleave;
use sigwalk::frame::FrameBuf;
use sigwalk::reader::{AnyReader, Before};
use sigwalk::walk::{Request, Walk};
use sigwalk::walkers::{self, Entry, Readers, Reads};
use sigwalk_embed::cpython_c::{self, CpythonC};
use std::ffi::c_int;

/// Name of the interpreter's own dump in campaigns and records.
pub const FAULTHANDLER: &str = "faulthandler";

/// What walks.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// One whose answers are judged.
    Judged(Judged),
    /// `faulthandler.register`'s own C handler, which prints to /dev/null.
    Faulthandler(Handler),
}

/// What makes walks whose answers are judged.
#[derive(Clone, Copy, Debug)]
pub enum Judged {
    /// A registered walker.
    Ours(&'static Entry),
    /// The same policy over a stopped process, whose tracer we are.
    Traced(&'static Entry),
    /// The same policy over a traced process that goes on between two loads.
    Interleaved(&'static Entry),
    /// CPython's own helpers.
    CpythonC(CpythonC),
}

impl Judged {
    /// How it reads.
    pub fn reads(self) -> Reads {
        match self {
            Judged::Ours(entry) => entry.reads,
            Judged::Traced(_) | Judged::Interleaved(_) => Reads::Outside,
            Judged::CpythonC(_) => Reads::Raw,
        }
    }

    /// The walk.
    ///
    /// # Signal safety
    /// The walker's own.
    #[inline]
    pub fn walk(self, readers: &Readers, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        match self {
            Judged::Ours(entry) => (entry.live)(readers, request, out),
            Judged::Traced(entry) => (entry.traced)(readers, request, out),
            Judged::Interleaved(entry) => {
                let advance = |_| {
                    interleave::advance();
                    Ok(())
                };
                (entry.hooked)(&Before::new(AnyReader::Vm(readers.vm), &advance), request, out)
            }
            Judged::CpythonC(walker) => walker.walk(request, out),
        }
    }
}

/// A C signal handler that another component installed.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    signal: c_int,
    function: extern "C" fn(c_int),
}

impl Handler {
    /// The handler that is installed for `signal` now; `None` for SIG_DFL, SIG_IGN and handlers with siginfo.
    pub fn installed_for(signal: c_int) -> Option<Handler> {
        // SAFETY: asks for the disposition; all-zero is a valid sigaction.
        let action = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &mut action);
            action
        };
        if matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN)
            || action.sa_flags & libc::SA_SIGINFO != 0
        {
            return None;
        }
        // SAFETY: a handler installed without SA_SIGINFO has this signature.
        let function = unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(action.sa_sigaction) };
        Some(Handler { signal, function })
    }

    /// Calls it, as the kernel would have, if it is still installed: finalisation unregisters it and frees what it reads,
    /// and no signal would reach it any more. `false` when it is not.
    ///
    /// # Signal safety
    /// `sigaction` is on POSIX's list; the rest is the handler's own business, which is what is measured.
    pub fn call(&self) -> bool {
        let installed = Handler::installed_for(self.signal)
            .is_some_and(|now| now.function as usize == self.function as usize);
        if installed {
            (self.function)(self.signal);
        }
        installed
    }
}

/// Names that a campaign may use, with one line each.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    walkers::ALL.iter().map(|entry| (entry.name, entry.about)).chain([
        (cpython_c::NAME, cpython_c::ABOUT),
        (FAULTHANDLER, "the interpreter's own dump, through faulthandler.register; its answer is not judged"),
    ])
}

/// The walker of ours of that name, or one with a planted defect.
#[must_use]
pub fn ours(name: &str) -> Option<&'static Entry> {
    walkers::named(name).or_else(|| planted::named(name))
}

/// Whether campaigns may name it.
#[must_use]
pub fn is_known(name: &str) -> bool {
    ours(name).is_some() || all().any(|(known, _)| known == name)
}

/// Why the walker of that name cannot walk this interpreter; `None` when it can.
pub fn not_available(name: &str) -> Option<&'static str> {
    if name == cpython_c::NAME { cpython_c::available().err() } else { None }
}

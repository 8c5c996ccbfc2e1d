//! The process of one subject, context and look.
//!
//! # Invariant
//!
//! The process that forks has one thread, is attached, and reads a ledger only after its child has ended.
#![allow(unsafe_code)]

use super::context::Context;
use super::interposed::Interposed;
use super::labels::{Labels, TYPES};
use super::ledger::Ledger;
use super::subjects::Subject;
use super::watch::{Look, Watch, publish};
use super::{handlers, stores};
use crate::failure::Failure;
use crate::python;
use libc::c_int;
use sigwalk::reader::VmReader;
use sigwalk_embed::Live;
use sigwalk_embed::places::{self, Places};
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use sigwalk_embed::system_calls::{Ended, between_marks};
use std::ffi::c_long;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// Seconds of a process that does not come back.
const DEADLINE: i64 = 5;

/// Passes of the program, of each of which some walks come.
const PASSES: u64 = 50_000;

/// Which look a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookFor {
    /// Calls of the C library, registers, the stack.
    Calls,
    /// Stores.
    Stores,
    /// System calls.
    SystemCalls,
}

/// What every process needs, made once.
pub struct Nursery {
    /// The interpreter.
    pub live: &'static Live,
    /// The library that counts calls.
    pub interposed: Option<Interposed>,
    /// Names.
    pub labels: &'static Labels,
    /// Where the interpreter keeps what is not to be written, or why that is not known.
    pub places: Result<Places, &'static str>,
    ledger: &'static Ledger,
    objects: &'static [(u64, u8)],
    pass: Py<PyAny>,
    stack: Range<u64>,
}

/// How a process ended, and the system calls of each of its walks.
pub struct Ran {
    /// How.
    pub ended: Ended,
    /// Of [`LookFor::SystemCalls`] only.
    pub calls: Vec<Vec<c_long>>,
}

static TOUCHED: AtomicPtr<u64> = AtomicPtr::new(std::ptr::null_mut());

impl Nursery {
    /// Compiles and warms the program, and finds what is where.
    ///
    /// # Errors
    /// Python's, or the kernel's.
    pub fn new(py: Python<'_>, live: &'static Live) -> Result<Nursery, Failure> {
        let failed =
            |error: PyErr| Failure::internal(format!("the program of the contract checker: {error}"));
        let interposed = Interposed::find();
        let labels: &'static Labels = Box::leak(Box::new(Labels::new(interposed)));
        let globals = python::definitions(py, "program.py", include_str!("program.py"))?;
        let made = || -> PyResult<_> {
            let touch = PyCFunction::new_closure(
                py,
                None,
                None,
                |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
                    handlers::touch(TOUCHED.load(Relaxed));
                },
            )?;
            TOUCHED.store(Context::Hook.address().cast_mut(), Relaxed);
            let get = |name| globals.get_item(name)?.ok_or_else(|| pyo3_missing(name));
            let pass = get("make")?.call1((touch,))?;
            // Caches are filled and code is specialised: what is left of a pass is what it always does.
            for _ in 0..50 {
                pass.call0()?;
            }
            let objects: Vec<(u64, u8)> = get("objects")?.call1((&pass, TYPES))?.extract()?;
            Ok((pass.unbind(), objects))
        };
        let (pass, objects) = made().map_err(failed)?;
        let refused = |error: std::io::Error| Failure::missing(format!("shared memory: {error}"));
        let ledger = Ledger::create().map_err(refused)?;
        let stack = handlers::own_stack().map_err(refused)?;
        Ok(Nursery {
            live,
            interposed,
            labels,
            places: places::of_this_thread(py),
            ledger,
            objects: objects.leak(),
            pass,
            stack,
        })
    }

    /// What the last process counted.
    pub fn ledger(&self) -> &'static Ledger {
        self.ledger
    }

    /// Watches `walks` walks of `subject` in a process of its own.
    ///
    /// # Errors
    /// The kernel refuses the process, or tracing it.
    pub fn run(
        &self,
        py: Python<'_>,
        subject: &'static Subject,
        context: Context,
        look: LookFor,
        walks: u64,
    ) -> std::io::Result<Ran> {
        self.ledger.clear();
        let child = || {
            self.child(py, subject, context, look, walks).map_or_else(
                |why| {
                    eprintln!("stress: contract: {}: {why}", subject.name);
                    1
                },
                |()| 0,
            )
        };
        // SAFETY: attached; CPython's own hooks around a fork, of which the child calls the third.
        unsafe { ffi::PyOS_BeforeFork() };
        let ran = forked(look, child);
        // SAFETY: as above.
        unsafe { ffi::PyOS_AfterFork_Parent() };
        ran
    }

    fn child(
        &self,
        py: Python<'_>,
        subject: &'static Subject,
        context: Context,
        look: LookFor,
        walks: u64,
    ) -> Result<(), String> {
        // SAFETY: plain system calls of a single-threaded process, and CPython's own hook for a forked child.
        unsafe {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            let late = libc::itimerval {
                it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 },
                it_value: libc::timeval { tv_sec: DEADLINE, tv_usec: 0 },
            };
            libc::setitimer(libc::ITIMER_REAL, &raw const late, std::ptr::null_mut());
            ffi::PyOS_AfterFork_Child();
        }
        subject.prepare(py).map_err(|error| error.to_string())?;
        handlers::use_stack(&self.stack).map_err(|error| error.to_string())?;
        self.pass.call0(py).map_err(|error| error.to_string())?;
        let look = match look {
            LookFor::Calls => Look::Calls(self.interposed),
            LookFor::SystemCalls => Look::SystemCalls,
            LookFor::Stores => {
                let left = [self.stack.clone(), thread_local_memory()];
                let places = self.places.clone().ok();
                let stores = stores::Stores::new(&left, places, self.objects);
                Look::Stores(stores.map_err(|error| error.to_string())?)
            }
        };
        let live = self.live.reading(VmReader::own());
        let (labels, ledger) = (self.labels, self.ledger);
        let watch = publish(Watch { live, subject, look, labels, ledger, walks });
        TOUCHED.store(context.address().cast_mut(), Relaxed);
        context.begin(py)?;
        for _ in 0..PASSES {
            if watch.is_done() {
                return Ok(());
            }
            self.pass.call0(py).map_err(|error| error.to_string())?;
        }
        Err(format!("{} of {walks} walks in {PASSES} passes of the program", ledger.done.load(Relaxed)))
    }
}

/// Runs `child` in a fork, and waits.
fn forked(look: LookFor, child: impl FnOnce() -> c_int) -> std::io::Result<Ran> {
    if look == LookFor::SystemCalls {
        let (pieces, ended) = between_marks(child)?;
        // Before a walk, the walk, between that and the next, …
        let calls = pieces.into_iter().skip(1).step_by(2).collect();
        return Ok(Ran { ended, calls });
    }
    // SAFETY: the module's invariant; the child leaves by _exit.
    unsafe {
        match libc::fork() {
            -1 => Err(std::io::Error::last_os_error()),
            0 => libc::_exit(child()),
            pid => Ok(Ran { ended: wait(pid)?, calls: Vec::new() }),
        }
    }
}

fn pyo3_missing(name: &str) -> PyErr {
    sigwalk_embed::pyo3::exceptions::PyRuntimeError::new_err(format!("program.py has no {name}"))
}

/// Where this thread keeps errno and its like: around the thread pointer, below it the blocks of libraries, above it glibc's own.
fn thread_local_memory() -> Range<u64> {
    // SAFETY: the address of the calling thread's descriptor, which on x86-64 is the thread pointer.
    let pointer = unsafe { libc::pthread_self() };
    (pointer & !4095) - (16 << 10)..(pointer & !4095) + (8 << 10)
}

fn wait(pid: libc::pid_t) -> std::io::Result<Ended> {
    let mut status: c_int = 0;
    // SAFETY: a child of ours; the status is written.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(if libc::WIFSIGNALED(status) {
        Ended::Signal(libc::WTERMSIG(status))
    } else {
        Ended::Exit(libc::WEXITSTATUS(status))
    })
}

/// How a process that did not come back is called in records: the signal, or `hang` for the one of its deadline.
pub fn lost(signal: c_int) -> String {
    match signal {
        libc::SIGALRM => "hang".to_owned(),
        libc::SIGSEGV => "SIGSEGV".to_owned(),
        libc::SIGABRT => "SIGABRT".to_owned(),
        libc::SIGBUS => "SIGBUS".to_owned(),
        other => format!("signal {other}"),
    }
}

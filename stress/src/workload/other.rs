//! Workload `other`: a native thread that Python does not know, and that holds no GIL (or, with `gil = true`, does), walks every
//! thread of the main interpreter's list, over and over.
//!
//! The list is followed without its lock, as faulthandler and `PyUnstable_DumpTracebackThreads` do: a thread state may be
//! freed under the walk. Those loads are made by the walker's own kind of reader, in a phase of their own: a crash in the
//! list is not a crash in a frame.
//!
//! A walker outside (`remote`) does the same in a process of its own.
#![allow(unsafe_code)]

use crate::attempt::Context;
use crate::child;
use crate::page::Tally;
use crate::subject::Subject;
use sigwalk::addr::Addr;
use sigwalk::reader::{Fault, Reader};
use sigwalk::walkers::Reads;
use sigwalk_embed::pyo3::{Python, ffi};
use sigwalk_record::Phase;
use std::sync::atomic::{AtomicBool, Ordering};

/// Threads visited a round; CPython's own dump stops at 100.
const THREADS: usize = 256;

static STOP: AtomicBool = AtomicBool::new(false);

/// Who walks: a native thread, or for walkers outside a process of its own.
pub enum Walking {
    /// A native thread.
    Thread(std::thread::JoinHandle<()>),
    /// One that takes the GIL.
    ThreadWithGil(std::thread::JoinHandle<()>),
    /// A process.
    Process(libc::pid_t),
}

/// Starts walking. It goes on until [`stop`].
///
/// # Errors
/// The kernel refuses the thread or the process.
pub fn start(context: &'static Context, gil: bool) -> std::io::Result<Walking> {
    match context.subject {
        Subject::Judged(walker) if walker.reads() == Reads::Outside => outside(context).map(Walking::Process),
        _ => {
            let walk = move || if gil { rounds_with_gil(context) } else { rounds(context) };
            let kind = if gil { Walking::ThreadWithGil } else { Walking::Thread };
            std::thread::Builder::new().name("walker".into()).spawn(walk).map(kind)
        }
    }
}

fn rounds(context: &Context) {
    while !stopped(context) {
        round(context);
    }
}

/// The GIL is taken and given up in each round. It is asked for at the target's switch interval, 5 ms: a trial has few such
/// rounds, and in each of them every thread stands still at a point where CPython gave the GIL up.
fn rounds_with_gil(context: &Context) {
    while !stopped(context) {
        // SAFETY: a native thread of a running interpreter, and targets that finalise are refused; Release undoes Ensure.
        unsafe {
            let state = ffi::PyGILState_Ensure();
            round(context);
            ffi::PyGILState_Release(state);
        }
        std::thread::yield_now();
    }
}

/// A fork of this process, which reads this one and never runs Python. It has the oracle, and the page is shared.
fn outside(context: &'static Context) -> std::io::Result<libc::pid_t> {
    // SAFETY: one thread; the child walks and ends, and ends with its parent. `context.live.readers.vm` reads the process in
    // which it was made: the parent.
    unsafe {
        libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY);
        let parent = libc::getpid();
        match libc::fork() {
            -1 => Err(std::io::Error::last_os_error()),
            0 => {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                if libc::getppid() == parent {
                    rounds(context);
                    // The parent has a copy of the context from before the first walk.
                    if let Some(note) = context.witness() {
                        context.page.leave_note(&note);
                    }
                }
                libc::_exit(0);
            }
            pid => Ok(pid),
        }
    }
}

impl Walking {
    /// Waits by `wait`. The calling thread is attached, and a walker that takes the GIL would otherwise never get it.
    pub fn wait_for<T: Send>(&self, wait: impl FnOnce() -> T + Send) -> T {
        match self {
            Walking::ThreadWithGil(_) => Python::attach(|py| py.detach(wait)),
            Walking::Thread(_) | Walking::Process(_) => wait(),
        }
    }

    /// Waits for its last round. A walk that does not end keeps us here, and the deadline calls it a hang.
    ///
    /// # Errors
    /// The walker itself failed.
    pub fn join(self) -> Result<(), String> {
        let panicked = |_| "the walking thread panicked".to_string();
        match self {
            Walking::Thread(thread) => thread.join().map_err(panicked),
            // The calling thread is attached, and the walker may be waiting for the GIL.
            Walking::ThreadWithGil(thread) => {
                Python::attach(|py| py.detach(|| thread.join().map_err(panicked)))
            }
            // It has reported itself to the page.
            Walking::Process(pid) => child::wait(pid).map_err(|why| format!("the walking process: {why}")),
        }
    }
}

/// Ends the walking after its round.
pub fn stop(context: &Context) {
    STOP.store(true, Ordering::Relaxed);
    context.page.stop.store(1, Ordering::Relaxed);
}

fn stopped(context: &Context) -> bool {
    STOP.load(Ordering::Relaxed) || context.page.stop.load(Ordering::Relaxed) != 0
}

fn round(context: &Context) {
    let live = &context.live;
    let result = match context.subject {
        // The dump walks the list itself, in the handler, like a real `kill -USR1`.
        Subject::Faulthandler(_) => {
            context.attempt(Addr::NULL);
            Ok(())
        }
        Subject::Judged(walker) => match walker.reads() {
            Reads::Raw => visit(context, &live.readers.raw, false),
            Reads::Guarded => visit(context, &live.readers.guarded, true),
            Reads::Kernel | Reads::Outside => visit(context, &live.readers.vm, true),
        },
    };
    if result.is_err() {
        context.page.count(Tally::RecoveredFault);
    }
}

fn visit<R: Reader>(context: &Context, reader: &R, strict: bool) -> Result<(), Fault> {
    let interpreter = &context.live.interpreter;
    let layout = &interpreter.layout;
    let list = |step: &dyn Fn() -> Result<Addr, Fault>| context.in_phase(Phase::ThreadList, step);
    let interp = list(&|| reader.addr(interpreter.runtime.plus(layout.runtime.interpreters_head)))?;
    if interp.is_null() {
        return Ok(());
    }
    let mut tstate = list(&|| reader.addr(interp.plus(layout.runtime.threads_head)))?;
    for _ in 0..THREADS {
        if tstate.is_null() || stopped(context) {
            return Ok(());
        }
        // The strict policy believes a thread state only while it names the interpreter whose list it is in.
        if strict
            && (!tstate.is_pointer_shaped()
                || list(&|| reader.addr(tstate.plus(layout.thread.interp)))? != interp)
        {
            context.page.count(Tally::Rejected);
            return Ok(());
        }
        context.attempt(tstate);
        tstate = list(&|| reader.addr(tstate.plus(layout.thread.next)))?;
    }
    Ok(())
}

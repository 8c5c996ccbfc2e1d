//! Workload `other`: a native thread that Python does not know, and that holds no GIL, walks every thread of the main
//! interpreter's list, over and over.
//!
//! The list is followed without its lock, as faulthandler and `PyUnstable_DumpTracebackThreads` do: a thread state may be
//! freed under the walk. Those loads are made by the walker's own kind of reader, in a phase of their own: a crash in the
//! list is not a crash in a frame.

use crate::attempt::Context;
use crate::page::Tally;
use crate::subject::Subject;
use sigwalk::addr::Addr;
use sigwalk::reader::{Fault, Reader};
use sigwalk::walkers::Reads;
use sigwalk_record::Phase;
use std::sync::atomic::{AtomicBool, Ordering};

/// Threads visited a round; CPython's own dump stops at 100.
const THREADS: usize = 256;

static STOP: AtomicBool = AtomicBool::new(false);

/// Starts the walking thread. It runs until [`stop`].
///
/// # Errors
/// The kernel refuses the thread.
pub fn start(context: &'static Context) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name("walker".into()).spawn(|| {
        while !STOP.load(Ordering::Relaxed) {
            round(context);
        }
    })
}

/// Ends the walking thread after its round.
pub fn stop() {
    STOP.store(true, Ordering::Relaxed);
}

fn round(context: &Context) {
    let live = &context.live;
    let result = match context.subject {
        // The dump walks the list itself, in the handler, like a real `kill -USR1`.
        Subject::Faulthandler(_) => {
            context.attempt(Addr::NULL);
            Ok(())
        }
        Subject::Judged(walker) if walker.reads() == Reads::Raw => visit(context, &live.readers.raw, false),
        Subject::Judged(_) => visit(context, &live.readers.guarded, true),
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
        if tstate.is_null() || STOP.load(Ordering::Relaxed) {
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

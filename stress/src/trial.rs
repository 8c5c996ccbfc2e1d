//! One trial, in its own process: make the target, start the workload, run for the planned time, end.
#![allow(unsafe_code)]

use crate::attempt::Context;
use crate::campaign::Plan;
use crate::page::Page;
use crate::workload::{self, Workload, program};
use crate::{crash, python};
use sigwalk::reader::VmReader;
use sigwalk::signal as fault_handler;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::{Python, ffi};
use sigwalk_record::Phase;
use std::time::{Duration, Instant};

/// After Py_FinalizeEx, walks go on for this long: threads that hang, or that have yet to notice.
const AFTER_FINALIZE: Duration = Duration::from_millis(2);

/// Runs the trial in this freshly forked process and ends it. The page tells the parent how it went.
pub fn run_and_exit(live: &'static Live, plan: &Plan, seed: u64, page: &'static Page) -> ! {
    prepare_process(page);
    let code = match run(live, plan, seed, page) {
        Ok(()) => 0,
        Err(why) => {
            page.leave_note(&why);
            page.failed.store(1, std::sync::atomic::Ordering::Relaxed);
            1
        }
    };
    // SAFETY: ends the process without running destructors: the parent owns the terminal and the files.
    unsafe { libc::_exit(code) }
}

fn prepare_process(page: &'static Page) {
    page.enter(Phase::Setup);
    // SAFETY: plain system calls of a single-threaded process, then CPython's own hook for a forked child.
    unsafe {
        // No trial outlives a parent that was killed, and Ctrl-C is the parent's business.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        ffi::PyOS_AfterFork_Child();
    }
    crash::report_to(page);
}

fn run(live: &'static Live, plan: &Plan, seed: u64, page: &'static Page) -> Result<(), String> {
    if plan.workload == Workload::Program {
        page.enter(Phase::Target);
        return program::become_it(plan, seed);
    }
    // On top of the crash reporter, so that it hears of what is not a guarded load.
    fault_handler::install().map_err(|error| error.to_string())?;
    let prepared = Python::attach(|py| {
        let program = python::program(py, live, plan.target, &plan.cell.params)?;
        let subject = python::subject(py, &plan.cell.walker, plan.workload)?;
        Ok((program, subject))
    });
    let (program, subject) =
        prepared.map_err(|error: sigwalk_embed::pyo3::PyErr| format!("setup: {error}"))?;
    // The fork server's reader reads the fork server.
    let live = live.reading(VmReader::own());
    let context = Context::new(live, subject, program.oracle, page).publish();

    page.enter(Phase::Target);
    let begun = Instant::now();
    let running = workload::start(context, plan, seed)?;
    let time = Duration::from_millis(plan.millis);
    Python::attach(|py| -> Result<(), String> {
        let mut passes = 0;
        // One pass at least: on a busy machine the time may be over before the first.
        while passes == 0 || plan.passes.map_or_else(|| begun.elapsed() < time, |most| passes < most) {
            program.pass.call0(py).map_err(|error| format!("target: {error}"))?;
            passes += 1;
        }
        Ok(())
    })?;
    if plan.target.finalizes {
        // From here on CPython runs code of its own, which the oracle does not know.
        page.lenient.store(1, std::sync::atomic::Ordering::Relaxed);
        // SAFETY: the main thread, attached; nothing of Python is used after it.
        unsafe { ffi::Py_FinalizeEx() };
        std::thread::sleep(AFTER_FINALIZE);
    }
    running.finish(context)?;
    page.enter(Phase::Done);
    if let Some(note) = context.witness() {
        page.leave_note(&note);
    }
    Ok(())
}

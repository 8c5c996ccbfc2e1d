//! One trial, in its own process: make the target, start the workload, run for the planned time, end.
#![allow(unsafe_code)]

use crate::attempt::Context;
use crate::campaign::Plan;
use crate::page::Page;
use crate::sample::{Taken, not_carried};
use crate::target::End;
use crate::workload::{self, Running, Workload, program, step};
use crate::{crash, forked, python};
use sigwalk::reader::VmReader;
use sigwalk::signal as fault_handler;
use sigwalk_embed::pyo3::{Python, ffi};
use sigwalk_embed::{Live, Options};
use sigwalk_record::Phase;
use std::ffi::CStr;
use std::time::{Duration, Instant};

/// After Py_FinalizeEx, walks go on for this long: threads that hang, or that have yet to notice.
const AFTER_FINALIZE: Duration = Duration::from_millis(2);

const WALKER_BEGINS: Duration = Duration::from_secs(1);

/// What an interpreter that was initialised again runs.
const AGAIN: &CStr = c"def down(n):\n    return n and down(n - 1)\nfor _ in range(50):\n    down(10)\n";

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
    // SAFETY: forked by the server, which has one thread and is attached.
    unsafe { forked::quiet() };
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
        let program = python::program(py, plan.target, &plan.cell.params)?;
        let subject = python::subject(py, &plan.cell.walker, plan.workload)?;
        Ok((program, subject))
    });
    let (program, subject) =
        prepared.map_err(|error: sigwalk_embed::pyo3::PyErr| format!("setup: {error}"))?;
    // The fork server's reader reads the fork server.
    let live = live.reading(VmReader::own());
    let context = Context::new(live, subject, Box::leak(Box::new(program.oracle)), page)
        .with_fault(plan.fault)
        .carrying(plan.workload == Workload::Signal)
        .publish();

    page.enter(Phase::Target);
    let running = workload::start(context, plan, seed)?;
    if let Running::Other(walking) = &running {
        walking.wait_for(|| await_walker(page));
    }
    if plan.workload.steps() {
        step::leave_garbage(&context.live, seed);
    }
    let (begun, time) = (Instant::now(), Duration::from_millis(plan.millis));
    let mut taken = Taken::default();
    Python::attach(|py| -> Result<(), String> {
        let mut passes = 0;
        // One pass at least: a process that was not scheduled for a while has measured nothing otherwise.
        while passes == 0 || plan.passes.map_or_else(|| begun.elapsed() < time, |most| passes < most) {
            running.window(|| program.pass.call0(py)).map_err(|error| format!("target: {error}"))?;
            passes += 1;
            taken.take(page, |_| {});
        }
        Ok(())
    })?;
    end(plan, page, &running)?;
    running.finish(context)?;
    taken.take(page, |_| {});
    let samples = taken.check(page)?;
    page.enter(Phase::Done);
    let notes: Vec<String> = context.witness().into_iter().chain(not_carried(samples)).collect();
    if !notes.is_empty() {
        page.leave_note(&notes.join("; "));
    }
    Ok(())
}

/// Until another thread's or process's first walk has begun, or a second is over: on a busy machine it may get its first time
/// slice when a short target is through, and then nothing was measured.
fn await_walker(page: &Page) {
    let begun = Instant::now();
    while page.steps.load(std::sync::atomic::Ordering::Relaxed) == 0 && begun.elapsed() < WALKER_BEGINS {
        std::thread::yield_now();
    }
}

/// Ends the interpreter as the target says. Nothing that belongs to Python may be used after it.
fn end(plan: &Plan, page: &'static Page, running: &Running) -> Result<(), String> {
    if plan.target.end == End::Stays {
        return Ok(());
    }
    // From here on CPython runs code of its own, which the oracle does not know.
    page.lenient.store(1, std::sync::atomic::Ordering::Relaxed);
    // SAFETY: the main thread, attached; no object of the interpreter that ends is used after it.
    running.window(|| unsafe { ffi::Py_FinalizeEx() });
    if plan.target.end == End::Finalizes {
        std::thread::sleep(AFTER_FINALIZE);
        return Ok(());
    }
    let cycles = plan.cell.params.get("cycles").and_then(|cycles| cycles.parse().ok()).unwrap_or(1_u32);
    for _ in 0..cycles {
        sigwalk_embed::initialize(Options::default())
            .map_err(|error| format!("initialised again: {error}"))?;
        // SAFETY: the main thread, attached to the interpreter that was just made; pyo3, which keeps objects of the first one,
        // is not used.
        unsafe {
            if ffi::PyRun_SimpleString(AGAIN.as_ptr()) != 0 {
                return Err("the program of the interpreter that was initialised again failed".into());
            }
            ffi::Py_FinalizeEx();
        }
    }
    Ok(())
}

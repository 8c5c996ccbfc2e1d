//! Workload `interleave`: another process walks, and between any two of its loads the target makes a fixed number of
//! instructions. What workload `other` leaves to chance, how far the target gets during a walk, is the parameter here: the
//! answer is exact, and a walk that reads in a worse order is wrong at a smaller distance.
//!
//! The target's main thread is stopped but for those instructions, so nothing depends on timing.

use crate::attempt::{self, Context};
use crate::campaign::Plan;
use crate::hash;
use crate::subject::{Judged, Subject};
use crate::workload::{step, traced};
use libc::{c_int, pid_t};
use sigwalk::reader::VmReader;
use sigwalk::walkers::Entry;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

/// Between two walks the target makes up to so many instructions.
const APART: u64 = 400;

static TRACEE: AtomicI32 = AtomicI32::new(0);
static BETWEEN: AtomicU64 = AtomicU64::new(0);
/// How the tracee ended; negative while it has not.
static ENDED: AtomicI32 = AtomicI32::new(-1);

/// Splits the trial: a child goes on with the target, this process walks it.
///
/// # Errors
/// The kernel refuses, or the walker cannot be interleaved.
pub fn start(context: &'static Context, plan: &Plan, seed: u64) -> Result<(), String> {
    let Subject::Judged(Judged::Ours(entry)) = context.subject else {
        return Err("only walkers of ours can be interleaved with their target".into());
    };
    step::by_tracer();
    BETWEEN.store(plan.step.between, Relaxed);
    traced::split(context, 0, |tracee| walks(context, entry, tracee, seed, plan.step.walks))
}

fn walks(trial: &'static Context, entry: &'static Entry, tracee: pid_t, seed: u64, most: u64) -> c_int {
    let Some(slot) = traced::slot(trial) else { return 1 << 8 };
    TRACEE.store(tracee, Relaxed);
    let live = trial.live.reading(VmReader::new(tracee));
    let subject = Subject::Judged(Judged::Interleaved(entry));
    let context = Context::new(live, subject, trial.oracle, trial.page).publish();
    let window = &trial.page.window;
    let mut random = seed;
    // Runs freely until a window opens, or it ends.
    while goes_on(false) {
        for _ in 0..most {
            random = hash::next(random);
            steps(context, hash::mix(random) % APART);
            if window.load(Relaxed) == 0 || ENDED.load(Relaxed) >= 0 {
                break;
            }
            let pointer = traced::registers(tracee).map(|(_, pointer)| pointer);
            context.attempt_found(pointer.and_then(|pointer| slot.state(&context.live.readers.vm, pointer)));
        }
        // What is left of the window is not walked.
        window.store(0, Relaxed);
    }
    ENDED.load(Relaxed)
}

/// What happens before each load of a walk.
pub fn advance() {
    if let Some(context) = attempt::context() {
        steps(context, BETWEEN.load(Relaxed));
    }
}

/// The target makes so many instructions, while its window is open.
fn steps(context: &Context, count: u64) {
    for _ in 0..count {
        if context.page.window.load(Relaxed) == 0 || !goes_on(true) {
            return;
        }
        context.page.boundaries.fetch_add(1, Relaxed);
    }
}

/// The target goes on, for one instruction or until it opens a window: whether it still lives.
fn goes_on(step: bool) -> bool {
    let tracee = TRACEE.load(Relaxed);
    let mut deliver = 0;
    while ENDED.load(Relaxed) < 0 {
        traced::resume(tracee, step, deliver);
        match traced::wait(tracee) {
            Some((_, status)) if libc::WIFSTOPPED(status) => match libc::WSTOPSIG(status) {
                libc::SIGSTOP | libc::SIGTRAP => return true,
                signal => deliver = signal,
            },
            Some((_, status)) => ENDED.store(status, Relaxed),
            None => ENDED.store(1 << 8, Relaxed),
        }
    }
    false
}

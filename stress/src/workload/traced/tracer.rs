//! Steps every thread that opens a window or is born in one, and walks it at each boundary.

use super::{Slot, registers, resume, wait};
use crate::attempt::Context;
use crate::page::Tally;
use crate::subject::{Judged, Subject};
use libc::{c_int, pid_t};
use sigwalk::reader::VmReader;
use sigwalk::walkers::Entry;
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

/// A thread that is traced.
struct Thread {
    process: pid_t,
    stepped: bool,
    /// Boundaries until the next walk.
    skip: u64,
}

/// Traces until the last thread has ended: how the tracee ended.
pub fn every_boundary(trial: &'static Context, entry: &'static Entry, tracee: pid_t, stride: u64) -> c_int {
    let Some(slot) = super::slot(trial) else { return 1 << 8 };
    let mut contexts: HashMap<pid_t, &'static Context> = HashMap::new();
    let mut threads: HashMap<pid_t, Thread> = HashMap::new();
    threads.insert(tracee, Thread { process: tracee, stepped: false, skip: 0 });
    let mut ended = 0;
    resume(tracee, false, 0);
    while let Some((id, status)) = wait(-1) {
        if !libc::WIFSTOPPED(status) {
            threads.remove(&id);
            if id == tracee {
                ended = status;
            }
            continue;
        }
        // A thread or a process that was just born may be heard of before its parent's event.
        let thread =
            threads.entry(id).or_insert_with(|| Thread { process: process_of(id), stepped: false, skip: 0 });
        let window = trial.page.window.load(Relaxed) != 0;
        let signal = libc::WSTOPSIG(status);
        let mut deliver = 0;
        match (signal, status >> 16) {
            // Born, or opened a window.
            (libc::SIGSTOP, _) => thread.stepped = window,
            (libc::SIGTRAP, 0) if thread.stepped => {
                thread.stepped = window;
                trial.page.boundaries.fetch_add(u64::from(window), Relaxed);
                if window && thread.skip == 0 {
                    thread.skip = stride;
                    let context = contexts
                        .entry(thread.process)
                        .or_insert_with(|| outside(trial, entry, thread.process));
                    boundary(context, slot, id);
                }
                thread.skip = thread.skip.saturating_sub(1);
            }
            (_, 0) => deliver = signal,
            // Clone, fork: the new one stops by itself.
            _ => {}
        }
        resume(id, thread.stepped, deliver);
    }
    ended
}

/// The trial as it is walked in that process.
fn outside(trial: &'static Context, entry: &'static Entry, process: pid_t) -> &'static Context {
    let live = trial.live.reading(VmReader::new(process));
    let context = Context::new(live, Subject::Judged(Judged::Traced(entry)), trial.oracle, trial.page);
    context.publish()
}

fn boundary(context: &Context, slot: Slot, thread: pid_t) {
    let Some((pc, pointer)) = registers(thread) else { return };
    let tally = context.attempt_found(slot.state(&context.live.readers.vm, pointer));
    if !matches!(tally, Tally::Complete | Tally::NoThreadState) {
        context.page.count_at(pc, tally);
    }
}

/// The process of a thread.
fn process_of(thread: pid_t) -> pid_t {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    line.and_then(|id| id.trim().parse().ok()).unwrap_or(thread)
}

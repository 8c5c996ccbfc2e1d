//! What the three looks saw, as a row; and whether it is a finding.

use super::context::Context;
use super::kind::Kind;
use super::ledger::{LABELS, Ledger};
use super::process::{LookFor, Nursery, lost};
use super::registers::{has_avx, has_xinuse};
use super::subjects::Subject;
use super::watch::minimal_signal_stack;
use crate::failure::Failure;
use libc::c_long;
use sigwalk_embed::pyo3::Python;
use sigwalk_embed::system_calls::Ended;
use sigwalk_record::{Contract, SCHEMA, Whose};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

/// System calls that a walk may make. Each is on POSIX's list of async-signal-safe functions, or reads and nothing else; those that
/// ask and those that change have one number, and what stays changed is seen otherwise.
const ALLOWED: [c_long; 4] =
    [libc::SYS_process_vm_readv, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_write];

/// Watches a subject in a context.
///
/// # Errors
/// The kernel refuses a process.
pub fn row(
    py: Python<'_>,
    nursery: &Nursery,
    tag: &str,
    subject: &'static Subject,
    context: Context,
    walks: u64,
) -> Result<Contract, Failure> {
    let mut row = Contract {
        schema: SCHEMA,
        interpreter: tag.to_owned(),
        subject: subject.name.clone(),
        whose: subject.whose,
        context: context.name().to_owned(),
        walks: 0,
        frames: 0,
        violations: BTreeMap::new(),
        touched: BTreeMap::new(),
        allowed: BTreeMap::new(),
        stack: 0,
        minimal_signal_stack: minimal_signal_stack(),
        lost: BTreeMap::new(),
        not_checked: BTreeMap::new(),
        not_available: subject.not_available.clone(),
    };
    if !subject.not_available.is_empty() {
        return Ok(row);
    }
    for look in [LookFor::Calls, LookFor::Stores, LookFor::SystemCalls] {
        let ran = match nursery.run(py, subject, context, look, walks) {
            Ok(ran) => ran,
            Err(error) if look == LookFor::SystemCalls => {
                row.not_checked.insert(Kind::SystemCall.name().into(), error.to_string());
                continue;
            }
            Err(error) => {
                return Err(Failure::missing(format!("a process of the contract checker: {error}")));
            }
        };
        add(&mut row, nursery, nursery.ledger());
        // The calls of a walk that did not come back are those of its death.
        let done = nursery.ledger().done.load(Relaxed) as usize;
        ran.calls.iter().take(done).for_each(|calls| system_calls(&mut row, calls));
        match ran.ended {
            Ended::Exit(0) => {}
            Ended::Exit(code) => {
                return Err(Failure::internal(format!(
                    "{} in {}: the watched process ended with {code}",
                    subject.name,
                    context.name()
                )));
            }
            Ended::Signal(signal) => *row.lost.entry(lost(signal)).or_default() += 1,
        }
    }
    not_checked(&mut row, nursery);
    Ok(row)
}

fn add(row: &mut Contract, nursery: &Nursery, ledger: &Ledger) {
    row.walks = row.walks.max(ledger.begun.load(Relaxed));
    row.frames = row.frames.max(ledger.frames.load(Relaxed));
    row.stack = row.stack.max(ledger.stack.load(Relaxed));
    for kind in Kind::ALL {
        bump(&mut row.violations, kind.name(), ledger.violations[*kind as usize].load(Relaxed));
    }
    for label in 0..LABELS {
        if let Some(name) = nursery.labels.name(label) {
            bump(&mut row.touched, &name, ledger.touched[label].load(Relaxed));
        }
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    if by > 0 {
        *counts.entry(name.to_owned()).or_default() += by;
    }
}

fn system_calls(row: &mut Contract, calls: &[c_long]) {
    let name = |call: c_long| {
        syscalls::Sysno::new(call as usize)
            .map_or_else(|| format!("system call {call}"), |known| known.name().to_owned())
    };
    for call in calls {
        let counts = if ALLOWED.contains(call) { &mut row.allowed } else { &mut row.touched };
        bump(counts, &name(*call), 1);
    }
    if calls.iter().any(|call| !ALLOWED.contains(call)) {
        bump(&mut row.violations, Kind::SystemCall.name(), 1);
    }
}

fn not_checked(row: &mut Contract, nursery: &Nursery) {
    let mut missing = |kinds: &[Kind], why: &str| {
        for kind in kinds {
            row.not_checked.insert(kind.name().to_owned(), why.to_owned());
        }
    };
    if nursery.interposed.is_none() {
        let calls = [Kind::Allocation, Kind::Lock, Kind::Thread, Kind::Linker, Kind::Stdio];
        missing(&calls, "the library that counts calls was not preloaded");
    }
    if let Err(why) = &nursery.places {
        missing(&[Kind::Gil, Kind::ThreadState, Kind::Breaker], why);
    }
    if !has_xinuse() || !has_avx() {
        missing(&[Kind::Vector], "this processor does not say which registers are in use");
    }
    if cfg!(debug_assertions) {
        missing(&[Kind::Stack], "built without optimisation");
    }
}

/// What is wrong with a row; `None` where it is as it should be. CPython's own functions have promised nothing. That raw loads may
/// be fatal is what the trials are about, and no violation.
pub fn finding(row: &Contract, subject: &Subject) -> Option<String> {
    let said: Vec<String> =
        row.violations.iter().map(|(kind, count)| format!("{kind} in {count}/{}", row.walks)).collect();
    match row.whose {
        Whose::Cpython => None,
        Whose::Ours if row.violations.is_empty() && (row.lost.is_empty() || subject.reads_raw) => None,
        Whose::Ours => {
            Some([said.join(", "), named(&row.lost)].join("; ").trim_matches([';', ' ']).to_owned())
        }
        Whose::Planted => {
            let missed: Vec<&str> = subject
                .expected
                .iter()
                .map(|kind| kind.name())
                .filter(|kind| !row.violations.contains_key(*kind) && !row.not_checked.contains_key(*kind))
                .collect();
            (!missed.is_empty()).then(|| format!("planted {} was not seen", missed.join(", ")))
        }
    }
}

/// `3 malloc, 2 futex`
pub fn named(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

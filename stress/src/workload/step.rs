//! Workload `step`: a walk at every instruction boundary of a window. A window is a pass of the target, its finalisation,
//! or what a native function of a target says.
//!
//! Two steppers. `trap` sets the processor's trap flag: each instruction of the thread ends in SIGTRAP, whose handler
//! walks the thread that it interrupted, as a profiler's would. `ptrace` steps from a process of its own, and walks the stopped
//! thread from there by the walker's policy: the same memory, not the same handler, and also the first and last instructions of a
//! thread, and code that no signal can interrupt.
//!
//! A window of millions of instructions is stepped in bursts, at random moments: how many boundaries that were is in the
//! record, how many there are is not known.

mod garbage;
mod pause;
mod trap;

pub use garbage::leave as leave_garbage;

use crate::attempt::Context;
use crate::campaign::Plan;
use crate::subject::{Judged, Subject};
use crate::workload::{Workload, traced};
use serde::Deserialize;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Who steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The trap flag, in the process.
    #[default]
    Trap,
    /// A tracer.
    Ptrace,
}

/// How a window is stepped: `step = { by = "trap", stride = 1, burst = 0 }` in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stepping {
    /// Who steps.
    pub by: By,
    /// A walk at every `stride`-th boundary.
    pub stride: u64,
    /// Boundaries in a row, between pauses of `gap_us` on average; 0 = the whole window. Only `trap`.
    pub burst: u64,
    /// Workload `interleave`: instructions of the target between two loads.
    pub between: u64,
    /// Workload `interleave`: walks in a pass, at the most.
    pub walks: u64,
}

impl Default for Stepping {
    fn default() -> Self {
        Stepping { by: By::Trap, stride: 1, burst: 0, between: 10, walks: 200 }
    }
}

impl Stepping {
    /// As records have it.
    pub fn params(self, workload: Workload) -> Vec<(String, String)> {
        if workload == Workload::Interleave {
            return vec![
                ("between".into(), self.between.to_string()),
                ("walks".into(), self.walks.to_string()),
            ];
        }
        let by = if self.by == By::Trap { "trap" } else { "ptrace" };
        let mut params =
            vec![("stepper".to_owned(), by.to_owned()), ("stride".into(), self.stride.to_string())];
        if self.burst > 0 {
            params.push(("burst".into(), self.burst.to_string()));
        }
        params
    }

    /// By a tracer.
    pub fn is_traced(self) -> bool {
        self.by == By::Ptrace
    }

    /// Why it cannot be done.
    pub fn problem(self) -> Option<&'static str> {
        match self {
            Stepping { stride: 0, .. } => Some("step.stride must be at least 1"),
            Stepping { by: By::Ptrace, burst: 1.., .. } => Some("step.burst is only for by = \"trap\""),
            Stepping { between: 0, .. } | Stepping { walks: 0, .. } => {
                Some("step.between and step.walks must be at least 1")
            }
            _ => None,
        }
    }
}

const OFF: u8 = 0;
const TRAP: u8 = 1;
const PTRACE: u8 = 2;

static STEPPER: AtomicU8 = AtomicU8::new(OFF);

/// Prepares the stepping. With `ptrace` this process becomes the tracer, and a child of it goes on with the trial.
///
/// # Errors
/// The kernel refuses, or the walker cannot walk from outside.
pub fn start(context: &'static Context, plan: &Plan, seed: u64) -> Result<(), String> {
    match plan.step.by {
        By::Trap => {
            trap::prepare(plan.step, plan.gap_us, seed);
            STEPPER.store(TRAP, Relaxed);
        }
        By::Ptrace => {
            let Subject::Judged(Judged::Ours(entry)) = context.subject else {
                return Err("only walkers of ours walk from outside".into());
            };
            STEPPER.store(PTRACE, Relaxed);
            traced::split(context, traced::FAMILY, |tracee| {
                traced::every_boundary(context, entry, tracee, plan.step.stride)
            })?;
        }
    }
    Ok(())
}

/// The target goes on in this process under a tracer, which [`traced::split`] is about to make.
pub(super) fn by_tracer() {
    STEPPER.store(PTRACE, Relaxed);
}

/// Steps the calling thread through `piece`, if windows are stepped.
pub fn window<T>(piece: impl FnOnce() -> T) -> T {
    let stepper = STEPPER.load(Relaxed);
    match stepper {
        TRAP => trap::open(),
        PTRACE => traced::open(),
        _ => {}
    }
    let result = piece();
    match stepper {
        TRAP => trap::close(),
        PTRACE => traced::close(),
        _ => {}
    }
    result
}

/// The calling thread, which the target made, is stepped to its end, if windows are stepped by the trap flag.
pub fn arm() {
    if STEPPER.load(Relaxed) == TRAP {
        trap::arm();
    }
}

/// This process was just forked, in a window.
pub fn arm_in_child() {
    if STEPPER.load(Relaxed) == TRAP {
        trap::arm_in_child();
    }
}

/// No window is stepped from now on.
pub fn stop() {
    STEPPER.store(OFF, Relaxed);
}

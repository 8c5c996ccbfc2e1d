//! Workload `hook`: walks of the own thread inside the allocators' hooks, compared with the interpreter's own frames.
//!
//! `PyMem_SetAllocator` puts a function of ours before and after each malloc, calloc, realloc and free of the domains raw,
//! mem and obj. Some calls in between, by the seed, the thread is walked there: in the middle of frame push and pop, generator
//! creation, ownership transfer, garbage collection, import, thread start and exit, and finalisation. That is where
//! allocation profilers walk (tracemalloc, gh-96612; dd-trace-py #16661). The thread stands still, and so the answer must be
//! exactly the interpreter's own ([`sigwalk_embed::own_frames`]): frame, code, instruction, line and order. Any
//! difference is a finding.
//!
//! What it has found: no silent difference so far, and two detected ones.
//!
//! * 3.11, strict walkers, `ChainCut`: finalisation closes a suspended generator with nothing below it, and a chain that
//!   ends at a generator's frame is called cut (`src/walk/strict/chain.rs` says why). The frames are right.
//! * 3.13.5 to 3.15.0, `pr-b1-hops`, `NoCode`: the shim frame below a specialised `__init__` has no `f_globals` of its own in a release
//!   build, but what the data stack had there. Where that is NULL, `_PyFrame_SafeGetCode`, asked before
//!   `_PyFrame_IsIncomplete` would have skipped the frame, says NULL, and all that is further out is lost. `pr-b1`, which asks
//!   in the other order, passes.
//!
//! Hooks stay installed when the walking ends, and pass calls on: another thread may be in one.
//!
//! # Invariant
//!
//! The state and the three hooks are published before the first hook is installed, and never freed. A walk inside a hook
//! allocates nothing from Python and makes no call that could run Python code, but for [`public`], which says how it is kept
//! apart. Rust's own allocator is not hooked, so that a witness may be written where it is seen.

mod compare;
mod public;
mod walk;

use crate::attempt::Context;
use crate::campaign::Plan;
use crate::hash;
use crate::hooks::{self, Call, Observer};
use crate::subject::{Judged, Subject};
use libc::c_void;
use sigwalk_embed::own_frames::{self, OwnFrames};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What a hook needs.
struct State {
    context: &'static Context,
    walker: Judged,
    oracle: OwnFrames,
    seed: u64,
    /// Mean number of allocator calls of a thread between two walks.
    sample: u64,
    /// Every so many walks the public functions are asked, too; 0: never.
    public: u64,
}

static STATE: OnceLock<State> = OnceLock::new();
static ON: AtomicBool = AtomicBool::new(false);
static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Constant initialisers and no destructors: also while a thread is taken down they are plain loads.
    /// Calls until the next walk; 0: this thread has not begun.
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static RANDOM: Cell<u64> = const { Cell::new(0) };
    /// This thread allocates on our own account.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// Where a walk is made. For notes.
#[derive(Clone, Copy, Debug)]
struct Place {
    domain: &'static str,
    function: &'static str,
    side: Side,
}

/// On which side of the allocator's own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// Installs the hooks. They walk from now on.
///
/// # Errors
/// The interpreter has no oracle, or the walker is not one whose answers are judged.
pub fn start(context: &'static Context, plan: &Plan, seed: u64) -> Result<(), String> {
    let oracle = own_frames::available().map_err(|why| format!("hook: {why}"))?;
    let Subject::Judged(walker) = context.subject else {
        return Err("hook: the answers of this walker cannot be compared".into());
    };
    let state = State { context, walker, oracle, seed, sample: plan.sample, public: plan.public };
    STATE.set(state).map_err(|_| "hook: the workload was started twice")?;
    hooks::install::<Walks>()?;
    ON.store(true, Relaxed);
    Ok(())
}

/// Ends the walking; the hooks pass on what they are called for.
pub fn stop() {
    ON.store(false, Relaxed);
}

/// Whether this call is one to walk at, and on which side.
#[inline(always)]
fn due() -> Option<(&'static State, Side)> {
    if !ON.load(Relaxed) {
        return None;
    }
    let left = LEFT.get();
    if left > 1 {
        LEFT.set(left - 1);
        return None;
    }
    begin_gap(left == 0)
}

#[cold]
fn begin_gap(is_first: bool) -> Option<(&'static State, Side)> {
    let state = STATE.get()?;
    if OURS.get() {
        return None;
    }
    let before =
        if is_first { state.seed ^ THREADS.fetch_add(1, Relaxed).rotate_right(16) } else { RANDOM.get() };
    let random = hash::next(before);
    RANDOM.set(random);
    let random = hash::mix(random);
    // Uniform in 1..=2·mean − 1. A fixed gap could run in step with a loop of the target.
    LEFT.set(1 + (random >> 1) % (2 * state.sample - 1));
    Some((state, if random & 1 == 0 { Side::Before } else { Side::After }))
}

/// The walks of this workload.
struct Walks;

impl Observer for Walks {
    /// Present where the walk comes after the call.
    type Token = Option<&'static State>;

    #[inline(always)]
    fn before(call: &Call) -> Self::Token {
        let (state, side) = due()?;
        if side == Side::After {
            return Some(state);
        }
        state.visit(Place { domain: call.domain, function: call.function, side });
        None
    }

    #[inline(always)]
    fn after(token: Self::Token, call: &Call, _block: *mut c_void) {
        if let Some(state) = token {
            state.visit(Place { domain: call.domain, function: call.function, side: Side::After });
        }
    }
}

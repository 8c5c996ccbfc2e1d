//! One trial: a process in which a program churns, walks are made from the allocator's hooks, and their pointers are used later.
//!
//! Walk and use happen on the program's own thread: at the use nothing else happens, so that what stands at the pointer is known
//! exactly. For a pointer it makes no difference who follows it, and from where.
//!
//! # Invariant
//!
//! Everything here runs on the one thread of a process that was just forked. A hook walks, reads and counts; it calls nothing
//! that allocates from Python, so that it is never entered from itself, and the trial is borrowed by one at a time.
#![allow(unsafe_code)]

use super::registry;
use super::shared::Shared;
use super::technique::{Deaths, Seen};
use super::waiting::{Sample, Standing, Waiting};
use super::{DELAYS, Fate};
use crate::hash;
use crate::hooks::{self, Call, Observer};
use crate::native::Native;
use libc::c_void;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::Reader;
use sigwalk::walk::{Detail, End, Request};
use sigwalk::walkers::Entry;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::ffi::{self, PyObject};
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::PyDict;
use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering::Relaxed;

/// Mean number of allocator calls between two walks.
const GAP: u64 = 40;

/// Frames that a walk delivers: the innermost one is used.
const FRAMES: usize = 64;

/// The state of a trial.
struct Trial {
    live: Live,
    walker: &'static Entry,
    tstate: Addr,
    interp: Addr,
    shared: &'static Shared,
    waiting: Waiting<Seen>,
    deaths: Deaths,
    random: u64,
    /// Allocator calls until the next walk.
    left: u64,
    /// Delay of the next pointer.
    next: usize,
    begun: u64,
    /// No pointer is kept from then on.
    until: u64,
}

thread_local! {
    // No destructor: in a hook it is a plain load.
    static TRIAL: Cell<Option<&'static RefCell<Trial>>> = const { Cell::new(None) };
}

/// Nanoseconds of the machine's clock.
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is written.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn with(step: impl FnOnce(&mut Trial)) {
    if let Some(trial) = TRIAL.get() {
        step(&mut trial.borrow_mut());
    }
}

/// The code object of that number is being taken down.
pub fn died(serial: u64) {
    with(|trial| trial.waiting.died(serial));
}

/// A watcher was told that the code object at `code` is about to be destroyed.
pub fn destroyed(code: u64) {
    with(|trial| trial.deaths.count(code));
}

/// The hooks.
struct Uses;

impl Observer for Uses {
    type Token = ();

    #[inline(always)]
    fn before(call: &Call) {
        if call.function == "free" && !call.block.is_null() {
            with(|trial| trial.waiting.freed(call.block as u64));
        }
    }

    #[inline(always)]
    fn after((): (), call: &Call, block: *mut c_void) {
        with(|trial| {
            if !block.is_null() {
                if call.function == "realloc" && call.block != block {
                    trial.waiting.freed(call.block as u64);
                }
                trial.waiting.allocated(block as u64, call.size);
            }
            trial.use_what_is_due();
            trial.left -= 1;
            if trial.left == 0 {
                trial.random = hash::next(trial.random);
                trial.left = hash::exponential(trial.random, GAP);
                trial.walk();
            }
        });
    }
}

impl Trial {
    fn seen(&self, code: u64) -> Seen {
        let Live { interpreter, readers, .. } = &self.live;
        Seen::now(&readers.guarded, interpreter, self.interp, &self.deaths, code)
    }

    fn use_what_is_due(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let now = now();
        while let Some((sample, standing)) = self.waiting.due(now) {
            let seen = self.seen(sample.code);
            let fate = match standing {
                Standing::Alive => Fate::Alive,
                Standing::Freed => Fate::Dead,
                // A block that was handed out and not filled yet still has what the allocator left in it: no count.
                Standing::Others { begins: true } if seen.is_code() => Fate::Wrong,
                Standing::Others { .. } => Fate::Recycled,
            };
            let passed = now - sample.begun;
            self.shared.uses[sample.delay].count(fate, sample.seen.told(&seen), passed);
        }
    }

    /// Walks the calling thread, and keeps the innermost pointer if it is one of the churn's.
    fn walk(&mut self) {
        let Some(delay) = (0..DELAYS.len())
            .map(|step| (self.next + step) % DELAYS.len())
            .find(|&delay| self.waiting.has_room(delay))
        else {
            return;
        };
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        let request = Request::new(&self.live.interpreter, self.tstate, Detail::Line);
        let walk = (self.walker.live)(&self.live.readers, &request, &mut out);
        let [innermost, ..] = out.frames() else { return };
        if walk.end != End::Complete {
            return;
        }
        let code = innermost.code.get();
        // SAFETY: attached (the domain raw too: this is the only thread, and it never detaches); a complete walk in a hook delivers
        // the thread's own frames, which keep their code alive.
        let Some(serial) = (unsafe { registry::number_of(code) }) else { return };
        let begun = now();
        if begun >= self.until {
            return;
        }
        self.next = delay + 1;
        let due = begun + DELAYS[delay];
        self.waiting.keep(Sample { code, serial, delay, begun, due, seen: self.seen(code) });
        if DELAYS[delay] == 0 {
            self.use_what_is_due();
        }
    }
}

/// `made(code)`
unsafe extern "C-unwind" fn made(_module: *mut PyObject, code: *mut PyObject) -> *mut PyObject {
    let mut serial = 0;
    with(|trial| serial = trial.shared.made.fetch_add(1, Relaxed) + 1);
    // SAFETY: attached, called by Python with an object that is alive. The trial is not borrowed: this allocates.
    unsafe {
        if registry::number(code, serial).is_err() {
            return std::ptr::null_mut();
        }
        let none = ffi::Py_None();
        ffi::Py_IncRef(none);
        none
    }
}

/// `ended()`: whether the program has run for its time, and no pointer waits any more.
unsafe extern "C-unwind" fn ended(_module: *mut PyObject, _argument: *mut PyObject) -> *mut PyObject {
    let mut over = true;
    with(|trial| {
        let now = now();
        over = now >= trial.until && trial.waiting.is_empty();
        trial.shared.ran.store(now - trial.begun, Relaxed);
    });
    // SAFETY: attached; a new reference.
    unsafe { ffi::PyBool_FromLong(over.into()) }
}

static MADE: Native = Native::with_argument(c"made", made);
static ENDED: Native = Native::plain(c"ended", ended);

/// Runs the program `churn` of `programs`, keeping pointers for so many nanoseconds.
///
/// # Errors
/// Python's, or something that is needed of the interpreter is not there.
pub fn run(
    live: &Live,
    walker: &'static Entry,
    programs: &Py<PyDict>,
    churn: &str,
    nanoseconds: u64,
    seed: u64,
    shared: &'static Shared,
) -> Result<(), String> {
    Python::attach(|py| {
        registry::prepare()?;
        // What is not there is said by the parent.
        let _ = registry::watch();
        let tstate = live.tstate().ok_or("the thread has no thread state")?;
        let interp = live.interpreter.layout.thread.interp;
        let interp = live.readers.guarded.addr_at(tstate, interp).map_err(|_| "no interpreter state")?;
        let begun = now();
        let trial = Trial {
            live: *live,
            walker,
            tstate,
            interp,
            shared,
            waiting: Waiting::new(DELAYS.len()),
            deaths: Deaths::new(),
            random: seed,
            left: 1 + seed % GAP,
            next: 0,
            begun,
            until: begun + nanoseconds,
        };
        let run = |error: PyErr| format!("{churn}: {error}");
        let functions = [MADE.object(py).map_err(run)?, ENDED.object(py).map_err(run)?];
        let program = programs.bind(py).get_item(format!("run_{churn}")).map_err(run)?;
        let program = program.ok_or_else(|| format!("no program {churn}"))?;
        TRIAL.set(Some(Box::leak(Box::new(RefCell::new(trial)))));
        hooks::install::<Uses>()?;
        let [made, ended] = functions;
        program.call1((made, ended)).map_err(run)?;
        Ok(())
    })
}

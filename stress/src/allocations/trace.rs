//! The exact trace: every block that a program asks for, with the stack that the interpreter itself says it has.
//!
//! A block that one allocator gets from another is counted once, where the program asked for it.
//!
//! # Invariant
//!
//! One thread, attached, in a process of its own. In a hook nothing of Python is called but the oracle's inline functions, which
//! allocate nothing, and a reference count: code objects of the trace are kept alive, so that they have names at its end. Rust's own
//! allocator is not hooked.
#![allow(unsafe_code)]

use crate::hooks::{self, Call, Observer};
use libc::c_void;
use sigwalk::addr::Addr;
use sigwalk::frame::Frame;
use sigwalk_embed::Live;
use sigwalk_embed::own_frames::{self, OwnFrames};
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::PyDict;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::mem::MaybeUninit;

/// Deeper stacks are cut at their outer end; the programs have none.
const FRAMES: usize = 32;

/// A stack, innermost first: code object and line.
type Stack = Vec<(u64, i32)>;

/// Blocks by stack, size and count, of one program.
pub type Rows = BTreeMap<(Vec<String>, u64), u64>;

struct Trace {
    oracle: OwnFrames,
    tstate: Addr,
    blocks: HashMap<(Stack, u64), u64>,
    codes: HashMap<u64, ()>,
}

thread_local! {
    // No destructors: in a hook they are plain loads.
    static TRACE: Cell<Option<&'static RefCell<Trace>>> = const { Cell::new(None) };
    /// Calls of allocators that this one is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

struct Blocks;

impl Observer for Blocks {
    type Token = ();

    fn before(_call: &Call) {
        DEPTH.set(DEPTH.get() + 1);
    }

    fn after((): (), call: &Call, block: *mut c_void) {
        let depth = DEPTH.get() - 1;
        DEPTH.set(depth);
        if depth > 0 || block.is_null() || call.size == 0 {
            return;
        }
        if let Some(trace) = TRACE.get() {
            trace.borrow_mut().block(call.size as u64);
        }
    }
}

impl Trace {
    fn block(&mut self, size: u64) {
        let mut room: [MaybeUninit<Frame>; FRAMES] = [const { MaybeUninit::uninit() }; FRAMES];
        // SAFETY: the calling thread's own state, attached, in a function that the interpreter called.
        let (frames, _) = unsafe { self.oracle.of(self.tstate, &mut room) };
        let stack: Stack = frames.iter().map(|frame| (frame.code.get(), frame.line)).collect();
        for (code, _) in &stack {
            self.codes.entry(*code).or_insert_with(|| {
                // SAFETY: attached; code of a frame on the stack is alive. Never given back.
                unsafe { ffi::Py_IncRef(*code as *mut ffi::PyObject) }
            });
        }
        *self.blocks.entry((stack, size)).or_default() += 1;
    }
}

/// Runs the program `name` of `programs.py` and returns what it asked for. Once a process.
///
/// # Errors
/// Python's, or the interpreter has no oracle.
pub fn run(live: &Live, programs: &Py<PyDict>, name: &str) -> Result<Rows, String> {
    Python::attach(|py| {
        let oracle = own_frames::available()?;
        let tstate = live.tstate().ok_or("the thread has no thread state")?;
        let run = programs.bind(py).get_item("run").ok().flatten().ok_or("no function run")?;
        let trace = Trace { oracle, tstate, blocks: HashMap::new(), codes: HashMap::new() };
        let trace: &'static RefCell<Trace> = Box::leak(Box::new(RefCell::new(trace)));
        hooks::install::<Blocks>()?;
        TRACE.set(Some(trace));
        let ended = run.call1((name,));
        TRACE.set(None);
        ended.map_err(|error| format!("{name}: {error}"))?;
        let trace = trace.borrow();
        let mut names = HashMap::new();
        for code in trace.codes.keys() {
            // SAFETY: attached; a code object that this trace keeps alive.
            let object = unsafe { Bound::from_borrowed_ptr(py, *code as *mut ffi::PyObject) };
            let name = object.getattr("co_qualname").and_then(|name| name.extract::<String>());
            names.insert(*code, name.map_err(|error| format!("a name: {error}"))?);
        }
        let mut rows = Rows::new();
        for ((stack, size), count) in &trace.blocks {
            let stack = stack.iter().map(|(code, line)| format!("{}:{line}", names[code])).collect();
            *rows.entry((stack, *size)).or_default() += count;
        }
        Ok(rows)
    })
}

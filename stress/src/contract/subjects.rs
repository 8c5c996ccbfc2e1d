//! Who is watched: one row a subject. Walkers of ours come from their registry.
//!
//! # Invariant
//!
//! A subject is called by the thread that [`Here`] is of, in a process of its own, with no other subject on: what it needs of statics
//! is its alone.
#![allow(unsafe_code)]

use super::kind::Kind;
use super::{cpython, planted};
use sigwalk::addr::Addr;
use sigwalk::call_stack::{self, FrameInfo, Header};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::walk::{Detail, Request};
use sigwalk::walkers::{self, Reads};
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_record::Whose;
use std::cell::UnsafeCell;

/// Where a walk begins.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// The interpreter.
    pub live: &'a Live,
    /// The calling thread's state.
    pub tstate: Addr,
}

/// A subject.
pub struct Subject {
    /// Its name in records.
    pub name: String,
    /// Whose code it is.
    pub whose: Whose,
    /// Violations that it must be seen with: those that were planted.
    pub expected: &'static [Kind],
    /// It follows pointers by raw loads, so that a bad one is fatal.
    pub reads_raw: bool,
    /// Why it cannot be called on this interpreter; empty when it can.
    pub not_available: String,
    prepare: fn(Python<'_>) -> PyResult<()>,
    walk: Box<dyn Fn(&Here<'_>) -> u64 + Sync>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Subject {
    /// One that is there and needs nothing.
    pub fn new(name: &str, whose: Whose, walk: impl Fn(&Here<'_>) -> u64 + Sync + 'static) -> Subject {
        Subject {
            name: name.to_owned(),
            whose,
            expected: &[],
            reads_raw: false,
            not_available: String::new(),
            prepare: |_| Ok(()),
            walk: Box::new(walk),
        }
    }

    /// The same, for which something is done in its process before it is first called.
    #[must_use]
    pub fn after(self, prepare: fn(Python<'_>) -> PyResult<()>) -> Subject {
        Subject { prepare, ..self }
    }

    /// The same with planted violations.
    #[must_use]
    pub fn planting(self, expected: &'static [Kind]) -> Subject {
        Subject { expected, ..self }
    }

    /// One that this interpreter does not have.
    pub fn missing(name: &str, why: &str) -> Subject {
        Subject { not_available: why.to_owned(), ..Subject::new(name, Whose::Cpython, |_| 0) }
    }

    /// Before the first call.
    ///
    /// # Errors
    /// Python's.
    pub fn prepare(&self, py: Python<'_>) -> PyResult<()> {
        (self.prepare)(py)
    }

    /// Walks; the frames delivered.
    ///
    /// # Signal safety
    /// What is asked.
    #[inline]
    pub fn walk(&self, here: &Here<'_>) -> u64 {
        (self.walk)(here)
    }
}

/// All of them.
///
/// # Errors
/// Python's.
pub fn all(py: Python<'_>) -> PyResult<Vec<Subject>> {
    let mut all: Vec<Subject> = walkers::ALL
        .iter()
        .filter(|entry| entry.reads != Reads::Outside)
        .map(|entry| {
            let subject = Subject::new(entry.name, Whose::Ours, |here| {
                frames_by(here, |here, request, out| {
                    (entry.live)(&here.live.readers, request, out);
                })
            });
            Subject { reads_raw: entry.reads == Reads::Raw, ..subject }
        })
        .collect();
    all.push(Subject::new("call_stack", Whose::Ours, collect_and_print));
    all.extend(cpython::all(py)?);
    all.extend(planted::all(py));
    Ok(all)
}

/// Memory of one walk at a time.
struct Room<T>(UnsafeCell<T>);

// SAFETY: the module's invariant.
unsafe impl<T> Sync for Room<T> {}

const EMPTY: Frame = Frame { frame: Addr::NULL, code: Addr::NULL, lasti: 0, line: 0 };
static FRAMES: Room<[Frame; 128]> = Room(UnsafeCell::new([EMPTY; 128]));
static INFOS: Room<[FrameInfo; 64]> = Room(UnsafeCell::new([FrameInfo::EMPTY; 64]));

/// The frames that `walk` delivers.
///
/// # Signal safety
/// That of `walk`.
pub fn frames_by(here: &Here<'_>, walk: impl FnOnce(&Here<'_>, &Request<'_>, &mut FrameBuf<'_>)) -> u64 {
    // SAFETY: the module's invariant.
    let mut out = FrameBuf::new(unsafe { &mut *FRAMES.0.get() });
    walk(here, &Request::new(&here.live.interpreter, here.tstate, Detail::Line), &mut out);
    out.frames().len() as u64
}

/// Design A: names and lines into frames of fixed size, and faulthandler's text to a descriptor that takes it.
fn collect_and_print(here: &Here<'_>) -> u64 {
    // SAFETY: the module's invariant.
    let infos = unsafe { &mut *INFOS.0.get() };
    let request = Request::new(&here.live.interpreter, here.tstate, Detail::Line);
    let collected = call_stack::collect(&here.live.readers.guarded, &request, infos);
    let _ = call_stack::print(cpython::null(), &infos[..collected.frames], Header::Omit);
    collected.frames as u64
}

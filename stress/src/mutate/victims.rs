//! Memory that was really freed: the interpreter makes objects and frees them, and their addresses become values of faults.
//! What their words hold then is recorded, because it decides whether a heuristic can notice anything.
//!
//! # Invariant
//!
//! A thread state that is made here is nobody's current one, and is cleared and deleted before anything else happens.
#![allow(unsafe_code)]

use super::stack::head_of;
use sigwalk::addr::Addr;
use sigwalk::layout::Head;
use sigwalk_embed::pyo3::exceptions::PyRuntimeError;
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use sigwalk_embed::{Live, on_a_thread};
use sigwalk_record::{Freed, SCHEMA};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex};

const SOURCE: &str = include_str!("victims.py");

macro_rules! kinds {
    ($($variant:ident = $name:literal, $freed:literal;)*) => {
        /// What was freed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($variant,)* }

        impl Kind {
            const ALL: &[Kind] = &[$(Kind::$variant),*];

            /// The word of `victims.py`.
            fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
            /// What records call it.
            fn freed(self) -> &'static str {
                match self { $(Kind::$variant => $freed,)* }
            }
        }
    };
}

kinds! {
    Code = "code", "code object, up to 512 bytes";
    CodeLarge = "code-large", "code object, more than 512 bytes";
    Table = "table", "line table";
    Recycled = "recycled", "code object, memory taken by another";
    Generator = "generator", "generator, its frame";
    Thread = "thread", "frame of a thread that has ended";
    Chunk = "chunk", "frame in a chunk that was given back";
    Popped = "popped", "frame that was popped";
    Entry = "entry", "entry frame of a call from C that has returned";
    Tstate = "tstate", "thread state";
}

/// An object whose memory was freed.
#[derive(Clone, Copy, Debug)]
struct Victim {
    kind: Kind,
    at: Addr,
    /// Its words of interest while it was alive.
    alive: [Option<u64>; WORDS],
}

const WORDS: usize = 4;

/// All victims of a stack, and two words that glibc leaves in what it frees.
#[derive(Debug, Default)]
pub struct Victims {
    all: Vec<Victim>,
    /// Second word of a small freed block: the key of its thread's cache.
    pub tcache_key: u64,
    /// First word of a large freed block: a pointer into the allocator's own memory.
    pub unsorted: u64,
}

/// Words that are looked at, by name and offset.
fn words(live: &Live, kind: Kind) -> Vec<(&'static str, u32)> {
    let layout = &live.interpreter.layout;
    match kind {
        Kind::Code | Kind::CodeLarge | Kind::Recycled => {
            vec![("ob_refcnt", 0), ("ob_type", layout.code.ob_type), ("co_linetable", layout.code.linetable)]
        }
        Kind::Table => {
            vec![("ob_refcnt", 0), ("ob_type", layout.code.ob_type), ("ob_sval", layout.text.bytes_data)]
        }
        Kind::Generator | Kind::Thread | Kind::Chunk | Kind::Popped | Kind::Entry => vec![
            ("executable", layout.frame.executable),
            ("previous", layout.frame.previous),
            ("instr_ptr", layout.frame.instruction),
            ("f_globals", layout.frame.globals),
        ],
        Kind::Tstate => {
            let head = match layout.thread.head {
                Head::Direct { current_frame } => ("current_frame", current_frame),
                Head::Cframe { cframe, .. } => ("cframe", cframe),
            };
            vec![("first word", 0), ("second word", 8), ("interp", layout.thread.interp), head]
        }
    }
}

impl Victims {
    /// Makes and frees. What is returned beside the victims must be kept as long as they are used.
    ///
    /// # Errors
    /// Of the interpreter.
    pub fn make(py: Python<'_>, live: &'static Live) -> PyResult<(Victims, Py<PyAny>)> {
        let noted = Arc::new(Mutex::new(Vec::new()));
        let globals = PyDict::new(py);
        py.run(&CString::new(SOURCE)?, Some(&globals), None)?;
        let make = globals.get_item("make_victims")?.expect("victims.py defines it");
        let kept =
            make.call1((seen(py, live, &noted)?, frame(py, live)?, entry(py, live)?, on_thread(py)?))?;
        let mut all = std::mem::take(&mut *noted.lock().expect("one thread at a time"));
        all.extend((0..3).map(|_| dead_tstate(live)));
        // SAFETY: plain calls of the C library; blocks are read after they were freed, on purpose, through guarded loads.
        let (tcache_key, unsorted) = unsafe {
            let small = libc::malloc(200);
            libc::free(small);
            let (large, guard) = (libc::malloc(5000), libc::malloc(16));
            libc::free(large);
            let words = (live.word(Addr::new(small as u64 + 8)), live.word(Addr::new(large as u64)));
            libc::free(guard);
            (words.0.unwrap_or(0), words.1.unwrap_or(0))
        };
        Ok((Victims { all, tcache_key, unsorted }, kept.unbind()))
    }

    /// Addresses of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = u64> + Clone + '_ {
        self.all.iter().filter(move |victim| victim.kind == kind).map(|victim| victim.at.get())
    }

    /// What their words hold now.
    pub fn found(&self, live: &Live, interpreter: &str) -> Vec<Freed> {
        let mut rows: BTreeMap<(Kind, &'static str, &'static str), u64> = BTreeMap::new();
        for victim in &self.all {
            for (index, (name, offset)) in words(live, victim.kind).into_iter().enumerate() {
                let found = found(live, victim.alive[index], victim.at.plus(offset));
                *rows.entry((victim.kind, name, found)).or_default() += 1;
            }
        }
        rows.into_iter()
            .map(|((kind, word, found), objects)| Freed {
                schema: SCHEMA,
                interpreter: interpreter.to_owned(),
                model: kind.freed().to_owned(),
                word: word.to_owned(),
                found: found.to_owned(),
                objects,
            })
            .collect()
    }
}

/// What a word is that stood there before as `alive`.
fn found(live: &Live, alive: Option<u64>, at: Addr) -> &'static str {
    let Some(word) = live.word(at) else { return "not mapped any more" };
    match word {
        _ if Some(word) == alive => "as when it was alive",
        0 => "0",
        1 => "1",
        0xcdcd_cdcd_cdcd_cdcd => "0xcd fill",
        0xdddd_dddd_dddd_dddd => "0xdd fill",
        0xfdfd_fdfd_fdfd_fdfd => "0xfd fill",
        2..=0xffff => "a small number",
        _ if word >= 1 << 47 => "no user address",
        _ if live.word(Addr::new(word)).is_some() => "another pointer",
        _ => "a user address where nothing is mapped",
    }
}

fn victim(live: &Live, kind: Kind, at: u64) -> Victim {
    let at = Addr::new(at);
    let mut alive = [None; WORDS];
    for (place, (_, offset)) in alive.iter_mut().zip(words(live, kind)) {
        *place = live.word(at.plus(offset));
    }
    Victim { kind, at, alive }
}

fn dead_tstate(live: &Live) -> Victim {
    // SAFETY: attached; the new state is nobody's current one, and is given back at once.
    unsafe {
        let state = ffi::PyThreadState_New(ffi::PyInterpreterState_Get());
        let victim = victim(live, Kind::Tstate, state as u64);
        ffi::PyThreadState_Clear(state);
        ffi::PyThreadState_Delete(state);
        victim
    }
}

type Arguments<'a, 'py> = &'a Bound<'py, PyTuple>;
type Keywords<'a, 'py> = Option<&'a Bound<'py, PyDict>>;

fn seen<'py>(
    py: Python<'py>,
    live: &'static Live,
    noted: &Arc<Mutex<Vec<Victim>>>,
) -> PyResult<Bound<'py, PyCFunction>> {
    let noted = Arc::clone(noted);
    PyCFunction::new_closure(
        py,
        None,
        None,
        move |arguments: Arguments<'_, '_>, _: Keywords<'_, '_>| -> PyResult<()> {
            let (name, at): (String, u64) = arguments.extract()?;
            let kind = Kind::ALL.iter().find(|kind| kind.name() == name).expect("a kind of victims.py");
            if at != 0 {
                noted.lock().expect("one thread at a time").push(victim(live, *kind, at));
            }
            Ok(())
        },
    )
}

/// Of the thread that asks: the chain's innermost frame, which is the caller's, because native code has none.
fn frame<'py>(py: Python<'py>, live: &'static Live) -> PyResult<Bound<'py, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, move |_: Arguments<'_, '_>, _: Keywords<'_, '_>| -> u64 {
        current_frame(live).map_or(0, Addr::get)
    })
}

fn current_frame(live: &Live) -> Option<Addr> {
    let (structure, offset) = head_of(live, live.tstate()?)?;
    live.word(structure.plus(offset)).map(Addr::new)
}

fn entry<'py>(py: Python<'py>, live: &'static Live) -> PyResult<Bound<'py, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, move |_: Arguments<'_, '_>, _: Keywords<'_, '_>| -> u64 {
        let layout = &live.interpreter.layout.frame;
        let mut frame = current_frame(live);
        while let (Some(at), Some(entry)) = (frame, layout.entry_owner) {
            if live.word(at.plus(layout.owner)).map(|word| word as u8) == Some(entry) {
                return at.get();
            }
            frame = live.word(at.plus(layout.previous)).map(Addr::new).filter(|at| !at.is_null());
        }
        0
    })
}

fn on_thread(py: Python<'_>) -> PyResult<Bound<'_, PyCFunction>> {
    PyCFunction::new_closure(
        py,
        None,
        None,
        |arguments: Arguments<'_, '_>, _: Keywords<'_, '_>| -> PyResult<()> {
            let body = arguments.get_item(0)?.unbind();
            arguments.py().detach(|| {
                // Joined: then its thread state is deleted, and its data stack given back.
                on_a_thread(move || Python::attach(|py| body.call0(py).map(drop)))
                    .map_err(|error| PyRuntimeError::new_err(error.to_string()))?
            })
        },
    )
}

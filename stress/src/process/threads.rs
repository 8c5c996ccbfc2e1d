//! The thread states of all interpreters, from `_PyRuntime`, while their owners add and remove some.
//!
//! Both lists are doubly linked or checked by ownership: a thread state must name its interpreter and its predecessor,
//! and the heads must be the same afterwards. What does not fit is a torn reading, never a shorter list.

use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::layout::Layout;
use sigwalk::reader::{Fault, Reader};
use std::fmt;

/// A thread state and what it says of its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Where it is.
    pub tstate: Addr,
    /// Address of its interpreter.
    pub owner: Addr,
    /// Its interpreter: 0 is the main one, the others follow in the order of their creation.
    pub interpreter: usize,
    /// `pthread_self` of the thread.
    pub thread_id: u64,
    /// `gettid` of the thread; 0 when the state was made by another thread for one that has not started yet.
    pub native_id: u64,
}

/// A reading that is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Torn {
    /// A load failed.
    Fault(Fault),
    /// What does not fit together.
    Link(&'static str),
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Torn::Fault(fault) => write!(f, "{:?} at {}", fault.kind, fault.at),
            Torn::Link(what) => f.write_str(what),
        }
    }
}

impl From<Fault> for Torn {
    fn from(fault: Fault) -> Self {
        Torn::Fault(fault)
    }
}

/// Neither list is longer than this: a machine has 4 million threads at most, CPython's processes some thousands.
const MOST: usize = 100_000;

/// Reads all thread states once, interpreter by interpreter, in the order of CPython's lists (the newest first).
///
/// # Errors
/// The lists changed meanwhile, or could not be read.
pub fn list<R: Reader>(reader: &R, interpreter: &Interpreter) -> Result<Vec<State>, Torn> {
    let layout = &interpreter.layout;
    let head = interpreter.runtime.plus(layout.runtime.interpreters_head);
    let mut owners = Vec::new();
    let mut owner = reader.addr(head)?;
    let first = owner;
    while !owner.is_null() {
        if !owner.is_pointer_shaped() || owners.len() == MOST {
            return Err(Torn::Link("the list of interpreters leads to no interpreter, or never ends"));
        }
        owners.push(owner);
        owner = reader.addr_at(owner, layout.runtime.interp_next)?;
    }
    let mut states = Vec::new();
    for (index, owner) in owners.iter().enumerate() {
        of_interpreter(reader, layout, *owner, owners.len() - 1 - index, &mut states)?;
    }
    match reader.addr(head)? == first {
        true => Ok(states),
        false => Err(Torn::Link("an interpreter was added or removed")),
    }
}

fn of_interpreter<R: Reader>(
    reader: &R,
    layout: &Layout,
    owner: Addr,
    interpreter: usize,
    states: &mut Vec<State>,
) -> Result<(), Torn> {
    let thread = &layout.thread;
    let head = owner.plus(layout.runtime.threads_head);
    let first = reader.addr(head)?;
    let (mut tstate, mut before) = (first, Addr::NULL);
    while !tstate.is_null() {
        if !tstate.is_pointer_shaped() || states.len() == MOST {
            return Err(Torn::Link("the list of threads leads to no thread state, or never ends"));
        }
        if reader.addr_at(tstate, thread.interp)? != owner {
            return Err(Torn::Link("a thread state does not name its interpreter"));
        }
        if reader.addr_at(tstate, thread.prev)? != before {
            return Err(Torn::Link("a thread state does not name the one before it"));
        }
        states.push(State {
            tstate,
            owner,
            interpreter,
            thread_id: reader.u64_at(tstate, thread.thread_id)?,
            native_id: reader.u64_at(tstate, thread.native_thread_id)?,
        });
        before = tstate;
        tstate = reader.addr_at(tstate, thread.next)?;
    }
    match reader.addr(head)? == first {
        true => Ok(()),
        false => Err(Torn::Link("a thread was added or removed")),
    }
}

/// Whether `state` is still the state of the same thread.
///
/// # Errors
/// It cannot be read any more.
pub fn is_same<R: Reader>(reader: &R, layout: &Layout, state: &State) -> Result<bool, Fault> {
    let owner = reader.addr_at(state.tstate, layout.thread.interp)?;
    Ok(owner == state.owner
        && reader.u64_at(state.tstate, layout.thread.thread_id)? == state.thread_id
        && reader.u64_at(state.tstate, layout.thread.native_thread_id)? == state.native_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk::heuristics::Era;
    use sigwalk::layout::Version;
    use sigwalk::reader::{ImageReader, Region};

    const RUNTIME: u64 = 0x10_0000;
    const MAIN: u64 = 0x20_0000;
    const SUB: u64 = 0x30_0000;
    const STATES: u64 = 0x40_0000;

    /// A runtime with two interpreters, two threads in the main one and one in the other.
    struct Memory {
        interpreter: Interpreter,
        bytes: Vec<(u64, Vec<u8>)>,
    }

    impl Memory {
        fn healthy() -> Self {
            let layout = Layout::constants(Version::from_hex(0x030d_00f0)).unwrap();
            let interpreter = Interpreter {
                layout,
                runtime: Addr::new(RUNTIME),
                code_type: Addr::NULL,
                unicode_type: Addr::NULL,
                bytes_type: Addr::NULL,
                era: Era::of(layout.version),
            };
            let bytes = [RUNTIME, MAIN, SUB, STATES].map(|at| (at, vec![0; 0x4000]));
            let mut memory = Memory { interpreter, bytes: bytes.into() };
            let (r, t) = (layout.runtime, layout.thread);
            memory.set(RUNTIME, r.interpreters_head, SUB);
            memory.set(SUB, r.interp_next, MAIN);
            memory.set(SUB, r.threads_head, STATES);
            memory.set(MAIN, r.threads_head, STATES + 0x1000);
            memory.set(STATES + 0x1000, t.next, STATES + 0x2000);
            memory.set(STATES + 0x2000, t.prev, STATES + 0x1000);
            for (index, owner) in [SUB, MAIN, MAIN].into_iter().enumerate() {
                let state = STATES + 0x1000 * index as u64;
                memory.set(state, t.interp, owner);
                memory.set(state, t.native_thread_id, 100 + index as u64);
            }
            memory
        }

        fn set(&mut self, base: u64, offset: u32, value: u64) {
            let at = base + u64::from(offset);
            let (start, bytes) =
                self.bytes.iter_mut().find(|(start, bytes)| at - *start < bytes.len() as u64).unwrap();
            let index = (at - *start) as usize;
            bytes[index..index + 8].copy_from_slice(&value.to_le_bytes());
        }

        fn list(&self) -> Result<Vec<(usize, u64)>, Torn> {
            let regions: Vec<Region<'_>> =
                self.bytes.iter().map(|(start, bytes)| Region { start: *start, bytes }).collect();
            let states = list(&ImageReader::new(&regions), &self.interpreter)?;
            Ok(states.iter().map(|state| (state.interpreter, state.native_id)).collect())
        }
    }

    #[test]
    fn all_threads_of_all_interpreters() {
        assert_eq!(Memory::healthy().list(), Ok(vec![(1, 100), (0, 101), (0, 102)]));
    }

    #[test]
    fn damaged_lists_are_torn_and_end() {
        let (runtime, thread) = {
            let layout = Memory::healthy().interpreter.layout;
            (layout.runtime, layout.thread)
        };
        for (base, offset, value, why) in [
            (MAIN, runtime.interp_next, SUB, "never ends"),
            (SUB, runtime.interp_next, 0x7777, "leads to no interpreter"),
            (STATES + 0x2000, thread.next, STATES + 0x2000, "the one before it"),
            (STATES + 0x1000, thread.next, 0x33, "leads to no thread state"),
            (STATES + 0x2000, thread.interp, SUB, "its interpreter"),
            (STATES + 0x2000, thread.prev, 0, "the one before it"),
            (MAIN, runtime.threads_head, 0x5000, "Unmapped at 0x5010"),
        ] {
            let mut memory = Memory::healthy();
            memory.set(base, offset, value);
            let torn = memory.list().expect_err(why).to_string();
            assert!(torn.contains(why), "{torn:?} lacks {why:?}");
        }
    }
}

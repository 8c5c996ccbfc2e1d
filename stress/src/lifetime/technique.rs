//! How a dead pointer might be told before it is believed. Each keeps something at the walk and looks again at the use.
//!
//! | name | what is kept | what it cannot tell |
//! |---|---|---|
//! | `none` | nothing | anything |
//! | `identity` | of the object itself: that it is code with a count, `co_firstlineno`, its line table (address and length), `co_version` (3.12+), 32 bytes of the table (3.11) | a freed object whose words nobody has overwritten where it looks |
//! | `generation` | the interpreter's `_code_object_generation` (3.14+), increased with each code object that dies | which one died |
//! | `watcher` | how often an address that falls into the pointer's slot was destroyed, by `PyCode_AddWatcher` (3.12+) | two addresses of one slot |
//!
//! Identity and generation are those of the line cache (`src/line_cache.rs`). On 3.11 `co_version` does not exist, and a function's
//! `func_version` is the function's.

use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::line_cache::fingerprint;
use sigwalk::line_table::MAX_TABLE;
use sigwalk::reader::{GuardedReader, Reader};

/// All techniques.
pub const NAMES: [&str; 4] = ["none", "identity", "generation", "watcher"];

/// Slots of the watcher's table.
const SLOTS: usize = 4096;

/// What is kept of a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `None`: what stands there is no code object.
    identity: Option<Identity>,
    generation: Option<u64>,
    deaths: u32,
}

/// The object's own words. The count is no part of it: it changes while the object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    first: u32,
    table: Addr,
    len: u64,
    version: u32,
    print: u64,
}

/// Deaths by slot of the address. A watcher's function may be called on any thread that is attached: one word, one store.
#[derive(Debug)]
pub struct Deaths(Vec<u32>);

impl Deaths {
    /// No death yet.
    pub fn new() -> Self {
        Deaths(vec![0; SLOTS])
    }

    /// The object at `code` is about to be destroyed.
    pub fn count(&mut self, code: u64) {
        let slot = &mut self.0[slot(code)];
        *slot = slot.wrapping_add(1);
    }

    fn of(&self, code: u64) -> u32 {
        self.0[slot(code)]
    }
}

fn slot(code: u64) -> usize {
    (code.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

impl Seen {
    /// What is to be seen now of the pointer `code`, whatever it leads to.
    pub fn now(
        reader: &GuardedReader,
        interpreter: &Interpreter,
        interp: Addr,
        deaths: &Deaths,
        code: u64,
    ) -> Seen {
        let generation = interpreter
            .layout
            .runtime
            .code_object_generation
            .and_then(|offset| reader.u64_at(interp, offset).ok());
        let identity = Identity::read(reader, interpreter, Addr::new(code));
        Seen { identity, generation, deaths: deaths.of(code) }
    }

    /// Whether it is a code object at all, as far as its own words tell.
    pub fn is_code(&self) -> bool {
        self.identity.is_some()
    }

    /// Which techniques call the pointer dead when this was kept of it and `now` is seen, in the order of [`NAMES`].
    pub fn told(&self, now: &Seen) -> [bool; NAMES.len()] {
        [
            false,
            now.identity.is_none() || now.identity != self.identity,
            now.generation != self.generation,
            now.deaths != self.deaths,
        ]
    }
}

impl Identity {
    fn read(reader: &GuardedReader, interpreter: &Interpreter, code: Addr) -> Option<Identity> {
        let layout = &interpreter.layout;
        // A free block's first word is the allocator's: a pointer, or 0.
        let count = reader.u64(code).ok()?;
        let is_code = Addr::new(reader.u64_at(code, layout.code.ob_type).ok()?) == interpreter.code_type;
        if !is_code || count == 0 || count > u64::from(u32::MAX) {
            return None;
        }
        let table = reader.addr_at(code, layout.code.linetable).ok()?;
        let len = if table.is_pointer_shaped() {
            reader.u64_at(table, layout.text.bytes_size).ok()?
        } else {
            return None;
        };
        let (version, print) = match layout.code.version {
            Some(version) => (reader.u32_at(code, version).ok()?, 0),
            None if len > MAX_TABLE => return None,
            None => (0, fingerprint(reader, table.plus(layout.text.bytes_data), len as u32)?),
        };
        Some(Identity {
            first: reader.u32_at(code, layout.code.firstlineno).ok()?,
            table,
            len,
            version,
            print,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let identity = Identity { first: 1, table: Addr::new(0x1000), len: 30, version: 5, print: 9 };
        Seen { identity: Some(identity), generation: Some(3), deaths: 0 }
    }

    #[test]
    fn each_technique_looks_at_its_own_word() {
        let told = |change: fn(&mut Seen)| {
            let mut now = seen();
            change(&mut now);
            seen().told(&now)
        };
        assert_eq!(told(|_| {}), [false; 4]);
        assert_eq!(told(|now| now.identity = None), [false, true, false, false]);
        assert_eq!(told(|now| now.generation = Some(4)), [false, false, true, false]);
        assert_eq!(told(|now| now.deaths += 1), [false, false, false, true]);
        let changes: [fn(&mut Identity); 5] = [
            |now| now.first += 1,
            |now| now.table = Addr::NULL,
            |now| now.len += 1,
            |now| now.version += 1,
            |now| now.print += 1,
        ];
        for change in changes {
            let mut now = seen();
            change(now.identity.as_mut().unwrap());
            assert_eq!(seen().told(&now), [false, true, false, false]);
        }
        // What was no code at the walk is not believed later either.
        let nothing = Seen { identity: None, ..seen() };
        assert!(nothing.told(&nothing)[1]);
    }

    #[test]
    fn a_death_is_counted_at_its_address() {
        let mut deaths = Deaths::new();
        deaths.count(0x7f00_1000);
        assert_eq!((deaths.of(0x7f00_1000), deaths.of(0x7f00_1040)), (1, 0));
    }
}

//! Readers for tests: one that writes down what was loaded, one whose memory changes, one that goes from one memory to
//! another; and a hook that lets loads fail.

use sigwalk::addr::Addr;
use sigwalk::cpu::Avx2;
use sigwalk::reader::{Block, Fault, FaultKind, Reader, WIDE_POISON};
use std::cell::{Cell, RefCell};

/// What a reader does before a load of `at`: replace the word that is there.
trait Meddle {
    fn before(&self, at: Addr) -> Result<Option<u64>, Fault>;
}

macro_rules! reader {
    ($name:ident) => {
        impl<R: Reader> Reader for $name<R> {
            fn u64(&self, at: Addr) -> Result<u64, Fault> {
                match self.before(at)? {
                    Some(word) => Ok(word),
                    None => self.reader.u64(at),
                }
            }
            fn u32(&self, at: Addr) -> Result<u32, Fault> {
                self.before(at)?;
                self.reader.u32(at)
            }
            fn u8(&self, at: Addr) -> Result<u8, Fault> {
                self.before(at)?;
                self.reader.u8(at)
            }
            fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
                self.before(at)?;
                self.reader.bytes(at, into)
            }
            fn u256_or_poison(&self, _: Avx2, base: Addr, offset: u32) -> [u64; 4] {
                let words = [0, 8, 16, 24].map(|next| self.u64(base.plus(offset + next)));
                words
                    .into_iter()
                    .collect::<Result<Vec<_>, _>>()
                    .map_or([WIDE_POISON; 4], |words| words.try_into().unwrap())
            }
        }
    };
}

/// Writes down the address of every load, in order.
pub struct Recorder<R> {
    reader: R,
    loads: RefCell<Vec<Addr>>,
}

impl<R: Reader> Recorder<R> {
    pub fn new(reader: R) -> Self {
        Recorder { reader, loads: RefCell::default() }
    }

    pub fn into_loads(self) -> Vec<Addr> {
        self.loads.into_inner()
    }
}

impl<R: Reader> Meddle for Recorder<R> {
    fn before(&self, at: Addr) -> Result<Option<u64>, Fault> {
        self.loads.borrow_mut().push(at);
        Ok(None)
    }
}
reader!(Recorder);

/// What cannot be read from the failed load on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What it asked for.
    Place,
    /// Anything.
    Everything,
}

/// From the n-th load (from 1) on, its place or everything cannot be read: the hook of a [`sigwalk::reader::Before`].
pub struct NthFails {
    nth: u32,
    mode: Mode,
    made: Cell<u32>,
    place: Cell<Option<Block>>,
}

impl NthFails {
    pub fn new(nth: u32, mode: Mode) -> Self {
        NthFails { nth, mode, made: Cell::new(0), place: Cell::new(None) }
    }

    pub fn before(&self, load: Block) -> Result<(), FaultKind> {
        let made = self.made.get() + 1;
        self.made.set(made);
        if made == self.nth {
            self.place.set(Some(load));
        }
        let fails = match self.mode {
            Mode::Place => self.place.get().is_some_and(|place| overlap(place, load)),
            Mode::Everything => made >= self.nth,
        };
        if fails { Err(FaultKind::Unmapped) } else { Ok(()) }
    }

    /// Whether the load that fails was made.
    pub fn hit(&self) -> bool {
        self.made.get() >= self.nth
    }

    /// Whether it was one of 32 bytes. Its caller loads again what it needs of these, which may succeed.
    pub fn was_poison(&self) -> bool {
        self.place.get().is_some_and(|place| place.len == 32)
    }
}

fn overlap(one: Block, other: Block) -> bool {
    let [(from, to), (other, end)] = [one, other].map(|it| (it.at.get(), it.at.get() + u64::from(it.len)));
    from < end && other < to
}

/// One word changes after its first load, as on a thread that runs on while it is walked.
pub struct ChangesOnce<R> {
    reader: R,
    at: Addr,
    later: u64,
    seen: Cell<bool>,
}

impl<R: Reader> ChangesOnce<R> {
    pub fn new(reader: R, at: Addr, later: u64) -> Self {
        ChangesOnce { reader, at, later, seen: Cell::new(false) }
    }
}

impl<R: Reader> Meddle for ChangesOnce<R> {
    fn before(&self, at: Addr) -> Result<Option<u64>, Fault> {
        let again = at == self.at && self.seen.replace(self.seen.get() || at == self.at);
        Ok(again.then_some(self.later))
    }
}
reader!(ChangesOnce);

/// The n-th load (from 1) and all after it see another memory: the thread that is walked ran on, as far as it will.
pub struct Switches<R> {
    before: R,
    after: R,
    nth: u32,
    made: Cell<u32>,
}

impl<R: Reader> Switches<R> {
    pub fn new(before: R, after: R, nth: u32) -> Self {
        Switches { before, after, nth, made: Cell::new(0) }
    }

    /// Whether the load was made.
    pub fn hit(&self) -> bool {
        self.made.get() >= self.nth
    }

    fn now(&self) -> &R {
        self.made.set(self.made.get() + 1);
        if self.hit() { &self.after } else { &self.before }
    }
}

impl<R: Reader> Reader for Switches<R> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.now().u64(at)
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.now().u32(at)
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.now().u8(at)
    }
}

//! A fault as it is made: words that are changed together, and put back together.

use crate::word::{is_writable, load, store};
use sigwalk::addr::Addr;
use std::collections::HashMap;

/// Most words of one fault: a frame that is half written has the most.
const MOST: usize = 8;

/// One word, or a part of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Write {
    /// Where.
    pub at: Addr,
    /// Bytes: 1, 2, 4 or 8.
    pub width: u32,
    /// What is written.
    pub value: u64,
    /// What stood there, once it is made.
    before: u64,
}

/// Words that are changed together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    writes: [Write; MOST],
    len: usize,
    /// Walks start here instead of at the thread's own state.
    pub tstate: Option<Addr>,
}

impl Change {
    /// Of one word.
    pub fn word(at: Addr, width: u32, value: u64) -> Change {
        Change::default().and(at, width, value)
    }

    /// Of the pointer to the thread state that a walker is given.
    pub fn of_tstate(value: u64) -> Change {
        Change { tstate: Some(Addr::new(value)), ..Change::default() }
    }

    /// With another word.
    ///
    /// # Panics
    /// With more than [`MOST`].
    #[must_use]
    pub fn and(mut self, at: Addr, width: u32, value: u64) -> Change {
        let mask = u64::MAX >> (64 - width * 8);
        self.writes[self.len] = Write { at, width, value: value & mask, before: 0 };
        self.len += 1;
        self
    }

    /// The words.
    pub fn writes(&self) -> &[Write] {
        &self.writes[..self.len]
    }

    /// Makes it. `false`, and nothing is changed, where it would change nothing or memory that cannot be written.
    pub fn make(&mut self, writable: &mut Writable) -> bool {
        if self.tstate.is_some() {
            return true;
        }
        let writes = &mut self.writes[..self.len];
        if !writes.iter().all(|write| writable.ask(write.at)) {
            return false;
        }
        let mut differs = false;
        for write in writes {
            write.before = load(write.at, write.width);
            differs |= write.before != write.value;
            store(write.at, write.width, write.value);
        }
        if !differs {
            self.undo();
        }
        differs
    }

    /// Puts back what stood there, the last word first: two words of one fault may overlap.
    pub fn undo(&self) {
        for write in self.writes().iter().rev() {
            store(write.at, write.width, write.before);
        }
    }
}

/// Which pages can be written: the kernel is asked once a page.
#[derive(Debug, Default)]
pub struct Writable(HashMap<u64, bool>);

impl Writable {
    fn ask(&mut self, at: Addr) -> bool {
        *self.0.entry(at.get() >> 12).or_insert_with(|| is_writable(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_put_back() {
        let mut words = [1_u64, 2];
        let at = Addr::new(words.as_mut_ptr() as u64);
        let mut change = Change::word(at, 8, 0x55).and(at.plus(1), 1, 0x77).and(at.plus(8), 4, u64::MAX);
        assert!(change.make(&mut Writable::default()));
        // SAFETY-free: read through the same pointers as the writes.
        assert_eq!((load(at, 8), load(at.plus(8), 8)), (0x7755, 0xffff_ffff));
        change.undo();
        assert_eq!((load(at, 8), load(at.plus(8), 8)), (1, 2));
        assert!(!Change::word(at, 8, 1).make(&mut Writable::default()), "no change is no fault");
        std::hint::black_box(&mut words);
    }
}

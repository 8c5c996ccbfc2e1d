//! Counters that a stack's process shares with the one that adds them up, and the lines that it leaves.
//!
//! # Invariant
//!
//! The mapping is of a memory file with the size that both processes compute. It holds atomics only, and has one writer at a
//! time: the process of a stack while it lives, its reader when it has ended.
#![allow(unsafe_code)]

use super::campaign::Pair;
use super::fields;
use super::models;
use super::subjects::{self, COUNT, SITES};
use super::tally::{Outcome, Verdict};
use sigwalk_record::{Check, Mutation, SCHEMA};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Columns of a row: walks, the outcomes, hops of the longest hang, and crashes by site.
const COLUMNS: usize = 2 + Outcome::ALL.len() + SITES;
const WALKS: usize = 0;
const OUTCOMES: usize = 1;
const HOPS: usize = OUTCOMES + Outcome::ALL.len();
const CRASHES: usize = HOPS + 1;

/// Words ahead of the rows.
const HEAD: usize = 16 + COUNT;
/// Words of text behind them, four bytes each.
const TEXT: usize = 64 << 10;

/// Numbers of the head.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub enum Head {
    /// Subject that walks just now, and one.
    Walking,
    /// Pair that is walked.
    Pair,
    /// Walks of our models that were compared with the C.
    Compared,
    /// That were not, because they read their own stack.
    Excluded,
    /// That differed.
    Differing,
    /// Bytes of text.
    Text,
}

/// All pairs of field and model, in an order of their own.
pub fn all_pairs() -> Vec<Pair> {
    let models = |&field: &fields::Field| models::ALL.iter().map(move |&model| Pair { field, model });
    fields::ALL.iter().flat_map(models).filter(|pair| pair.model.applies(pair.field)).collect()
}

/// Bytes of the mapping.
fn bytes() -> usize {
    (HEAD + COUNT * (all_pairs().len() + 1) * COLUMNS + super::checks::words(all_pairs().len()) + TEXT) * 4
}

/// The mapping.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    words: &'static [AtomicU32],
    pairs: usize,
    /// Where the lines of text begin.
    text: usize,
    /// Where the rows of checks begin, and how many words those have.
    more: usize,
}

impl Counters {
    /// Gives a fresh memory file its size, and maps it: all zero.
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn create(file: &OwnedFd) -> io::Result<Counters> {
        // SAFETY: a descriptor that is open.
        match unsafe { libc::ftruncate(file.as_raw_fd(), bytes() as libc::off_t) } {
            0 => Counters::map(file),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The counters in a file that [`Counters::create`] made in another process.
    ///
    /// # Errors
    /// It is no such file.
    pub fn inherit(file: &OwnedFd) -> io::Result<Counters> {
        // SAFETY: asks for the size; a wrong descriptor is refused by the kernel.
        let right = unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            libc::fstat(file.as_raw_fd(), &raw mut stat) == 0 && stat.st_size == bytes() as libc::off_t
        };
        if right { Counters::map(file) } else { Err(io::Error::other("no file of counters")) }
    }

    fn map(file: &OwnedFd) -> io::Result<Counters> {
        // SAFETY: a mapping of the file's whole size, all of it atomics; nobody shrinks the file, and the mapping stays.
        let words = unsafe {
            let at = libc::mmap(
                std::ptr::null_mut(),
                bytes(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            );
            if at == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            std::slice::from_raw_parts(at.cast::<AtomicU32>(), bytes() / 4)
        };
        let pairs = all_pairs().len();
        let more = HEAD + COUNT * (pairs + 1) * COLUMNS;
        Ok(Counters { words, pairs, text: words.len() - TEXT, more })
    }

    /// Adds to a number: a plain load and store, there is one writer.
    fn add(&self, index: usize, more: u32) {
        let word = &self.words[index];
        word.store(word.load(Relaxed).wrapping_add(more), Relaxed);
    }

    /// How many pairs of field and model there are.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// A number of the head.
    pub fn head(&self, which: Head) -> u32 {
        self.words[which as usize].load(Relaxed)
    }

    /// Sets a number of the head.
    pub fn set_head(&self, which: Head, value: u32) {
        self.words[which as usize].store(value, Relaxed);
    }

    /// Notes the longest walk of a subject.
    pub fn longest(&self, subject: usize, nanoseconds: u32) {
        let word = &self.words[16 + subject];
        word.store(word.load(Relaxed).max(nanoseconds), Relaxed);
    }

    /// Words of checks, all zero at first.
    pub fn more(&self) -> &'static [AtomicU32] {
        &self.words[self.more..self.text]
    }

    /// First word of the row of a subject and a pair; the control is the pair behind the last.
    fn row(&self, subject: usize, pair: usize) -> usize {
        HEAD + (subject * (self.pairs + 1) + pair.min(self.pairs)) * COLUMNS
    }

    /// Counts a walk. A pair of `usize::MAX` is the control.
    pub fn count(&self, subject: usize, pair: usize, verdict: &Verdict) {
        let row = self.row(subject, pair);
        self.add(row + WALKS, 1);
        self.add(row + OUTCOMES + verdict.outcome as usize, 1);
        let hops = &self.words[row + HOPS];
        hops.store(hops.load(Relaxed).max(verdict.hops), Relaxed);
        if let Some(site) = verdict.site {
            self.add(row + CRASHES + site, 1);
        }
    }

    /// Leaves a line for the reader; one that has no room is dropped.
    pub fn leave(&self, line: &str) {
        let used = self.head(Head::Text) as usize;
        let bytes: Vec<u8> = line.bytes().chain([b'\n']).collect();
        if used + bytes.len() > TEXT * 4 {
            return;
        }
        for (index, byte) in bytes.iter().enumerate() {
            let at = used + index;
            self.add(self.text + at / 4, u32::from(*byte) << (at % 4 * 8));
        }
        self.set_head(Head::Text, (used + bytes.len()) as u32);
    }

    /// The lines that were left.
    pub fn lines(&self) -> Vec<String> {
        let used = (self.head(Head::Text) as usize).min(TEXT * 4);
        let byte = |at: usize| (self.words[self.text + at / 4].load(Relaxed) >> (at % 4 * 8)) as u8;
        let text: Vec<u8> = (0..used).map(byte).collect();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    /// Takes everything out and leaves zeroes.
    pub fn take(&self, into: &mut Totals) {
        into.words.resize(self.text, 0);
        for (index, (word, total)) in self.words.iter().zip(&mut into.words).enumerate() {
            let value = u64::from(word.swap(0, Relaxed));
            let maximum = (16..HEAD).contains(&index)
                || (HEAD..self.more).contains(&index) && (index - HEAD) % COLUMNS == HOPS;
            *total = if maximum { value.max(*total) } else { *total + value };
        }
        self.words[self.text..].iter().for_each(|word| word.store(0, Relaxed));
    }
}

/// What was added up.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    words: Vec<u64>,
}

impl Totals {
    /// As pairs of index and number, without zeroes.
    pub fn sparse(&self) -> Vec<(usize, u64)> {
        self.words.iter().copied().enumerate().filter(|(_, value)| *value != 0).collect()
    }

    /// From the same.
    pub fn from_sparse(pairs: &[(usize, u64)], of: &Counters) -> Option<Totals> {
        let mut words = vec![0; of.text];
        for &(index, value) in pairs {
            *words.get_mut(index)? = value;
        }
        Some(Totals { words })
    }

    /// A number of the head.
    pub fn head(&self, which: Head) -> u64 {
        self.words.get(which as usize).copied().unwrap_or(0)
    }

    /// Nanoseconds of the longest walk of a subject.
    pub fn longest(&self, subject: usize) -> u64 {
        self.words.get(16 + subject).copied().unwrap_or(0)
    }

    /// Words of checks.
    fn more<'a>(&'a self, of: &Counters) -> &'a [u64] {
        self.words.get(of.more..of.text).unwrap_or_default()
    }

    /// Rows of checks.
    pub fn checks(&self, of: &Counters, interpreter: &str, stacks: u64) -> Vec<Check> {
        let pairs = all_pairs();
        let named: Vec<(&str, &str)> =
            pairs.iter().map(|pair| (pair.field.name(), pair.model.name())).collect();
        super::checks::rows(self.more(of), &named, interpreter, stacks)
    }

    /// Rows of walkers, with walks in them.
    pub fn rows(&self, of: &Counters, interpreter: &str, stacks: u64) -> Vec<Mutation> {
        let pairs = all_pairs();
        let sites: Vec<&str> = subjects::site_names().collect();
        let mut rows = Vec::new();
        for subject in 0..COUNT {
            for pair in 0..=pairs.len() {
                let from = of.row(subject, pair);
                let Some(words) = self.words.get(from..from + COLUMNS).filter(|words| words[WALKS] > 0)
                else {
                    continue;
                };
                let named = pairs.get(pair).map(|pair| (pair.field.name(), pair.model.name()));
                let (field, model) = named.unwrap_or(Mutation::CONTROL);
                let mut row = Mutation {
                    schema: SCHEMA,
                    interpreter: interpreter.into(),
                    walker: subjects::name(subject).into(),
                    field: field.into(),
                    model: model.into(),
                    walks: words[WALKS],
                    stacks,
                    hops: words[HOPS],
                    ..Mutation::default()
                };
                for &outcome in Outcome::ALL {
                    *outcome.column(&mut row) = words[OUTCOMES + outcome as usize];
                }
                let crashes = sites.iter().zip(&words[CRASHES..]).filter(|(_, count)| **count > 0);
                row.crash_sites = crashes.map(|(site, count)| ((*site).to_owned(), *count)).collect();
                rows.push(row);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::FromRawFd;

    #[test]
    fn what_is_counted_is_taken_once_and_becomes_rows() {
        // SAFETY: a new descriptor, which nobody else owns.
        let file = unsafe { OwnedFd::from_raw_fd(libc::memfd_create(c"test".as_ptr(), 0)) };
        let counters = Counters::create(&file).unwrap();
        let crash = Verdict { outcome: Outcome::WouldCrash, site: Some(2), hops: 0 };
        let hang = Verdict { outcome: Outcome::Hang, site: None, hops: 7 };
        counters.count(1, 3, &crash);
        counters.count(1, 3, &hang);
        counters.count(1, usize::MAX, &Verdict { outcome: Outcome::Unharmed, site: None, hops: 0 });
        counters.leave("ä line");
        counters.leave("another");
        assert_eq!(counters.lines(), ["ä line", "another"]);
        let mut totals = Totals::default();
        counters.take(&mut totals);
        counters.count(1, 3, &hang);
        counters.take(&mut totals);
        assert!(counters.lines().is_empty());
        let totals = Totals::from_sparse(&totals.sparse(), &counters).unwrap();
        let rows = totals.rows(&counters, "x", 2);
        assert_eq!(rows.len(), 2);
        let row = &rows[0];
        assert_eq!((row.walks, row.would_crash, row.hang, row.hops, row.stacks), (3, 1, 2, 7, 2));
        assert_eq!(row.crash_sites.values().sum::<u64>(), 1);
        assert!(rows[1].is_control());
    }
}

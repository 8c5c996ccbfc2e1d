//! The records: one row a (walker, mode, rate).

use sigwalk_record::{Injection, Mode, SCHEMA};
use std::collections::BTreeMap;

/// How a walk came out whose loads failed. Names are those of [`Injection`], whose counts they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Outcome {
    Noticed,
    Unharmed,
    Silent,
    Hang,
    Crash,
}

impl Outcome {
    pub(super) const COUNT: usize = 5;
    pub(super) const ALL: [Outcome; Outcome::COUNT] =
        [Outcome::Noticed, Outcome::Unharmed, Outcome::Silent, Outcome::Hang, Outcome::Crash];
}

/// Rows of any number of stacks, and what a person should see.
#[derive(Debug, Default)]
pub struct Rows {
    rows: BTreeMap<(String, Mode, u32), Injection>,
    /// Pages that were not taken away: they hold the native stack, or memory of the program itself.
    pub excluded: u64,
    /// Silent answers, the first of them.
    pub silent: Vec<String>,
    /// Deaths: who walked, and which page was away. The first of them.
    pub deaths: Vec<String>,
}

/// Lines that are kept of each.
const SHOWN: usize = 20;

impl Rows {
    /// Adds a row, which may come from another process.
    pub fn add(&mut self, row: Injection) {
        let key = (row.walker.clone(), row.mode, row.per_million);
        let Some(to) = self.rows.get_mut(&key) else {
            self.rows.insert(key, row);
            return;
        };
        to.longest = to.longest.max(row.longest);
        for (to, more) in [
            (&mut to.stacks, row.stacks),
            (&mut to.walks, row.walks),
            (&mut to.failed, row.failed),
            (&mut to.noticed, row.noticed),
            (&mut to.unharmed, row.unharmed),
            (&mut to.silent, row.silent),
            (&mut to.hang, row.hang),
            (&mut to.crash, row.crash),
            (&mut to.unprotected, row.unprotected),
        ] {
            *to += more;
        }
    }

    /// The rows, with the interpreter's tag in each.
    pub fn records(&self, tag: &str) -> impl Iterator<Item = Injection> {
        self.rows.values().map(move |row| Injection { interpreter: tag.into(), ..row.clone() })
    }
}

/// A row of one stack, empty.
pub(super) fn row(walker: &str, mode: Mode, per_million: u32) -> Injection {
    Injection {
        schema: SCHEMA,
        interpreter: String::new(),
        walker: walker.into(),
        mode,
        per_million,
        stacks: 1,
        longest: 0,
        walks: 0,
        failed: 0,
        noticed: 0,
        unharmed: 0,
        silent: 0,
        hang: 0,
        crash: 0,
        unprotected: 0,
    }
}

/// Counts walks that came out so.
pub(super) fn count(row: &mut Injection, outcome: Outcome, walks: u64) {
    row.walks += walks;
    *match outcome {
        Outcome::Noticed => &mut row.noticed,
        Outcome::Unharmed => &mut row.unharmed,
        Outcome::Silent => &mut row.silent,
        Outcome::Hang => &mut row.hang,
        Outcome::Crash => &mut row.crash,
    } += walks;
}

/// Keeps a line for a person, while there are few.
pub(super) fn show(lines: &mut Vec<String>, line: impl FnOnce() -> String) {
    if lines.len() < SHOWN {
        lines.push(line());
    }
}

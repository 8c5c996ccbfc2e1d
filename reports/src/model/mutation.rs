//! Mutation rows, merged over runs.

use super::cell::Count;
use sigwalk_record::Mutation;
use std::collections::BTreeMap;

/// (interpreter, walker, field, model)
pub type Key = (String, String, String, String);

/// The key of a row.
pub fn key(row: &Mutation) -> Key {
    (row.interpreter.clone(), row.walker.clone(), row.field.clone(), row.model.clone())
}

/// What is counted: a name and how to find it in a row.
pub type Column = (&'static str, fn(&Mutation) -> u64);

/// The outcomes of a mutated walk, worst first.
pub const COLUMNS: [Column; 6] = [
    ("would_crash", |row| row.would_crash),
    ("hang", |row| row.hang),
    ("silent", Mutation::silent),
    ("noticed", |row| row.noticed),
    ("recovered", |row| row.recovered),
    ("unharmed", |row| row.unharmed),
];

/// The kinds of silent answers, in the order of how far they lead astray.
pub const SILENT: [Column; 5] = [
    ("splice", |row| row.splice),
    ("wrong_code", |row| row.wrong_code),
    ("wrong_line", |row| row.wrong_line),
    ("prefix", |row| row.prefix),
    ("wrong_name", |row| row.wrong_name),
];

/// Whether every walk has one outcome. Checked addition: a record may hold any number.
pub fn adds_up(row: &Mutation) -> bool {
    let single = COLUMNS.iter().filter(|(name, _)| *name != "silent");
    let sum = single.chain(&SILENT).try_fold(0_u64, |sum, (_, k)| sum.checked_add(k(row)));
    sum == Some(row.walks) && row.crash_sites.values().all(|count| *count <= row.walks)
}

/// All rows by key.
#[derive(Debug, Default)]
pub struct Mutations(pub BTreeMap<Key, Mutation>);

impl Mutations {
    /// Adds a row to what is known under its key.
    pub fn add(&mut self, key: Key, row: Mutation) {
        match self.0.get_mut(&key) {
            Some(known) => {
                known.stacks += row.stacks;
                add(known, &row);
            }
            None => {
                self.0.insert(key, row);
            }
        }
    }

    /// The rows in which something was changed.
    pub fn mutated(&self) -> impl Iterator<Item = &Mutation> {
        self.0.values().filter(|row| !row.is_control())
    }

    /// The rows of healthy stacks, by interpreter and walker.
    pub fn controls(&self) -> impl Iterator<Item = &Mutation> {
        self.0.values().filter(|row| row.is_control())
    }

    /// Stacks a walker was measured on: those of the run, less those it refused while they were healthy.
    pub fn stacks(&self, interpreter: &str, walker: &str) -> u64 {
        let of_walker = |row: &&Mutation| row.interpreter == interpreter && row.walker == walker;
        let all = self.mutated().filter(of_walker).map(|row| row.stacks).max().unwrap_or(0);
        all.saturating_sub(self.controls().filter(of_walker).map(|row| refused(row).k).sum())
    }

    /// Sums of the changed rows that `keep` keeps, by the key that `by` gives.
    pub fn sums<K: Ord>(
        &self,
        keep: impl Fn(&Mutation) -> bool,
        by: impl Fn(&Mutation) -> K,
    ) -> BTreeMap<K, Mutation> {
        let mut sums = BTreeMap::<K, Mutation>::new();
        for row in self.mutated().filter(|row| keep(row)) {
            let sum = sums.entry(by(row)).or_default();
            add(sum, row);
            // Fields and models may share their stacks: the largest number of one row is what is certain.
            sum.stacks = sum.stacks.max(row.stacks);
        }
        sums
    }
}

/// Walks that ended without an answer called complete. On a healthy stack each is a false alarm, or worse.
pub fn refused(row: &Mutation) -> Count {
    Count { k: row.walks - row.unharmed - row.silent(), n: row.walks }
}

/// Adds the outcomes; stacks are up to the caller. Written out, so that a new field of the record does not compile until
/// somebody has said how it adds.
fn add(known: &mut Mutation, row: &Mutation) {
    let Mutation {
        schema: _,
        interpreter: _,
        walker: _,
        field: _,
        model: _,
        walks,
        stacks: _,
        unharmed,
        noticed,
        recovered,
        would_crash,
        hang,
        hops,
        splice,
        wrong_code,
        wrong_line,
        prefix,
        wrong_name,
        crash_sites,
    } = row;
    known.walks += walks;
    known.unharmed += unharmed;
    known.noticed += noticed;
    known.recovered += recovered;
    known.would_crash += would_crash;
    known.hang += hang;
    known.hops = known.hops.max(*hops);
    known.splice += splice;
    known.wrong_code += wrong_code;
    known.wrong_line += wrong_line;
    known.prefix += prefix;
    known.wrong_name += wrong_name;
    for (site, count) in crash_sites {
        *known.crash_sites.entry(site.clone()).or_default() += count;
    }
}

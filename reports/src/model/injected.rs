//! Loads that failed on purpose, and what freed memory held: merged over runs.

use super::cell::Count;
use sigwalk_record::{Freed, Injection, Mode};
use std::collections::BTreeMap;

/// (interpreter, walker, mode, probability in parts of a million)
pub type Key = (String, String, Mode, u32);

/// The key of a row.
pub fn key(row: &Injection) -> Key {
    (row.interpreter.clone(), row.walker.clone(), row.mode, row.per_million)
}

/// What is counted: a name and how to find it in a row.
pub type Column = (&'static str, fn(&Injection) -> u64);

/// The outcomes of a walk whose loads failed, worst first.
pub const COLUMNS: [Column; 5] = [
    ("crash", |row| row.crash),
    ("hang", |row| row.hang),
    ("silent", |row| row.silent),
    ("noticed", |row| row.noticed),
    ("unharmed", |row| row.unharmed),
];

/// All rows by key.
#[derive(Debug, Default)]
pub struct Injections(pub BTreeMap<Key, Injection>);

impl Injections {
    /// Adds a row to what is known under its key.
    pub fn add(&mut self, row: Injection) {
        let Some(known) = self.0.get_mut(&key(&row)) else {
            self.0.insert(key(&row), row);
            return;
        };
        known.stacks += row.stacks;
        known.longest = known.longest.max(row.longest);
        known.walks += row.walks;
        known.failed += row.failed;
        known.noticed += row.noticed;
        known.unharmed += row.unharmed;
        known.silent += row.silent;
        known.hang += row.hang;
        known.crash += row.crash;
        known.unprotected += row.unprotected;
    }
}

/// Whether every walk has one outcome.
pub fn adds_up(row: &Injection) -> bool {
    let sum = COLUMNS.iter().try_fold(0_u64, |sum, (_, k)| sum.checked_add(k(row)));
    sum == Some(row.walks)
}

/// `rate 1e-4`, `transient`
pub fn mode(row: &Injection) -> String {
    match row.mode {
        Mode::Rate => format!("rate {:e}", f64::from(row.per_million) / 1e6),
        mode => mode.name().to_owned(),
    }
}

/// (interpreter, model, word)
pub type Word<'a> = (&'a str, &'a str, &'a str);

/// (interpreter, model, word, found)
pub type FreedKey = (String, String, String, String);

/// The key of a row.
pub fn freed_key(row: &Freed) -> FreedKey {
    (row.interpreter.clone(), row.model.clone(), row.word.clone(), row.found.clone())
}

/// Objects by what one of their words held.
#[derive(Debug, Default)]
pub struct FreedWords(pub BTreeMap<FreedKey, u64>);

impl FreedWords {
    /// Adds a row to what is known under its key.
    pub fn add(&mut self, row: &Freed) {
        *self.0.entry(freed_key(row)).or_default() += row.objects;
    }

    /// What each word held, the most frequent first; n is the objects that were looked at.
    pub fn words(&self) -> BTreeMap<Word<'_>, Vec<(&str, Count)>> {
        let mut words = BTreeMap::<Word<'_>, Vec<(&str, Count)>>::new();
        for ((interpreter, model, word, found), objects) in &self.0 {
            let count = Count { k: *objects, n: 0 };
            words.entry((interpreter, model, word)).or_default().push((found, count));
        }
        for found in words.values_mut() {
            let n = found.iter().map(|(_, count)| count.k).sum();
            found.iter_mut().for_each(|(_, count)| count.n = n);
            found.sort_by(|a, b| b.1.k.cmp(&a.1.k).then(a.0.cmp(b.0)));
        }
        words
    }
}

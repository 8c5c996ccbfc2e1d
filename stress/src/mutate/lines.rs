//! Lines that stacks leave beside their counts: what freed memory held, what injected faults did, and what must be said.

use crate::inject::Rows;
use sigwalk_record::{Freed, Injection};

/// All lines of a run, added up where they can be.
#[derive(Debug, Default)]
pub struct Lines {
    freed: Vec<Freed>,
    injections: Rows,
    /// Whatever is no record: differences from the C, and what a replay says.
    pub said: Vec<String>,
}

impl Lines {
    /// Takes a line in.
    pub fn take(&mut self, line: String) {
        if let Ok(row) = serde_json::from_str::<Freed>(&line) {
            let same = |kept: &&mut Freed| {
                (&kept.model, &kept.word, &kept.found) == (&row.model, &row.word, &row.found)
            };
            match self.freed.iter_mut().find(same) {
                Some(kept) => kept.objects += row.objects,
                None => self.freed.push(row),
            }
        } else if let Ok(row) = serde_json::from_str::<Injection>(&line) {
            self.injections.add(row);
        } else if !self.said.contains(&line) {
            self.said.push(line);
        }
    }

    /// What was freed, sorted.
    pub fn freed(&self) -> Vec<Freed> {
        let of = |row: &Freed| (row.model.clone(), row.word.clone(), row.found.clone());
        let mut rows = self.freed.clone();
        rows.sort_by_key(of);
        rows
    }

    /// What injected faults did, sorted.
    pub fn injections(&self, tag: &str) -> Vec<Injection> {
        self.injections.records(tag).collect()
    }

    /// From what [`Lines::freed`] and [`Lines::injections`] gave.
    pub fn of(freed: Vec<Freed>, injections: Vec<Injection>) -> Lines {
        let mut lines = Lines { freed, ..Lines::default() };
        injections.into_iter().for_each(|row| lines.injections.add(row));
        lines
    }
}

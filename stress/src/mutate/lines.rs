//! Lines that stacks leave beside their counts: what freed memory held, what injected faults did, and what must be said.

use serde::{Deserialize, Serialize};
use sigwalk_record::{Freed, Injection, Mode};
use std::collections::BTreeMap;

/// All lines of a run, added up where they can be.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Lines {
    freed: Vec<Freed>,
    injections: Vec<Injection>,
    /// Whatever is no record: differences from the C, and what a replay says.
    #[serde(skip)]
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
            self.inject(row);
        } else {
            self.said.push(line);
        }
    }

    /// Takes a row of injections in.
    pub fn inject(&mut self, row: Injection) {
        let same = |kept: &&mut Injection| {
            (&kept.walker, kept.mode, kept.per_million) == (&row.walker, row.mode, row.per_million)
        };
        let Some(kept) = self.injections.iter_mut().find(same) else {
            self.injections.push(row);
            return;
        };
        kept.longest = kept.longest.max(row.longest);
        let columns: [fn(&mut Injection) -> &mut u64; 9] = [
            |row| &mut row.stacks,
            |row| &mut row.walks,
            |row| &mut row.failed,
            |row| &mut row.noticed,
            |row| &mut row.unharmed,
            |row| &mut row.silent,
            |row| &mut row.hang,
            |row| &mut row.crash,
            |row| &mut row.unprotected,
        ];
        let mut row = row;
        for column in columns {
            *column(kept) += *column(&mut row);
        }
    }

    /// The rows, sorted.
    pub fn rows(&self) -> (Vec<Freed>, Vec<Injection>) {
        let freed: BTreeMap<(&str, &str, &str), &Freed> = self
            .freed
            .iter()
            .map(|row| ((row.model.as_str(), row.word.as_str(), row.found.as_str()), row))
            .collect();
        let injections: BTreeMap<(&str, Mode, u32), &Injection> = self
            .injections
            .iter()
            .map(|row| ((row.walker.as_str(), row.mode, row.per_million), row))
            .collect();
        (freed.into_values().cloned().collect(), injections.into_values().cloned().collect())
    }
}

//! Single trials, 16 bytes each: kept only where two runs are compared trial by trial.

use super::cell::Event;
use super::pairs::is_the_same_each_time;
use crate::text::fnv1a;
use sigwalk_record::{Cell, Outcome, Trial};
use std::collections::BTreeMap;

/// What became of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Its seed.
    pub seed: u64,
    /// Its index in its campaign.
    pub trial: u32,
    /// A bit for each of [`Event::ALL`].
    events: u16,
    /// Number of its run, in the order of reading.
    pub run: u16,
}

impl Mark {
    /// Whether it shows the event.
    pub fn shows(self, event: Event) -> bool {
        self.events & bit(event) != 0
    }

    /// Whether a crash or a hang ended it: what would have come after is not known.
    pub fn is_over(self) -> bool {
        ENDS.iter().any(|end| self.shows(*end))
    }
}

/// What ends a trial.
pub const ENDS: [Event; 6] = [
    Event::CrashFrame,
    Event::CrashThreadList,
    Event::CrashThreadName,
    Event::CrashTarget,
    Event::Hang,
    Event::HangTarget,
];

fn bit(event: Event) -> u16 {
    1 << event as u16
}

/// Trials by the id of their cell.
#[derive(Debug, Default)]
pub struct Seeds {
    kept: bool,
    cells: BTreeMap<String, Vec<Mark>>,
}

impl Seeds {
    /// From now on trials are kept.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Takes a trial that measured something. Of a window that is stepped whole the first is enough: all are the same observation.
    pub fn add(&mut self, cell: &Cell, trial: &Trial, run: usize) {
        if !self.kept || trial.outcome == Outcome::HarnessError {
            return;
        }
        let marks = match self.cells.get_mut(&trial.cell) {
            Some(marks) => marks,
            None => self.cells.entry(trial.cell.clone()).or_default(),
        };
        if is_the_same_each_time(cell) && !marks.is_empty() {
            return;
        }
        let events = Event::ALL.iter().filter(|(event, _)| event.in_trial(trial));
        marks.push(Mark {
            seed: u64::from_str_radix(&trial.seed, 16).unwrap_or_else(|_| fnv1a(&trial.seed)),
            trial: u32::try_from(trial.trial).unwrap_or(u32::MAX),
            events: events.fold(0, |bits, (event, _)| bits | bit(*event)),
            run: u16::try_from(run).unwrap_or(u16::MAX),
        });
    }

    /// The trials of a cell, by seed; of two with the same seed the first.
    pub fn of(&self, cell: &str) -> Vec<Mark> {
        let mut marks = self.cells.get(cell).cloned().unwrap_or_default();
        marks.sort_unstable();
        marks.dedup_by_key(|mark| mark.seed);
        marks
    }
}

//! Cost per frame: timed batches, grouped by what was timed.

use crate::stats::{Estimate, Sampler};
use sigwalk_record::{Cost, What};
use std::collections::{BTreeMap, BTreeSet};

/// What makes two records the same measurement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Tag of the interpreter.
    pub interpreter: String,
    /// What was timed.
    pub subject: String,
    /// What an iteration delivered.
    pub what: What,
    /// Where the output went; empty for subjects that print nothing.
    pub sink: String,
    /// Frames on the stack.
    pub depth: u64,
}

impl Key {
    /// Subject and sink as one label.
    pub fn label(&self) -> String {
        if self.sink.is_empty() {
            self.subject.clone()
        } else {
            format!("{} → {}", self.subject, self.sink)
        }
    }
}

/// Batches of one key.
#[derive(Debug, Default)]
pub struct Batches {
    /// Nanoseconds per frame; one group a record, that is a process.
    pub groups: Vec<Vec<f64>>,
    /// Frames delivered per iteration, as recorded.
    pub frames: BTreeSet<u64>,
    /// Notes of the records.
    pub notes: BTreeSet<String>,
}

/// All batches.
#[derive(Debug, Default)]
pub struct Costs(pub BTreeMap<Key, Batches>);

/// A measurement with its interval.
#[derive(Debug)]
pub struct Row {
    /// What was measured.
    pub key: Key,
    /// Nanoseconds per frame delivered.
    pub ns_per_frame: Estimate,
    /// Processes.
    pub groups: usize,
    /// Batches.
    pub samples: usize,
    /// Frames delivered per iteration.
    pub frames: BTreeSet<u64>,
    /// Notes of the records.
    pub notes: BTreeSet<String>,
}

impl Costs {
    /// Adds a record whose frames, samples and iterations are not zero.
    pub fn add(&mut self, row: Cost) {
        let frames = row.frames as f64;
        let group =
            row.samples.iter().map(|sample| sample.ns as f64 / (sample.iters as f64 * frames)).collect();
        let key = Key {
            interpreter: row.interpreter,
            subject: row.subject,
            what: row.what,
            sink: row.sink.unwrap_or_default(),
            depth: row.depth,
        };
        let batches = self.0.entry(key).or_default();
        batches.groups.push(group);
        batches.frames.insert(row.frames);
        batches.notes.extend(row.note);
    }

    /// Medians with intervals.
    pub fn rows(&self) -> Vec<Row> {
        self.0
            .iter()
            .map(|(key, batches)| Row {
                ns_per_frame: Sampler::named(&format!("{key:?}")).median(&batches.groups),
                groups: batches.groups.len(),
                samples: batches.groups.iter().map(Vec::len).sum(),
                frames: batches.frames.clone(),
                notes: batches.notes.clone(),
                key: key.clone(),
            })
            .collect()
    }
}

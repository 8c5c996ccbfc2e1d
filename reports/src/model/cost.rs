//! Cost per frame: timed batches, grouped by what was timed; and what was counted.

use crate::stats::{Estimate, Sampler};
use sigwalk_record::{Cost, Count, Counted, What};
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
    /// Where each group is from: the number of its run, in the order of reading.
    pub runs: Vec<usize>,
    /// Frames delivered per iteration, as recorded.
    pub frames: BTreeSet<u64>,
    /// Notes of the records.
    pub notes: BTreeSet<String>,
}

/// What makes two counts the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountKey {
    /// Tag of the interpreter.
    pub interpreter: String,
    /// What was counted.
    pub counted: Counted,
    /// Whose walks.
    pub subject: String,
    /// What a walk delivered.
    pub what: What,
    /// Frames on the stack.
    pub depth: u64,
}

/// All batches and counts.
#[derive(Debug, Default)]
pub struct Costs {
    /// On stacks that were made to a depth: what ratios and figures are made of.
    pub ladder: BTreeMap<Key, Batches>,
    /// On real stacks, by the name of the stack.
    pub stacks: BTreeMap<(String, Key), Batches>,
    /// The most of any walk.
    pub counts: BTreeMap<CountKey, u64>,
}

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
    /// Adds a record of run number `run` whose frames, samples and iterations are not zero.
    pub fn add(&mut self, row: Cost, run: usize) {
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
        let batches = match row.stack {
            None => self.ladder.entry(key).or_default(),
            Some(stack) => self.stacks.entry((stack, key)).or_default(),
        };
        batches.groups.push(group);
        batches.runs.push(run);
        batches.frames.insert(row.frames);
        batches.notes.extend(row.note);
    }

    /// Adds a record of at least one count.
    pub fn count(&mut self, row: Count) {
        let key = CountKey {
            interpreter: row.interpreter,
            counted: row.counted,
            subject: row.subject,
            what: row.what,
            depth: row.depth,
        };
        let most = self.counts.entry(key).or_default();
        *most = row.counts.into_iter().fold(*most, u64::max);
    }

    /// Medians with intervals, of the stacks that were made to a depth.
    pub fn rows(&self) -> Vec<Row> {
        self.ladder.iter().map(|(key, batches)| row(key, batches, &format!("{key:?}"))).collect()
    }

    /// The same of the real stacks, by interpreter and then by the name of the stack.
    pub fn stack_rows(&self) -> Vec<(String, Row)> {
        let rows = self
            .stacks
            .iter()
            .map(|((stack, key), batches)| (stack.clone(), row(key, batches, &format!("{stack:?} {key:?}"))));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|a, b| a.1.key.interpreter.cmp(&b.1.key.interpreter));
        rows
    }
}

fn row(key: &Key, batches: &Batches, seed: &str) -> Row {
    Row {
        ns_per_frame: Sampler::named(seed).median(&batches.groups),
        groups: batches.groups.len(),
        samples: batches.groups.iter().map(Vec::len).sum(),
        frames: batches.frames.clone(),
        notes: batches.notes.clone(),
        key: key.clone(),
    }
}

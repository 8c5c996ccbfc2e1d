//! Costs: the ratio of medians, new over base, of everything that both sides timed.
//!
//! Each ratio has the interval of the two-level bootstrap, widened for few processes, for itself alone: of a hundred such intervals
//! some miss 1 by chance. Whether a row is *called* different is decided over all rows at once (`stats/permuted.rs`).

use super::pairing::{Renames, as_subjects, renamed};
use super::{LEVEL, NOISE};
use crate::model::cost::{Batches, Key};
use crate::model::records::Records;
use crate::stats::{Estimate, Permuted, Sampler, Stratum, max_t, median_of};
use std::collections::BTreeMap;

/// One thing that was timed on both sides.
#[derive(Debug)]
pub struct CostRow {
    /// Tags of the interpreters, base and new.
    pub tags: [String; 2],
    /// The real stack that was walked; empty for stacks that were made to a depth.
    pub stack: String,
    /// Subjects with their sinks, base and new.
    pub subjects: [String; 2],
    /// What an iteration delivered.
    pub what: &'static str,
    /// Frames on the stack.
    pub depth: u64,
    /// Median nanoseconds per frame, base and new.
    pub ns: [f64; 2],
    /// Processes, base and new.
    pub processes: [usize; 2],
    /// New over base, with its own 95 % interval.
    pub ratio: Estimate,
    /// The p-value, adjusted for all rows of the comparison.
    pub adjusted: f64,
}

impl CostRow {
    /// Whether it is called different: surely, and by more than noise.
    pub fn differs(&self) -> bool {
        self.adjusted <= LEVEL && self.ratio.value.ln().abs() >= NOISE.ln()
    }
}

/// Geometric mean of the ratios of a subject.
#[derive(Debug)]
pub struct Mean {
    /// Tags of the interpreters, base and new.
    pub tags: [String; 2],
    /// Subjects, base and new.
    pub subjects: [String; 2],
    /// Rows.
    pub rows: usize,
    /// The mean.
    pub value: f64,
}

/// All rows, in the order of their keys, adjusted for each other.
pub fn all(
    base: &Records,
    new: &Records,
    tags: &[[String; 2]],
    renames: &Renames,
) -> (Vec<CostRow>, Permuted) {
    let subjects = as_subjects(&renames.walkers);
    let (mut rows, mut strata) = (Vec::new(), Vec::new());
    for tags in tags {
        let mut timed: Vec<(CostRow, [&Batches; 2])> = Vec::new();
        for (stack, key, batches) in timed_on(base, &tags[0]) {
            let Some(subject) = renamed(&subjects, &key.subject) else { continue };
            let counterpart =
                Key { interpreter: tags[1].clone(), subject: subject.to_owned(), ..key.clone() };
            let found = match stack {
                "" => new.cost.ladder.get(&counterpart),
                _ => new.cost.stacks.get(&(stack.to_owned(), counterpart.clone())),
            };
            if let Some(of_new) = found {
                timed.extend(row(tags, stack, [key, &counterpart], [batches, of_new]));
            }
        }
        strata.push(stratum(&timed));
        rows.extend(timed.into_iter().map(|(row, _)| row));
    }
    let permuted = max_t(&strata, "compare");
    for (row, adjusted) in rows.iter_mut().zip(permuted.adjusted.iter().flatten()) {
        row.adjusted = *adjusted;
    }
    (rows, permuted)
}

fn timed_on<'a>(records: &'a Records, tag: &str) -> Vec<(&'a str, &'a Key, &'a Batches)> {
    let ladder = records.cost.ladder.iter().map(|(key, batches)| ("", key, batches));
    let stacks = records.cost.stacks.iter().map(|((stack, key), batches)| (stack.as_str(), key, batches));
    ladder.chain(stacks).filter(|(_, key, _)| key.interpreter == tag).collect()
}

fn row<'a>(
    tags: &[String; 2],
    stack: &str,
    keys: [&Key; 2],
    batches: [&'a Batches; 2],
) -> Option<(CostRow, [&'a Batches; 2])> {
    let [base, new] = batches;
    let name = format!("compare {stack:?} {:?} {:?}", keys[0], keys[1]);
    let ratio = Sampler::named(&name).ratio_of_processes(&new.groups, &base.groups)?;
    let row = CostRow {
        tags: tags.clone(),
        stack: stack.to_owned(),
        subjects: keys.map(Key::label),
        what: keys[0].what.name(),
        depth: keys[0].depth,
        ns: batches.map(|batches| median_of(&batches.groups.concat())),
        processes: batches.map(|batches| batches.groups.len()),
        ratio,
        adjusted: 1.0,
    };
    Some((row, batches))
}

/// A run and, where it has several records of a key, which of them.
type Process = (usize, usize);
/// Logarithms of medians, by process.
type Medians = Vec<(Process, f64)>;

/// The rows of one pair of interpreters, by process.
fn stratum(rows: &[(CostRow, [&Batches; 2])]) -> Stratum {
    let mut processes: [BTreeMap<Process, usize>; 2] = Default::default();
    let of = |batches: &Batches| -> Medians {
        let mut times = BTreeMap::<usize, usize>::new();
        let ids = batches.runs.iter().map(|run| {
            let nth = times.entry(*run).or_default();
            *nth += 1;
            (*run, *nth)
        });
        ids.zip(&batches.groups).map(|(id, group)| (id, median_of(group).ln())).collect()
    };
    let values: Vec<[Medians; 2]> = rows.iter().map(|(_, batches)| batches.map(of)).collect();
    for sides in &values {
        for (known, side) in processes.iter_mut().zip(sides) {
            for (id, _) in side {
                known.entry(*id).or_default();
            }
        }
    }
    let first = processes[0].len();
    for (known, from) in processes.iter_mut().zip([0, first]) {
        for (index, place) in known.values_mut().enumerate() {
            *place = from + index;
        }
    }
    let all = first + processes[1].len();
    let line = |sides: &[Medians; 2]| {
        let mut line = vec![None; all];
        for (known, side) in processes.iter().zip(sides) {
            for (id, value) in side {
                line[known[id]] = Some(*value);
            }
        }
        line
    };
    Stratum { first, processes: all, rows: values.iter().map(line).collect() }
}

/// By interpreter and subject.
pub fn means(rows: &[CostRow]) -> Vec<Mean> {
    let mut sums = BTreeMap::<([String; 2], [String; 2]), (usize, f64)>::new();
    for row in rows {
        let sum = sums.entry((row.tags.clone(), row.subjects.clone())).or_default();
        sum.0 += 1;
        sum.1 += row.ratio.value.ln();
    }
    let mean = |((tags, subjects), (rows, sum)): (_, (usize, f64))| Mean {
        tags,
        subjects,
        rows,
        value: (sum / rows as f64).exp(),
    };
    sums.into_iter().map(mean).collect()
}

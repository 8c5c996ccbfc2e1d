//! Rates of trials: the same event on both sides of a pair of cells.
//!
//! Where nearly all trials of the smaller side have their seed on the other, they are pairs (McNemar); where the seed decides everything
//! a pair is exact, elsewhere one in name. Else the sides are two samples (Fisher). A window that is stepped whole is one observation,
//! however often it was repeated: it is shown and never tested.

use super::LEVEL;
use super::pairing::Paired;
use crate::model::bucket::replay;
use crate::model::cell::{CellStats, Count, Event};
use crate::model::pairs::is_the_same_each_time;
use crate::model::records::Records;
use crate::model::seeds::{ENDS, Mark};
use crate::stats::{Interval, fisher, fisher_least, holm, mcnemar, mcnemar_least, newcombe};

/// Trials that are named where a rate differs.
const NAMED: usize = 3;

/// How a rate was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The same seeds: pairs in which only the base, and only the new, had the event.
    Pairs {
        /// Base, new.
        only: [u64; 2],
        /// Whether both trials of a pair met the same stacks.
        exact: bool,
    },
    /// Different seeds.
    Apart,
    /// One observation on each side.
    Once,
}

/// A trial with the event, whose counterpart has it not.
#[derive(Debug)]
pub struct Seen {
    /// Its seed.
    pub seed: u64,
    /// Whether it is in the new runs.
    pub in_new: bool,
    /// The command that runs it again.
    pub replay: String,
}

/// One event of one pair of cells.
#[derive(Debug)]
pub struct RateRow {
    /// Tags of the interpreters, base and new.
    pub tags: [String; 2],
    /// Workload.
    pub workload: String,
    /// Walkers, base and new.
    pub walkers: [String; 2],
    /// Target and fault.
    pub target: String,
    /// Parameters.
    pub params: String,
    /// The event, and its name.
    pub event: (Event, &'static str),
    /// How often on each side.
    pub counts: [Count; 2],
    /// Trials that were left out, because a crash or a hang came first.
    pub left_out: u64,
    /// How it was tested.
    pub test: Test,
    /// Of the difference of the rates, new less base; of two samples, also where there are pairs.
    pub interval: Interval,
    /// Its p-value.
    pub p: f64,
    /// The smallest that its counts allow.
    least: f64,
    /// Adjusted for all tests of the comparison.
    pub adjusted: f64,
    /// The first of its trials, of the side that has more.
    pub seen: Vec<Seen>,
}

impl RateRow {
    /// Whether it is called different.
    pub fn differs(&self) -> bool {
        self.adjusted <= LEVEL
    }

    /// New rate less base rate.
    pub fn difference(&self) -> f64 {
        let [base, new] = self.counts.map(|count| count.k as f64 / count.n.max(1) as f64);
        new - base
    }

    /// Whether it was tested on pairs, or needs none.
    pub fn is_paired(&self) -> bool {
        self.test != Test::Apart
    }

    /// Whether the event was seen at all.
    pub fn is_seen(&self) -> bool {
        self.counts.iter().any(|count| count.k > 0)
    }
}

/// All events of all pairs that have trials on both sides.
pub fn all(base: &Records, new: &Records, paired: &Paired<'_>) -> Vec<RateRow> {
    let mut rows = Vec::new();
    for &cells in &paired.pairs {
        let marks = [base.seeds.of(&cells[0].cell.id), new.seeds.of(&cells[1].cell.id)];
        if marks.iter().all(|marks| !marks.is_empty()) {
            let judged = cells.iter().all(|cell| cell.cell.judged);
            let events = Event::ALL.into_iter().filter(|(event, _)| judged || !event.is_judgement());
            rows.extend(events.map(|event| row([base, new], cells, &marks, event)));
        }
    }
    rows
}

/// Holm's adjustment over the tests that could have shown a difference; how many they are. Which they are follows from the
/// counts of both sides together, so that leaving the others out takes nothing from the level.
pub fn adjust(rows: &mut [RateRow]) -> usize {
    let can: Vec<usize> = (0..rows.len()).filter(|&index| rows[index].least <= LEVEL).collect();
    let p: Vec<f64> = can.iter().map(|&index| rows[index].p).collect();
    for (&index, adjusted) in can.iter().zip(holm(&p)) {
        rows[index].adjusted = adjusted;
    }
    can.len()
}

fn row(
    records: [&Records; 2],
    cells: [&CellStats; 2],
    marks: &[Vec<Mark>; 2],
    event: (Event, &'static str),
) -> RateRow {
    let once = cells.iter().any(|cell| is_the_same_each_time(&cell.cell));
    let measured = |mark: &Mark| ENDS.contains(&event.0) || !mark.is_over();
    let common = common(marks);
    let fewer = marks.iter().map(Vec::len).min().unwrap_or_default();
    let mut left_out = 0;
    let (mut counts, mut seen) = ([Count::default(); 2], Vec::new());
    let test = if !once && common.len() * 10 >= fewer * 9 {
        let mut only = [0, 0];
        for pair in &common {
            if !pair.iter().all(measured) {
                left_out += 1;
                continue;
            }
            for (side, mark) in pair.iter().enumerate() {
                counts[side].n += 1;
                counts[side].k += u64::from(mark.shows(event.0));
                if mark.shows(event.0) && !pair[1 - side].shows(event.0) {
                    only[side] += 1;
                    seen.push((side, *mark));
                }
            }
        }
        let exact = ["step", "interleave"].contains(&cells[0].cell.workload.as_str());
        Test::Pairs { only, exact }
    } else {
        for (side, marks) in marks.iter().enumerate() {
            for mark in marks {
                if measured(mark) {
                    counts[side].n += 1;
                    counts[side].k += u64::from(mark.shows(event.0));
                    seen.extend(mark.shows(event.0).then_some((side, *mark)));
                } else {
                    left_out += 1;
                }
            }
        }
        if once { Test::Once } else { Test::Apart }
    };
    let [base, new] = counts;
    let (p, least) = match test {
        Test::Pairs { only, .. } => (mcnemar(only[0], only[1]), mcnemar_least(only[0] + only[1])),
        Test::Apart => (fisher(base.k, base.n, new.k, new.n), fisher_least(base.k + new.k, base.n, new.n)),
        Test::Once => (1.0, 1.0),
    };
    let [old_cell, new_cell] = cells.map(|cell| &cell.cell);
    let more = usize::from(new.k * base.n > base.k * new.n);
    seen.retain(|(side, _)| *side == more);
    seen.sort_by_key(|(_, mark)| (mark.run, mark.trial));
    RateRow {
        tags: [old_cell.interpreter.clone(), new_cell.interpreter.clone()],
        workload: old_cell.workload.clone(),
        walkers: [old_cell.walker.clone(), new_cell.walker.clone()],
        target: cells[0].target_label(),
        params: cells[0].params(),
        event,
        counts,
        left_out,
        test,
        interval: newcombe(base.k, base.n, new.k, new.n),
        p,
        least,
        adjusted: 1.0,
        seen: seen
            .iter()
            .take(NAMED)
            .filter_map(|(side, mark)| named(records[*side], *side, *mark))
            .collect(),
    }
}

fn named(records: &Records, side: usize, mark: Mark) -> Option<Seen> {
    let run = records.runs.get(usize::from(mark.run))?;
    Some(Seen { seed: mark.seed, in_new: side == 1, replay: replay(&run.dir, u64::from(mark.trial)) })
}

/// Trials with the same seed; both lists are in the order of their seeds.
fn common(marks: &[Vec<Mark>; 2]) -> Vec<[Mark; 2]> {
    let (mut pairs, mut at) = (Vec::new(), 0);
    for mark in &marks[0] {
        while marks[1].get(at).is_some_and(|other| other.seed < mark.seed) {
            at += 1;
        }
        if let Some(other) = marks[1].get(at).filter(|other| other.seed == mark.seed) {
            pairs.push([*mark, *other]);
        }
    }
    pairs
}

//! What several rules share.

use super::{Evidence, Verdict};
use crate::model::cell::{CellStats, Count, Event};
use crate::text::number::count;

/// "It does not happen" needs at least this bound; with fewer trials nothing can be said.
pub const ENOUGH: f64 = 0.01;

impl<'a> Evidence<'a> {
    /// Cells of a workload that ran, with a walker that `keep` keeps.
    pub fn cells(self, workloads: &[&str], keep: impl Fn(&str) -> bool) -> Vec<&'a CellStats> {
        self.records
            .cells
            .values()
            .filter(|cell| {
                cell.n() > 0 && workloads.contains(&cell.cell.workload.as_str()) && keep(&cell.cell.walker)
            })
            .collect()
    }
}

/// The count with the highest bound, and its cell. Cells are compared, never added up: they differ in target.
pub fn worst<'a>(
    cells: &[&'a CellStats],
    count: impl Fn(&CellStats) -> Count,
) -> Option<(&'a CellStats, Count)> {
    let counted = cells.iter().map(|cell| (*cell, count(cell)));
    counted.max_by(|a, b| {
        (a.1.k > 0)
            .cmp(&(b.1.k > 0))
            .then(a.1.bound().total_cmp(&b.1.bound()))
            .then(b.0.cell.id.cmp(&a.0.cell.id))
    })
}

/// Trials that died in a frame, stood still in a walk or returned an impossible stack. One trial may show two of them,
/// so the largest is taken: a lower bound of what went wrong.
pub fn bad(cell: &CellStats) -> Count {
    [Event::CrashFrame, Event::Hang, Event::Impossible]
        .map(|event| cell.count(event))
        .into_iter()
        .max_by_key(|count| count.k)
        .unwrap_or_default()
}

/// The ids, worst first, at most a dozen: a link to each of hundreds helps nobody.
pub fn ids(cells: &[&CellStats], count: impl Fn(&CellStats) -> Count) -> Vec<String> {
    let mut ranked: Vec<_> =
        cells.iter().map(|cell| (std::cmp::Reverse(count(cell).k), cell.cell.id.clone())).collect();
    ranked.sort();
    ranked.into_iter().take(12).map(|(_, id)| id).collect()
}

/// Verdict on "it never goes wrong", over cells that each had their chance.
pub fn never(cells: &[&CellStats], count: impl Fn(&CellStats) -> Count) -> Verdict {
    let wrong = cells.iter().filter(|cell| count(cell).k > 0).count();
    if wrong == cells.len() {
        Verdict::Refuted
    } else if wrong > 0 {
        Verdict::Mixed
    } else if cells.iter().all(|cell| count(cell).bound() <= ENOUGH) {
        Verdict::Supported
    } else {
        Verdict::NotMeasured
    }
}

/// `crash 3/1000 [..], hang .., impossible ..` of one cell.
pub fn three(cell: &CellStats) -> String {
    format!(
        "crash {}, hang {}, impossible {}",
        count(cell.count(Event::CrashFrame)),
        count(cell.count(Event::Hang)),
        count(cell.count(Event::Impossible))
    )
}

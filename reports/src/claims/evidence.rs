//! What several rules share.

use super::{Evidence, Verdict};
use crate::model::cell::{CellStats, Count, Event, severity};
use crate::text::number::count;
use sigwalk_record::Mutation;

/// "It does not happen" needs at least this bound; with fewer trials nothing can be said.
pub const ENOUGH: f64 = 0.01;

impl<'a> Evidence<'a> {
    /// Cells of a workload that ran, with a walker that `keep` keeps. Not those with a fault: what a walk makes of frames that
    /// were damaged on purpose says nothing of healthy ones.
    pub fn cells(self, workloads: &[&str], keep: impl Fn(&str) -> bool) -> Vec<&'a CellStats> {
        self.records
            .cells
            .values()
            .filter(|cell| {
                cell.n() > 0
                    && cell.cell.fault.is_empty()
                    && workloads.contains(&cell.cell.workload.as_str())
                    && keep(&cell.cell.walker)
            })
            .collect()
    }
}

/// A walker's mutated walks on the interpreter where the outcome was most frequent. Interpreters are compared, never added
/// up, and neither are walkers: they walked the same mutations.
pub fn worst_mutated(
    evidence: Evidence,
    walker: &str,
    keep: impl Fn(&Mutation) -> bool,
    outcome: fn(&Mutation) -> u64,
) -> Option<(String, Count)> {
    let sums = evidence
        .records
        .mutations
        .sums(|row| row.walker == walker && keep(row), |row| row.interpreter.clone());
    sums.into_iter()
        .map(|(interpreter, row)| (interpreter, Count { k: outcome(&row), n: row.walks }))
        .max_by(|a, b| a.1.bound().total_cmp(&b.1.bound()).then(b.0.cmp(&a.0)))
}

/// Verdict on "it happens": once is enough; never is evidence only when the bound is low.
pub fn existence(found: Count) -> Verdict {
    if found.k > 0 {
        Verdict::Supported
    } else if found.bound() <= ENOUGH {
        Verdict::Refuted
    } else {
        Verdict::NotMeasured
    }
}

/// Trials that died in a frame, stood still in a walk or returned an impossible stack. One trial may show two of them,
/// so the largest is taken: a lower bound of what went wrong.
pub fn bad(cell: &CellStats) -> Count {
    worst_event(cell).1
}

/// The same, with what it is.
pub fn worst_event(cell: &CellStats) -> (&'static str, Count) {
    [(Event::CrashFrame, "crash"), (Event::Hang, "hang"), (Event::Impossible, "impossible")]
        .into_iter()
        .filter_map(|(event, name)| Some((name, cell.judged(event)?)))
        .max_by_key(|(_, count)| count.k)
        .unwrap_or_default()
}

/// The ids, worst first, at most a dozen: a link to each of hundreds helps nobody.
pub fn ids(cells: &[&CellStats], count: impl Fn(&CellStats) -> Count) -> Vec<String> {
    let mut ranked: Vec<_> = cells.iter().map(|cell| (*cell, count(cell))).collect();
    // The cell that a figure is quoted of comes first.
    ranked.sort_by(|a, b| severity(b, a));
    ranked.into_iter().take(12).map(|(cell, _)| cell.cell.id.clone()).collect()
}

/// Verdict on "it never goes wrong", over cells that each had their chance. The cells of a sweep ([`CellStats::swept`]) can refute
/// it; how low the bound is, they need not say.
pub fn never(cells: &[&CellStats], count: impl Fn(&CellStats) -> Count) -> Verdict {
    let all_swept = cells.iter().all(|cell| cell.swept());
    let wrong = cells.iter().filter(|cell| count(cell).k > 0).count();
    if wrong == cells.len() {
        Verdict::Refuted
    } else if wrong > 0 {
        Verdict::Mixed
    } else if cells.iter().all(|cell| cell.swept() && !all_swept || count(cell).bound() <= ENOUGH) {
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
        cell.judged(Event::Impossible).map_or_else(|| "not judged".to_owned(), count)
    )
}

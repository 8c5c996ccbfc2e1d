//! The line on top: what was measured, the worst bounds, and whether n was declared and reached.

use super::cell::{CellStats, Event};
use super::records::Records;
use crate::text::number::{grouped, rate};
use sigwalk_record::Kind;

/// More harness errors than this, and nothing can be concluded.
const HARNESS_LIMIT: f64 = 0.01;

/// Workloads in which a thread walks its own stack, those in which it walks another's, and walks of changed memory.
/// They never share a row or a sum.
const KINDS: [(&str, &[&str]); 3] = [
    ("own-thread", &["hook", "signal", "step", "soak"]),
    ("other-thread", &["other"]),
    ("mutated-memory", &["mutate"]),
];

/// The line and what it rests on.
#[derive(Debug)]
pub struct Verdict {
    /// `declared`, `exploratory` or `inconclusive`.
    pub word: &'static str,
    /// The whole line.
    pub line: String,
    /// Why it is not `declared`.
    pub reasons: Vec<String>,
}

/// Judges the whole report.
pub fn of(records: &Records) -> Verdict {
    let (mut inconclusive, mut exploratory) = (Vec::new(), Vec::new());
    let trials: u64 = records.cells.values().map(CellStats::n).sum();
    let errors: u64 = records.cells.values().map(CellStats::harness_errors).sum();
    if errors as f64 > HARNESS_LIMIT * (trials + errors) as f64 {
        inconclusive.push(format!(
            "{errors} of {} trials failed in the harness (over 1 %)",
            grouped(trials + errors)
        ));
    }
    let unfinished: Vec<_> = records.runs.iter().filter(|run| !run.complete).collect();
    if !unfinished.is_empty() {
        exploratory.push(format!("{} of {} runs not finished", unfinished.len(), records.runs.len()));
    }
    let dropped = records.runs.iter().filter(|run| run.dropped).count();
    if dropped > 0 {
        exploratory.push(format!("{dropped} last line(s) cut short and left out"));
    }
    let off = records
        .cells
        .values()
        .filter(|cell| {
            cell.cell.not_available.is_empty() && cell.n() + cell.harness_errors() != cell.declared()
        })
        .count();
    if off > 0 {
        exploratory.push(format!(
            "{off} of {} cells have another number of trials than declared",
            records.cells.len()
        ));
    }
    let word = match (inconclusive.is_empty(), exploratory.is_empty()) {
        (false, _) => "inconclusive",
        (true, false) => "exploratory",
        (true, true) => "declared",
    };
    let reasons: Vec<String> = inconclusive.into_iter().chain(exploratory).collect();
    let mut line = format!("{}: {}", capital(word), measured(records, trials));
    for (label, workloads) in KINDS {
        line.push_str(&worst(records, label, workloads));
    }
    if !reasons.is_empty() {
        line.push_str(&format!(" Note: {}.", reasons.join("; ")));
    }
    Verdict { word, line, reasons }
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn measured(records: &Records, trials: u64) -> String {
    let mut parts = Vec::new();
    let ran = records.cells.values().filter(|cell| cell.n() > 0).count();
    if ran > 0 {
        parts.push(format!("{} trials in {ran} cells", grouped(trials)));
    }
    let walks: u64 = records.mutations.0.values().map(|row| row.walks).sum();
    if walks > 0 {
        parts.push(format!("{} mutated walks", grouped(walks)));
    }
    if records.runs.iter().any(|run| run.kind == Kind::Cost && run.rows > 0) {
        parts.push("cost by depth".to_owned());
    }
    if parts.is_empty() {
        parts.push("no trial".to_owned());
    }
    let builds = records.builds.len();
    let tags = records.builds.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    format!(
        "{} on {builds} interpreter build{} ({tags}).",
        parts.join(", "),
        if builds == 1 { "" } else { "s" }
    )
}

/// The cell with the worst bound, for each of the three things that matter most. Cells are never added up.
fn worst(records: &Records, label: &str, workloads: &[&str]) -> String {
    let cells: Vec<&CellStats> = records
        .cells
        .values()
        .filter(|cell| cell.n() > 0 && workloads.contains(&cell.cell.workload.as_str()))
        .collect();
    if cells.is_empty() {
        return String::new();
    }
    let parts = [
        (Event::CrashFrame, "crash in a frame"),
        (Event::Hang, "hang"),
        (Event::Impossible, "impossible stack"),
    ]
    .map(|(event, name)| {
        let (cell, count) = cells
            .iter()
            .map(|cell| (cell, cell.count(event)))
            .max_by(|a, b| a.1.bound().total_cmp(&b.1.bound()).then(b.0.cell.id.cmp(&a.0.cell.id)))
            .unwrap_or_else(|| unreachable!("cells is not empty"));
        if cells.iter().all(|cell| cell.count(event).k == 0) {
            format!("{name} 0 in every cell, ≤ {}", rate(count.bound()))
        } else {
            format!("{name} {}/{} ≤ {} ({})", count.k, count.n, rate(count.bound()), cell.cell.id)
        }
    });
    format!(" Worst {label} bounds (95 %): {}.", parts.join("; "))
}

//! Known bugs: one row a bug and way to show it, one column an interpreter.

use super::table::{Status, Table, Td};
use crate::model::bug::{self, Shown, Word};
use crate::model::records::Records;
use crate::text::number::{self, fraction, limits};
use sigwalk_record::Outcome;

/// The table; without rows when no cell declares a bug.
pub fn table(records: &Records, rows: usize) -> Table {
    let matrix = bug::matrix(records);
    let (seen, known) = matrix.seen();
    let mut head = vec!["bug", "shown by"];
    head.extend(&matrix.tags);
    let caption = format!(
        "{seen} of {known} bugs seen on an interpreter that has them; k/n trials, 95 % bound, and the time of all trials up to the first that showed it"
    );
    let mut table = Table::new(caption, head.len(), &head);
    for row in &matrix.rows {
        let bug = row.bug;
        let name = format!("{} {}", bug.id, bug.issue);
        let mut cells = vec![Td::code(row.how)];
        cells.extend(row.shown.iter().map(|shown| {
            shown.as_ref().map_or_else(|| Td::text("not declared").status(Status::Absent), judged)
        }));
        table.row("", Td::text(name.trim_end()).small(bug.title.clone()), cells);
    }
    table.cut(rows);
    table
}

/// What nobody has mended yet, one line each.
pub fn findings(records: &Records, rows: usize) -> Table {
    let matrix = bug::matrix(records);
    let head = ["what still happens", "seen on", "report"];
    let mut table =
        Table::new("Findings: open, or seen though fixed; k/n trials and 95 % interval", 3, &head);
    for finding in bug::findings(&matrix) {
        let name = format!("{} {}", finding.bug.id, finding.bug.issue);
        let lines: Vec<String> =
            finding.seen.iter().map(|(tag, found)| format!("{tag}: {}", number::count(*found))).collect();
        let seen = match lines.is_empty() {
            true => Td::text("not seen in these records").status(Status::Absent),
            false => Td { lines, ..Td::default() },
        };
        let report = match finding.bug.finding.as_str() {
            "" => Td::text("none yet"),
            path => Td::code(path),
        };
        table.row("", Td::text(finding.bug.title.clone()).small(name.trim_end()), vec![seen, report]);
    }
    table.cut(rows);
    table
}

fn judged(shown: &Shown<'_>) -> Td {
    let word = shown.word();
    if word == Word::NotRun {
        return Td::text(word.name()).small(shown.why_not()).status(Status::Absent);
    }
    let count = shown.count();
    let mut small = limits(count);
    if let Some(time) = shown.first_hit() {
        small.push_str(&format!(", first after {time}"));
    }
    if shown.cell.harness_errors() > 0 {
        small.push_str(&format!(", {} harness errors", shown.cell.harness_errors()));
    }
    let status = match word {
        Word::Gone => Status::Zero,
        Word::NotSeen => Status::Absent,
        _ => worst(shown),
    };
    Td::text(format!("{} {}", word.name(), fraction(count))).small(small).status(status)
}

/// How it shows: the worst of what was met and counts.
fn worst(shown: &Shown<'_>) -> Status {
    let met = |outcome: &&Outcome| shown.cell.outcomes.get(outcome).is_some_and(|count| *count > 0);
    match shown.bug.hit.iter().filter(met).max() {
        Some(Outcome::Crash) => Status::Crash,
        Some(Outcome::Hang) => Status::Hang,
        Some(Outcome::Impossible) => Status::Silent,
        _ => Status::Detected,
    }
}

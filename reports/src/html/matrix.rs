//! Walker × target, one section per (interpreter, workload): workloads never share a table.

use super::order;
use super::table::{Status, Table, Td, Th};
use crate::model::cell::{CellStats, Count, Event};
use crate::model::records::Records;
use crate::text::anchor;
use crate::text::number::{fraction, grouped, limits, rate};
use std::collections::BTreeMap;

/// One section.
#[derive(Debug)]
pub struct Section {
    /// Anchor.
    pub id: String,
    /// Title.
    pub title: String,
    /// Which thread walks what.
    pub says: &'static str,
    /// Overview: targets down, walkers across.
    pub grid: Table,
    /// Every count.
    pub detail: Table,
    /// First impossible stack and first harness failure of each cell that has one: (cell, kind, note).
    pub notes: Vec<(String, &'static str, String)>,
}

impl Section {
    /// Anchors of its cells.
    pub fn anchors(&self) -> impl Iterator<Item = &str> {
        self.grid.rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.id.as_str()))
    }
}

/// Anchor of a cell.
pub fn cell_anchor(id: &str) -> String {
    anchor("cell", id)
}

/// Anchor of the section of an interpreter and workload.
pub fn section_anchor(interpreter: &str, workload: &str) -> String {
    anchor("matrix", &format!("{interpreter}/{workload}"))
}

fn says(workload: &str) -> &'static str {
    match workload {
        "hook" => "Own thread: walked from an allocator hook and compared with the interpreter's own chain.",
        "signal" => "Own thread: walked from a signal handler that interrupts it anywhere.",
        "step" => "Own thread: walked at every instruction boundary of a window, by single-stepping.",
        "other" => "Other thread: walked from outside while the target runs on.",
        "program" => {
            "A Python program by itself, without a walker of ours: its end is the outcome. See the known bugs."
        }
        "soak" => "Own thread: third-party programs under a storm of signals.",
        "mutate" => "Frame memory changed in place before each walk.",
        _ => "A workload this report has no description of.",
    }
}

/// All sections; at most `rows` cells each, `notes` notes.
pub fn sections(records: &Records, rows: usize, notes: usize) -> Vec<Section> {
    let mut groups = BTreeMap::<(&str, &str), Vec<&CellStats>>::new();
    for cell in records.cells.values() {
        groups.entry((&cell.cell.interpreter, &cell.cell.workload)).or_default().push(cell);
    }
    let section = |((interpreter, workload), cells): ((&str, &str), Vec<&CellStats>)| Section {
        id: section_anchor(interpreter, workload),
        title: format!("{interpreter}, workload {workload}"),
        says: says(workload),
        grid: grid(interpreter, workload, &cells, rows),
        detail: detail(interpreter, workload, &cells, rows),
        notes: cells.iter().flat_map(|cell| notes_of(cell)).take(notes).collect(),
    };
    groups.into_iter().map(section).collect()
}

fn notes_of(cell: &CellStats) -> impl Iterator<Item = (String, &'static str, String)> {
    let notes = [("impossible stack", &cell.example), ("harness error", &cell.harness_note)];
    let id = cell.cell.id.clone();
    notes
        .into_iter()
        .filter_map(|(kind, note)| note.clone().map(|note| (kind, note)))
        .map(move |(kind, note)| (id.clone(), kind, clipped(&note)))
}

/// A note is for the eye; a whole log belongs into the records.
fn clipped(note: &str) -> String {
    if note.chars().count() <= 600 {
        note.to_owned()
    } else {
        note.chars().take(600).chain(" … (cut)".chars()).collect()
    }
}

fn grid(interpreter: &str, workload: &str, cells: &[&CellStats], rows: usize) -> Table {
    // A walker that cannot walk this interpreter at all has no column, but its reason.
    let (there, missing): (Vec<&CellStats>, Vec<&CellStats>) = cells
        .iter()
        .partition(|cell| cells.iter().any(|other| is_available(other) && same_walker(cell, other)));
    let walkers = order::walkers(there.iter().map(|cell| cell.cell.walker.as_str()));
    let mut head = vec!["target"];
    head.extend(&walkers);
    let reasons: BTreeMap<&str, &str> =
        missing.iter().map(|cell| (cell.cell.walker.as_str(), cell.cell.not_available.as_str())).collect();
    let reasons: String =
        reasons.iter().map(|(walker, why)| format!("; {walker} not available: {why}")).collect();
    let mut table = Table::new(
        format!("Walker × target on {interpreter}, workload {workload}: k/n and 95 % bound{reasons}"),
        head.len(),
        &head,
    );
    // A target that was swept over a parameter has a row for each value.
    let mut targets = BTreeMap::<String, BTreeMap<&str, &CellStats>>::new();
    for cell in there {
        let row = format!("{}{}", cell.target_with_ids(), cell.variant());
        targets.entry(row).or_default().insert(&cell.cell.walker, cell);
    }
    for (target, by_walker) in targets {
        let params = by_walker.values().next().map(|cell| cell.params()).unwrap_or_default();
        let across = walkers.iter().map(|walker| {
            by_walker.get(walker).map_or_else(
                || Td::text("not declared").status(Status::Absent),
                |cell| overview(cell).id(cell_anchor(&cell.cell.id)),
            )
        });
        table.row("", Td::text(target).small(params), across.collect());
    }
    table.cut(rows);
    table
}

fn is_available(cell: &CellStats) -> bool {
    cell.cell.not_available.is_empty()
}

fn same_walker(a: &CellStats, b: &CellStats) -> bool {
    a.cell.walker == b.cell.walker
}

/// Why a cell has no numbers; nothing when it has.
fn absent(cell: &CellStats) -> Option<Td> {
    if !is_available(cell) {
        return Some(Td::text("not available").small(cell.cell.not_available.clone()).status(Status::Absent));
    }
    (cell.n() == 0).then(|| Td::text("nothing ran").small(errors(cell)).status(Status::Absent))
}

fn errors(cell: &CellStats) -> String {
    match cell.harness_errors() {
        0 => String::new(),
        errors => format!("{errors} harness error{}", if errors == 1 { "" } else { "s" }),
    }
}

fn overview(cell: &CellStats) -> Td {
    if let Some(td) = absent(cell) {
        return td;
    }
    let line = |(event, glyph, name): (Event, &str, &str)| {
        let Some(count) = cell.judged(event) else { return format!("– {name} not judged") };
        let glyph = if count.k == 0 { "○" } else { glyph };
        format!("{glyph} {name} {} ≤ {}", fraction(count), rate(count.bound()))
    };
    let always = [
        (Event::CrashFrame, "✕", "crash"),
        (Event::Hang, "∞", "hang"),
        (Event::Impossible, "≠", "impossible"),
    ];
    // Shown only where it happened: the table below has the zeros. A line each; detected and silent never share one.
    let seldom = [
        (Event::CrashThreadList, "✕", "crash in thread list"),
        (Event::CrashThreadName, "✕", "crash at thread name"),
        (Event::ContractViolation, "≠", "contract violation"),
        (Event::Truncated, "◐", "truncated"),
        (Event::Rejected, "◐", "rejected"),
        (Event::RecoveredFault, "◐", "recovered fault"),
    ];
    let seen = seldom.into_iter().filter(|(event, ..)| cell.count(*event).k > 0);
    let lines: Vec<String> = always.into_iter().chain(seen).map(line).collect();
    Td { lines, small: walked(cell), class: status(cell).class(), ..Td::default() }
}

/// How many walks a trial's outcome stands for: one wrong stack in a million walks and one in ten both make a trial
/// impossible.
fn walked(cell: &CellStats) -> String {
    let walks = grouped(cell.walks);
    let wrong = if cell.cell.judged && cell.silent_walks > 0 {
        format!("{} of {walks} walks impossible", grouped(cell.silent_walks))
    } else {
        format!("{walks} walks")
    };
    let missed = match cell.missed {
        0 => String::new(),
        missed => format!("{} more were due and missed", grouped(missed)),
    };
    [wrong, missed, errors(cell)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn status(cell: &CellStats) -> Status {
    let has =
        |events: &[Event]| events.iter().any(|event| cell.judged(*event).is_some_and(|count| count.k > 0));
    if has(&[Event::CrashFrame, Event::CrashThreadList, Event::CrashThreadName]) {
        Status::Crash
    } else if has(&[Event::Hang]) {
        Status::Hang
    } else if has(&[Event::Impossible, Event::ContractViolation]) {
        Status::Silent
    } else if has(&[Event::Truncated, Event::Rejected, Event::RecoveredFault]) {
        Status::Detected
    } else {
        Status::Zero
    }
}

const COLUMNS: [(Event, &str, Status); 14] = [
    (Event::CrashFrame, "in a frame", Status::Crash),
    (Event::CrashThreadList, "in the thread list", Status::Crash),
    (Event::CrashThreadName, "at a thread name", Status::Crash),
    (Event::CrashTarget, "of the target, no walk", Status::Absent),
    (Event::Hang, "in a walk", Status::Hang),
    (Event::HangTarget, "of the target, no walk", Status::Absent),
    (Event::Truncated, "truncated", Status::Detected),
    (Event::Rejected, "rejected", Status::Detected),
    (Event::RecoveredFault, "recovered fault", Status::Detected),
    (Event::Splice, "splice", Status::Silent),
    (Event::WrongLine, "wrong line", Status::Silent),
    (Event::Prefix, "prefix", Status::Silent),
    (Event::Stale, "stale", Status::Silent),
    (Event::ContractViolation, "violation", Status::Silent),
];

fn detail(interpreter: &str, workload: &str, cells: &[&CellStats], rows: usize) -> Table {
    let mut head = vec!["walker", "target", "trials"];
    head.extend(COLUMNS.map(|column| column.1));
    head.push("harness errors");
    let mut table = Table::new(
        format!(
            "Every count on {interpreter}, workload {workload}; n is trials, a trial counts once per column"
        ),
        2,
        &head,
    );
    let group = |text: &str, span| Th { text: text.to_owned(), span, num: false };
    table.groups = vec![
        group("", 3),
        group("crash", 4),
        group("hang", 2),
        group("detected: the walker said so", 3),
        group("silent: it did not", 4),
        group("contract", 1),
        group("left out of n", 1),
    ];
    let mut ranked: Vec<&&CellStats> = cells.iter().collect();
    ranked.sort_by(|a, b| {
        let key = |cell: &CellStats| {
            (order::rank(&cell.cell.walker).0, cell.cell.walker.clone(), cell.target_label())
        };
        key(a).cmp(&key(b))
    });
    for cell in ranked {
        let mut row = vec![Td::text(cell.target_with_ids()).small(cell.params())];
        if let Some(td) = absent(cell) {
            // The reason stands where the trials would; the other columns stay empty rather than claim a zero.
            row.push(td);
            row.extend(COLUMNS.map(|_| Td::num("–")));
        } else {
            let none = limits(Count { k: 0, n: cell.n() });
            let small = format!("{} walks; 0 is {none}", grouped(cell.walks));
            row.push(Td::num(grouped(cell.n())).small(small));
            row.extend(COLUMNS.map(|(event, _, status)| match cell.judged(event) {
                None => Td::num("not judged"),
                // Its bound is the same in every column and stands beside n.
                Some(Count { k: 0, .. }) => Td::num("0"),
                Some(count) => Td::count(count, status),
            }));
        }
        row.push(Td::num(grouped(cell.harness_errors())));
        table.row("", Td::text(cell.cell.walker.clone()), row);
    }
    table.cut(rows);
    table
}

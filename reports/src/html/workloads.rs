//! Walker × workload at a glance, one table an interpreter. A cell shows the worst target of each event and links to the grid that
//! has all of them: targets are compared, never added up, and own-thread and other-thread walks never share a cell.

use super::matrix;
use super::order;
use super::table::{Link, Status, Table, Td, Th};
use crate::model::cell::{CellStats, Count, Event, worst};
use crate::model::records::Records;
use crate::model::tag;
use crate::text::anchor;
use crate::text::number::{count, grouped};
use std::collections::{BTreeMap, BTreeSet};

/// One interpreter.
#[derive(Debug)]
pub struct Overview {
    /// Anchor.
    pub id: String,
    /// Tag.
    pub interpreter: String,
    /// Walkers down, workloads across.
    pub table: Table,
}

/// A column: who walks, the workload, and whether a fault was made on purpose.
type Column<'a> = (Side, &'a str, bool);

/// Who walks whose stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The thread its own.
    Own,
    /// Somebody else, from outside.
    Other,
    /// A workload that this report does not know.
    Unknown,
}

impl Side {
    /// Of a workload.
    pub fn of(workload: &str) -> Self {
        match workload {
            "hook" | "signal" | "step" | "soak" => Side::Own,
            "other" | "interleave" => Side::Other,
            _ => Side::Unknown,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Side::Own => "own thread",
            Side::Other => "other thread",
            Side::Unknown => "neither is said",
        }
    }
}

/// Workloads whose walks happen at places that somebody chose: counts, which are no rates.
pub fn is_exact(workload: &str) -> bool {
    matches!(workload, "step" | "interleave")
}

/// Every interpreter that walked anything, by version. Programs that walk by themselves stand among the known bugs.
pub fn overviews(records: &Records) -> Vec<Overview> {
    let mut by_tag = BTreeMap::<(Vec<u64>, &str), Vec<&CellStats>>::new();
    for cell in records.cells.values().filter(|cell| cell.cell.workload != "program") {
        let tag = cell.cell.interpreter.as_str();
        by_tag.entry((tag::version(tag), tag)).or_default().push(cell);
    }
    let overview = |((_, tag), cells): ((Vec<u64>, &str), Vec<&CellStats>)| Overview {
        id: anchor("walkers", tag),
        interpreter: tag.to_owned(),
        table: table(tag, &cells),
    };
    by_tag.into_iter().map(overview).collect()
}

fn table(tag: &str, cells: &[&CellStats]) -> Table {
    let column = |cell: &CellStats| -> (Side, String, bool) {
        (Side::of(&cell.cell.workload), cell.cell.workload.clone(), !cell.cell.fault.is_empty())
    };
    let columns: BTreeSet<_> = cells.iter().map(|cell| column(cell)).collect();
    let walkers = order::walkers(cells.iter().map(|cell| cell.cell.walker.as_str()));
    let names: Vec<String> = columns
        .iter()
        .map(|(_, workload, fault)| format!("{workload}{}", if *fault { ", with a fault made" } else { "" }))
        .collect();
    let mut head = vec!["walker"];
    head.extend(names.iter().map(String::as_str));
    let caption = format!("Walkers on {tag}: the worst target of each workload, k/n trials and 95 % bound");
    let mut table = Table::new(caption, head.len(), &head);
    table.groups.push(Th { text: String::new(), span: 1, num: false });
    for side in [Side::Own, Side::Other, Side::Unknown] {
        let span = columns.iter().filter(|(of, ..)| *of == side).count();
        if span > 0 {
            table.groups.push(Th { text: side.name().to_owned(), span, num: false });
        }
    }
    for walker in walkers {
        let across = columns.iter().map(|key| {
            let of: Vec<&CellStats> = cells
                .iter()
                .copied()
                .filter(|cell| cell.cell.walker == walker && column(cell) == *key)
                .collect();
            overview(&of, (key.0, &key.1, key.2))
        });
        table.row("", Td::text(walker), across.collect());
    }
    table
}

/// Always looked at; the bound of none is the largest of them.
const ALWAYS: [(Event, &str, &str, Status); 3] = [
    (Event::CrashFrame, "✕", "crash", Status::Crash),
    (Event::Hang, "∞", "hang", Status::Hang),
    (Event::Impossible, "≠", "silent", Status::Silent),
];

/// Said only where it happened.
const SELDOM: [(Event, &str, &str, Status); 3] = [
    (Event::CrashThreadList, "✕", "crash in thread list", Status::Crash),
    (Event::CrashThreadName, "✕", "crash at thread name", Status::Crash),
    (Event::ContractViolation, "≠", "contract", Status::Silent),
];

fn overview(cells: &[&CellStats], (_, workload, _): Column<'_>) -> Td {
    let Some(first) = cells.first() else { return Td::text("not declared").status(Status::Absent) };
    let ran: Vec<&CellStats> = cells.iter().copied().filter(|cell| cell.n() > 0).collect();
    if ran.is_empty() {
        let why = match first.cell.not_available.as_str() {
            "" => "nothing ran",
            why => why,
        };
        return Td::text("not available").small(why).status(Status::Absent);
    }
    let exact = is_exact(workload);
    let (mut lines, mut none, mut unjudged, mut status) = (Vec::new(), Vec::new(), false, Status::Zero);
    let seldom = SELDOM.iter().filter(|(event, ..)| ran.iter().any(|cell| cell.count(*event).k > 0));
    for (event, glyph, name, look) in ALWAYS.iter().chain(seldom) {
        let Some((_, found)) = worst(&ran, |cell| cell.judged(*event)) else {
            unjudged = true;
            continue;
        };
        if found.k == 0 {
            none.push((*name, found));
            continue;
        }
        if status == Status::Zero {
            status = *look;
        }
        let met = ran.iter().filter(|cell| cell.judged(*event).is_some_and(|count| count.k > 0)).count();
        lines.push(match exact {
            true => format!("{glyph} {name} in {met} of {}", windows(ran.len())),
            false => format!("{glyph} {name} {}", count(found)),
        });
    }
    // Who survives has not answered yet.
    if let Some((_, found)) =
        worst(&ran, |cell| cell.cell.judged.then(|| cell.reported())).filter(|(_, found)| found.k > 0)
    {
        lines.push(match exact {
            true => format!(
                "◐ reported in {} of {}",
                ran.iter().filter(|cell| cell.reported().k > 0).count(),
                windows(ran.len())
            ),
            false => format!("◐ reported {}", count(found)),
        });
    }
    lines.extend(nothing(&none, exact, ran.len()));
    if unjudged {
        lines.push("– silent: not judged".to_owned());
    }
    let targets = match (ran.len(), exact) {
        (1, _) => ran[0].target_label(),
        (many, true) => windows(many),
        (many, false) => format!("worst of {many} cells"),
    };
    let anchor = matrix::section_anchor(&first.cell.interpreter, workload);
    let links = vec![Link { anchor, label: targets }];
    Td { lines, links, class: status.class(), ..Td::default() }
}

fn windows(ran: usize) -> String {
    format!("{} window{}", grouped(ran as u64), if ran == 1 { "" } else { "s" })
}

/// What was looked for and not met, in one line with the largest bound.
fn nothing(none: &[(&str, Count)], exact: bool, ran: usize) -> Option<String> {
    let weakest = none.iter().map(|(_, count)| *count).min_by_key(|count| count.n)?;
    let names: Vec<&str> = none.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    Some(match exact {
        true => format!("○ no {names} in {}", windows(ran)),
        false => format!("○ {names} {}", count(weakest)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::records::Records;
    use sigwalk_record::{Cell, Outcome, Phase, Tallies, Trial};

    fn trial(outcome: Outcome, phase: Phase) -> Trial {
        Trial {
            schema: sigwalk_record::SCHEMA,
            trial: 0,
            cell: String::new(),
            seed: String::new(),
            outcome,
            phase,
            walks: 1,
            frames: 1,
            tallies: Tallies::default(),
            crash: None,
            millis: 1.0,
            boundaries: 0,
            illegal: Vec::new(),
            note: None,
        }
    }

    fn put(records: &mut Records, workload: &str, target: &str, n: u64, crashes: u64) {
        let id = format!("3.15.0/{workload}/{target}/pr-b1");
        let cell = Cell {
            id: id.clone(),
            interpreter: "3.15.0".into(),
            workload: workload.into(),
            walker: "pr-b1".into(),
            target: target.into(),
            judged: true,
            ..Cell::default()
        };
        let mut stats = CellStats::new(&cell);
        for index in 0..n {
            stats.add(&match index < crashes {
                true => trial(Outcome::Crash, Phase::Walk),
                false => trial(Outcome::Complete, Phase::Done),
            });
        }
        records.cells.insert(id, stats);
    }

    /// Two targets stay two: the worse is shown, with its own n, and own and other thread have a cell each.
    #[test]
    fn the_worst_target_and_no_sum() {
        let mut records = Records::default();
        put(&mut records, "signal", "calm", 1000, 0);
        put(&mut records, "signal", "wild", 100, 7);
        put(&mut records, "other", "calm", 300, 0);
        put(&mut records, "program", "dump", 20, 20);
        let [overview] = &overviews(&records)[..] else { panic!("one interpreter") };
        let table = &overview.table;
        assert_eq!(
            table.groups.iter().map(|th| (th.text.as_str(), th.span)).collect::<Vec<_>>(),
            [("", 1), ("own thread", 1), ("other thread", 1)]
        );
        let [signal, other] = &table.rows[0].cells[..] else { panic!("two workloads") };
        assert_eq!(signal.lines, ["✕ crash 7/100 [2.86 %, 13.9 %]", "○ hang, silent 0/100 ≤ 2.96 %"]);
        assert_eq!(signal.links[0].label, "worst of 2 cells");
        assert_eq!(signal.links[0].anchor, "matrix-3.15.0-signal");
        assert_eq!(other.lines, ["○ crash, hang, silent 0/300 ≤ 0.994 %"]);
    }

    /// What somebody chose the places of has no bound.
    #[test]
    fn windows_are_counted_and_have_no_rate() {
        let mut records = Records::default();
        put(&mut records, "step", "calls", 1, 0);
        put(&mut records, "step", "ends", 1, 1);
        let [overview] = &overviews(&records)[..] else { panic!("one interpreter") };
        assert_eq!(
            overview.table.rows[0].cells[0].lines,
            ["✕ crash in 1 of 2 windows", "○ no hang, silent in 2 windows"]
        );
    }
}

//! Forest plots: rates of crashes, hangs and silent wrong stacks, one figure for each interpreter and workload.

use super::figure::Figure;
use super::table::Table;
use super::workloads::{Side, is_exact};
use crate::failure::Failure;
use crate::model::cell::{CellStats, Count, Event};
use crate::model::records::Records;
use crate::model::tag;
use crate::plot::{Forest, Line, Panel, Rest, forest};
use crate::text::anchor;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// An event with the name of its panel and what a line of it is called beside the walker.
type Shown = (&'static str, Event, &'static str);

const EVENTS: [Shown; 5] = [
    ("crash", Event::CrashFrame, ""),
    ("crash", Event::CrashThreadList, " (thread list)"),
    ("crash", Event::CrashThreadName, " (thread name)"),
    ("hang", Event::Hang, ""),
    ("silent", Event::Impossible, ""),
];

/// Every figure; at most `most` cells an event, worst first.
///
/// # Errors
/// Only a defect: a figure failed.
pub fn figures(records: &Records, most: usize) -> Result<Vec<Figure>, Failure> {
    let mut groups = BTreeMap::<(Side, Vec<u64>, &str, &str), Vec<&CellStats>>::new();
    for cell in records.cells.values().filter(|cell| is_sample(cell)) {
        let (tag, workload) = (cell.cell.interpreter.as_str(), cell.cell.workload.as_str());
        groups.entry((Side::of(workload), tag::version(tag), tag, workload)).or_default().push(cell);
    }
    let decade = decade(groups.values().flatten());
    groups
        .into_iter()
        .map(|((side, _, tag, workload), cells)| {
            let id = anchor("rates", &format!("{tag}/{workload}"));
            let title = format!("{tag}, workload {workload}");
            let drawn = Forest { title: title.clone(), panels: panels(&cells, most), decade };
            Ok(Figure {
                svg: forest(&format!("{id}-figure"), &drawn)?,
                id,
                caption: format!("{title}, {}: {} cells", side.name(), cells.len()),
                table: Table::default(),
            })
        })
        .collect()
}

/// Whether its trials are a sample: not where somebody chose the places of the walks, nor what was damaged on purpose.
fn is_sample(cell: &CellStats) -> bool {
    let workload = cell.cell.workload.as_str();
    cell.n() > 0 && cell.cell.fault.is_empty() && workload != "program" && !is_exact(workload)
}

/// Where the axis of all figures begins: at the power of ten below everything that is drawn.
fn decade<'a>(cells: impl Iterator<Item = &'a &'a CellStats>) -> i32 {
    let lowest = |cell: &&CellStats| {
        let counts = EVENTS.iter().filter_map(|(_, event, _)| cell.judged(*event));
        let ends = counts.map(|count| if count.k == 0 { count.bound() / 2.0 } else { count.interval().low });
        ends.fold(0.1, f64::min)
    };
    (cells.map(lowest).fold(0.1, f64::min).log10().floor() as i32).clamp(-7, -2)
}

fn panels(cells: &[&CellStats], most: usize) -> Vec<Panel> {
    ["crash", "hang", "silent"].map(|name| panel(name, cells, most)).into_iter().filter(has_any).collect()
}

fn has_any(panel: &Panel) -> bool {
    !(panel.lines.is_empty() && panel.rest.is_empty())
}

fn panel(name: &'static str, cells: &[&CellStats], most: usize) -> Panel {
    let (mut lines, mut none) = (Vec::new(), Vec::new());
    for (_, event, says) in EVENTS.iter().filter(|(of, ..)| *of == name) {
        for cell in cells {
            match cell.judged(*event) {
                Some(count) if count.k > 0 => {
                    lines.push(Line { label: format!("{}{says}", label(cell)), count });
                }
                // That a crash was in no list of threads either is no further cell without a crash.
                Some(count) if says.is_empty() => none.push(count),
                _ => {}
            }
        }
    }
    // The highest rate first; of equals the one that is surer.
    lines.sort_by(|a, b| {
        let rate = |line: &Line| line.count.k as f64 / line.count.n.max(1) as f64;
        rate(b).total_cmp(&rate(a)).then(b.count.n.cmp(&a.count.n)).then(a.label.cmp(&b.label))
    });
    let more: Vec<Count> =
        lines.split_off(lines.len().min(most)).into_iter().map(|line| line.count).collect();
    let rest = [more, none].iter().filter_map(|counts| rest(counts)).collect();
    Panel { name, lines, rest }
}

fn rest(counts: &[Count]) -> Option<Rest> {
    let weakest = counts
        .iter()
        .copied()
        .max_by(|a, b| a.bound().total_cmp(&b.bound()).then(Reverse(a.n).cmp(&Reverse(b.n))))?;
    Some(Rest { cells: counts.len(), weakest })
}

/// `pr-b1 · call-tree depth=1,work=0`
fn label(cell: &CellStats) -> String {
    format!("{} · {}{}", cell.cell.walker, cell.cell.target, cell.variant())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk_record::{Cell, Outcome, Phase, Tallies, Trial};

    fn cell(target: &str, n: u64, wrong: u64) -> CellStats {
        let mut stats = CellStats::new(&Cell {
            id: format!("3.15.0/other/{target}/guarded/depth=2"),
            interpreter: "3.15.0".into(),
            workload: "other".into(),
            walker: "guarded".into(),
            target: target.into(),
            judged: true,
            ..Cell::default()
        });
        for index in 0..n {
            stats.add(&Trial {
                schema: sigwalk_record::SCHEMA,
                trial: index,
                cell: String::new(),
                seed: String::new(),
                outcome: if index < wrong { Outcome::Impossible } else { Outcome::Complete },
                phase: Phase::Done,
                walks: 1,
                frames: 1,
                tallies: Tallies { splice: u64::from(index < wrong), ..Tallies::default() },
                crash: None,
                millis: 1.0,
                boundaries: 0,
                illegal: Vec::new(),
                note: None,
            });
        }
        stats
    }

    /// Worst first by rate and not by count; what is not drawn is said, and zeros have a line of their own.
    #[test]
    fn the_worst_cells_and_the_rest_in_a_line() {
        let cells = [cell("many", 1000, 20), cell("few", 10, 5), cell("none", 100, 0), cell("rare", 1000, 1)];
        let all: Vec<&CellStats> = cells.iter().collect();
        let silent = panel("silent", &all, 2);
        let labels: Vec<&str> = silent.lines.iter().map(|line| line.label.as_str()).collect();
        assert_eq!(labels, ["guarded · few depth=2", "guarded · many depth=2"]);
        let rest: Vec<_> = silent.rest.iter().map(|rest| (rest.cells, rest.weakest)).collect();
        assert_eq!(rest, [(1, Count { k: 1, n: 1000 }), (1, Count { k: 0, n: 100 })]);
        let crash = panel("crash", &all, 2);
        assert!(crash.lines.is_empty() && crash.rest[0].cells == 4 && crash.rest[0].weakest.n == 10);
    }
}

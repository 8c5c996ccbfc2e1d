//! What becomes of a borrowed code pointer: a curve an interpreter, and what techniques tell.

use super::figure::Figure;
use super::table::{Status, Table, Td};
use crate::failure::Failure;
use crate::model::lifetime::{Churn, all, control, delay, gone_of, with_loss};
use crate::model::records::Records;
use crate::plot;
use crate::text::anchor;
use crate::text::number::grouped;

/// The section: figures, uses, techniques; and what the control says.
#[derive(Debug)]
pub struct Lifetimes {
    /// A curve an interpreter.
    pub figures: Vec<Figure>,
    /// The control of each.
    pub controls: Vec<String>,
    /// Every point.
    pub uses: Table,
    /// What would have been told.
    pub techniques: Table,
}

/// Nothing without records; at most `most` rows a table.
///
/// # Errors
/// Only a defect: a figure failed.
pub fn section(records: &Records, most: usize) -> Result<Option<Lifetimes>, Failure> {
    let churns = all(&records.lifetimes);
    if churns.is_empty() {
        return Ok(None);
    }
    let mut figures = Vec::new();
    for group in churns.chunk_by(|a, b| a.interpreter == b.interpreter) {
        let tag = group[0].interpreter;
        let shown: Vec<&Churn<'_>> =
            group.iter().filter(|churn| !churn.is_control && !churn.points.is_empty()).collect();
        if shown.is_empty() {
            continue;
        }
        let id = anchor("lifetime", tag);
        figures.push(Figure {
            svg: plot::lifetimes(&format!("{id}-figure"), tag, &shown)?,
            id,
            caption: format!("Share of pointers on {tag}, by what they lead to"),
            table: Table::default(),
        });
    }
    let controls = churns.iter().filter(|churn| churn.is_control).map(control).collect();
    Ok(Some(Lifetimes {
        figures,
        controls,
        uses: uses(&churns, most),
        techniques: techniques(&churns, most),
    }))
}

fn uses(churns: &[Churn<'_>], most: usize) -> Table {
    let head = [
        "program",
        "interpreter",
        "delay",
        "passed (median)",
        "uses",
        "dead",
        "recycled",
        "wrong",
        "gone",
        "processes with one",
    ];
    let mut table = Table::new(
        "What pointers led to, by delay: uses, and the share of what was not alive any more with an interval by processes",
        2,
        &head,
    );
    for churn in churns {
        for row in &churn.points {
            let bad = |k: u64, status: Status| {
                let td = Td::num(grouped(k));
                if k == 0 { td } else { td.status(status) }
            };
            table.row(
                "",
                Td::text(churn.name()),
                vec![
                    Td::text(churn.interpreter),
                    Td::num(delay(row.delay_ns)),
                    Td::num(format!("{} ns", grouped(row.passed_ns))),
                    Td::num(grouped(row.n)),
                    Td::num(grouped(row.dead)),
                    Td::num(grouped(row.recycled)),
                    bad(row.wrong, Status::Silent),
                    Td::num(gone_of(row)),
                    Td::num(format!("{}/{}", with_loss(row), row.trials)),
                ],
            );
        }
    }
    table.cut(most);
    table
}

fn techniques(churns: &[Churn<'_>], most: usize) -> Table {
    let head = ["program", "interpreter", "technique", "noticed", "missed", "false alarms"];
    let mut table = Table::new(
        "What a technique told before name and line were read, over all delays: of pointers to what was gone, and of pointers to what was alive",
        3,
        &head,
    );
    for churn in churns {
        for told in &churn.told {
            let of = |k: u64, n: u64, status| {
                let td = Td::num(format!("{}/{}", grouped(k), grouped(n)));
                if k == 0 { td } else { td.status(status) }
            };
            let cells = match told.not_available {
                "" => vec![
                    of(told.noticed, told.gone, Status::Detected),
                    of(told.gone.saturating_sub(told.noticed), told.gone, Status::Silent),
                    Td::num(format!("{}/{}", grouped(told.false_alarms), grouped(told.alive))),
                ],
                why => vec![
                    Td::text("not available").small(why).status(Status::Absent),
                    Td::num("–"),
                    Td::num("–"),
                ],
            };
            let mut row = vec![Td::text(churn.interpreter), Td::text(told.technique)];
            row.extend(cells);
            let made = churn.points.first().map_or(0, |row| row.made_per_second);
            let about = churn.churn.split_once(": ").map_or("", |(_, about)| about);
            table.row("", Td::text(churn.name()).small(format!("{about} ({} a second)", grouped(made))), row);
        }
    }
    table.cut(most);
    table
}

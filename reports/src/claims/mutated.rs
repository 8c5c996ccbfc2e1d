//! Claims that mutations of frame memory decide.

use super::evidence::{ENOUGH, ids, worst_mutated};
use super::{Evidence, Finding, Sure, Verdict};
use crate::model::cell::{CellStats, Event, worst};
use crate::model::mutation::refused;
use crate::text::number::{count, grouped};
use sigwalk_record::Mutation;

/// C4: chains closed into a cycle, walked with and without a hop budget.
pub fn endless(evidence: Evidence) -> Finding {
    let closed = |row: &Mutation| row.field == "frame.previous" && row.model.contains("cycle");
    let hangs = |walker| worst_mutated(evidence, walker, closed, |row| row.hang);
    let hops = evidence
        .records
        .mutations
        .mutated()
        .filter(|row| row.walker == "pr-b1" && closed(row))
        .map(|row| row.hops);
    let live = live(evidence);
    let mutated = hangs("pr-b1").filter(|(_, found)| found.k > 0 || live.is_none());
    let Some((place, without)) = mutated else {
        return live.unwrap_or_else(|| {
            Finding::not_measured("no frame.previous was closed into a cycle and walked by pr-b1")
        });
    };
    let with = hangs("pr-b1-hops");
    let (verdict, says) = match (without.k, &with) {
        (0, _) if without.bound() <= ENOUGH => {
            (Verdict::Refuted, "no walk without a budget was endless in a cycle of frames")
        }
        (0, _) => (Verdict::NotMeasured, "too few walks of a cycle"),
        // The walk never ends; that a budget would help is the other half, and it may be unmeasured or wrong.
        (_, Some((_, with))) if with.k > 0 => (
            Verdict::Mixed,
            "a walk into a cycle, made on purpose, does not end, and some do not with a hop budget either",
        ),
        (_, Some(_)) => (
            Verdict::Supported,
            "a walk into a cycle, made on purpose, does not end; with a hop budget each one did",
        ),
        (_, None) => (Verdict::Supported, "a walk into a cycle, made on purpose, does not end"),
    };
    let refuses =
        evidence.records.mutations.controls().any(|row| row.walker == "pr-b1-hops" && refused(row).k > 0);
    let other = with.map_or_else(|| "not measured".to_owned(), |(_, with)| count(with));
    // Of real frames with a fault made in them, too: a hang is one by whatever the walk came upon.
    let hung: u64 = evidence
        .records
        .cells
        .values()
        .filter(|cell| cell.cell.walker == "pr-b1" && cell.n() > 0)
        .map(|cell| cell.count(Event::Hang).k)
        .sum();
    let but = if refuses { " (without the stacks that it refuses when healthy)" } else { "" };
    let longest = match hops.max().unwrap_or_default() {
        0 => String::new(),
        hops => format!("cut by us after {} hops", grouped(hops)),
    };
    Finding::new(verdict, says, format!("endless walks of a cycle: pr-b1 {} ({place})", count(without)))
        .detailed([
            longest,
            format!("with a hop budget, pr-b1-hops: {other}{but}"),
            "the cycle was made by closing frame.previous".to_owned(),
            format!("hangs of pr-b1 in live trials, those with a cycle made included: {hung}"),
        ])
        .resting_on(Sure::walks(evidence, "pr-b1", closed))
        .at("mutations")
}

/// Trials in which a cycle was made in the walked thread's own frames, where a walk without a budget did not end: one is enough.
fn live(evidence: Evidence) -> Option<Finding> {
    let made =
        |cell: &&CellStats| cell.cell.walker == "pr-b1" && cell.cell.fault.contains("cycle") && cell.n() > 0;
    let cells: Vec<&CellStats> = evidence.records.cells.values().filter(made).collect();
    let hang = |cell: &CellStats| cell.count(Event::Hang);
    let (cell, found) = worst(&cells, |cell| Some(hang(cell))).filter(|(_, found)| found.k > 0)?;
    let figure = format!("trials that never ended, with a cycle made: {} ({})", count(found), cell.cell.id);
    Some(
        Finding::new(Verdict::Supported, "a walk into a cycle, made on purpose, does not end", figure)
            .resting_on(Sure::trials(&cells))
            .of(ids(&cells, hang)),
    )
}

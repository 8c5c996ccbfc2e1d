//! Claims that mutations of frame memory decide.

use super::evidence::{ENOUGH, worst_mutated};
use super::{Evidence, Finding, Sure, Verdict};
use crate::model::cell::Event;
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
    let Some((place, without)) = hangs("pr-b1") else {
        return Finding::not_measured("no frame.previous was closed into a cycle and walked by pr-b1");
    };
    let with = hangs("pr-b1-hops");
    let (verdict, says) = match (without.k, &with) {
        (0, _) if without.bound() <= ENOUGH => {
            (Verdict::Refuted, "no walk without a budget was endless in a cycle of frames")
        }
        (0, _) => (Verdict::NotMeasured, "too few walks of a cycle"),
        // The walk never ends; that a budget would help is the other half, and it may be unmeasured or wrong.
        (_, Some((_, with))) if with.k > 0 => {
            (Verdict::Mixed, "a cycle of frames is walked for ever, and in some walks with a budget too")
        }
        (_, Some(_)) => {
            (Verdict::Supported, "a cycle of frames is walked for ever; with a budget every walk ends")
        }
        (_, None) => (Verdict::Supported, "a cycle of frames is walked for ever"),
    };
    let refuses =
        evidence.records.mutations.controls().any(|row| row.walker == "pr-b1-hops" && refused(row).k > 0);
    let other = with.map_or_else(|| "not measured".to_owned(), |(_, with)| count(with));
    // Of real frames with a fault made in them, too: a hang is one by whatever the walk came upon.
    let live: u64 = evidence
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
            format!("hangs of pr-b1 in live trials: {live}"),
        ])
        .resting_on(Sure::walks(evidence, "pr-b1", closed))
        .at("mutations")
}

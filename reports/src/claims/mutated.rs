//! Claims that mutations of frame memory decide.

use super::evidence::{ENOUGH, worst_mutated};
use super::{Evidence, Finding, Verdict};
use crate::model::cell::{Count, Event};
use crate::model::mutation::refused;
use crate::text::number::{count, percent};
use sigwalk_record::Mutation;

/// C4: chains closed into a cycle, walked with and without a hop budget.
pub fn endless(evidence: Evidence) -> Finding {
    let closed = |row: &Mutation| row.field == "frame.previous" && row.model.contains("cycle");
    let hangs = |walker| worst_mutated(evidence, walker, closed, |row| row.hang);
    let Some((place, without)) = hangs("pr-b1") else {
        return Finding::not_measured("no frame.previous was closed into a cycle and walked by pr-b1");
    };
    let with = hangs("pr-b1-hops");
    let verdict = match (without.k, &with) {
        (0, _) if without.bound() <= ENOUGH => Verdict::Refuted,
        (0, _) => Verdict::NotMeasured,
        // The walk never ends; that a budget would help is the other half, and it may be unmeasured or wrong.
        (_, Some((_, with))) if with.k > 0 => Verdict::Mixed,
        _ => Verdict::Supported,
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
    Finding {
        verdict,
        figure: format!(
            "endless walks where frame.previous was closed into a cycle: pr-b1 {} ({place}), pr-b1-hops {other}{but}; hangs of pr-b1 in live trials: {live}",
            count(without)
        ),
        cells: Vec::new(),
        section: "mutations",
    }
}

/// C11: needs walkers that differ in one heuristic only; they are called `pr-b1-no-…`.
pub fn heuristics(evidence: Evidence) -> Finding {
    let mutations = &evidence.records.mutations;
    let off: Vec<&Mutation> =
        mutations.0.values().filter(|row| row.walker.starts_with("pr-b1-no-")).collect();
    let same = |row: &Mutation| {
        off.iter().any(|other| {
            (&other.interpreter, &other.field, &other.model) == (&row.interpreter, &row.field, &row.model)
        })
    };
    let with = mutations.count(|row| row.walker == "pr-b1" && same(row), |row| row.would_crash);
    let without = mutations.count(|row| row.walker.starts_with("pr-b1-no-"), |row| row.would_crash);
    if with.n == 0 || without.n == 0 {
        return not_isolated(evidence);
    }
    let verdict = if with.interval().high < without.interval().low {
        Verdict::Supported
    } else if with.interval().low > without.interval().high {
        Verdict::Refuted
    } else {
        Verdict::Mixed
    };
    let figure =
        format!("walks that would crash: with the heuristics {}, without {}", count(with), count(without));
    Finding { verdict, figure, cells: Vec::new(), section: "mutations" }
}

/// What the records do say without such a walker.
fn not_isolated(evidence: Evidence) -> Finding {
    const ABSENT: &str = "no walker that differs in one heuristic only was walked";
    let shares: Vec<String> = [("pr-b1", "pr-b1"), ("guarded", "guarded (strict policy)")]
        .into_iter()
        .filter_map(|(walker, label)| {
            let noticed = spread(evidence, walker, |row| row.noticed)?;
            let crashed = spread(evidence, walker, |row| row.would_crash)?;
            Some(format!("{label} noticed {noticed} and would have crashed on {crashed}"))
        })
        .collect();
    if shares.is_empty() {
        return Finding::not_measured(ABSENT);
    }
    let alarms: Vec<String> = ["pr-b1", "pr-b1-hops", "guarded"]
        .into_iter()
        .filter_map(|walker| {
            let rows = evidence.records.mutations.controls().filter(|row| row.walker == walker);
            let (row, found) =
                rows.map(|row| (row, refused(row))).max_by(|a, b| a.1.bound().total_cmp(&b.1.bound()))?;
            Some(format!("{walker} {} ({})", count(found), row.interpreter))
        })
        .collect();
    let alarms =
        if alarms.is_empty() { "not measured".to_owned() } else { format!("at worst {}", alarms.join(", ")) };
    Finding {
        verdict: Verdict::NotMeasured,
        figure: format!(
            "of walks on mutated memory {}; false alarms on healthy stacks {alarms}; {ABSENT}",
            shares.join(", ")
        ),
        cells: Vec::new(),
        section: "mutations",
    }
}

/// Share of a walker's mutated walks, from the lowest interpreter to the highest.
fn spread(evidence: Evidence, walker: &str, outcome: fn(&Mutation) -> u64) -> Option<String> {
    let sums = evidence.records.mutations.sums(|row| row.walker == walker, |row| row.interpreter.clone());
    let mut counts: Vec<Count> = sums
        .values()
        .map(|row| Count { k: outcome(row), n: row.walks })
        .filter(|count| count.n > 0)
        .collect();
    let share = |count: &Count| count.k as f64 / count.n as f64;
    counts.sort_by(|a, b| share(a).total_cmp(&share(b)));
    let (low, high) = (percent(*counts.first()?), percent(*counts.last()?));
    Some(if low == high { high } else { format!("{} to {high}", low.trim_end_matches(" %")) })
}

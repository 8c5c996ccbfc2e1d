//! Claims that mutations of frame memory decide.

use super::evidence::ENOUGH;
use super::{Evidence, Finding, Verdict};
use crate::text::number::count;
use sigwalk_record::Mutation;

/// C4: chains closed into a cycle, walked with and without a hop budget.
pub fn endless(evidence: Evidence) -> Finding {
    let hangs = |walker: &str| {
        evidence
            .records
            .mutations
            .count(|row: &Mutation| row.walker == walker && row.class.contains("cycle"), |row| row.hang)
    };
    let (without, with) = (hangs("pr-b1"), hangs("pr-b1-hops"));
    if without.n == 0 {
        return Finding::not_measured("no mutation of class cycle by pr-b1");
    }
    let verdict = match (without.k, with.n, with.k) {
        (0, ..) if without.bound() <= ENOUGH => Verdict::Refuted,
        (0, ..) => Verdict::NotMeasured,
        // The walk never ends; that a budget would help is the other half, and it may be unmeasured or wrong.
        (_, 0, _) | (_, _, 0) => Verdict::Supported,
        _ => Verdict::Mixed,
    };
    let other = if with.n == 0 { "not measured".to_owned() } else { count(with) };
    Finding {
        verdict,
        figure: format!("endless walks on cycles: pr-b1 {}, pr-b1-hops {other}", count(without)),
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
            (&other.interpreter, &other.field, &other.class) == (&row.interpreter, &row.field, &row.class)
        })
    };
    let with = mutations.count(|row| row.walker == "pr-b1" && same(row), |row| row.would_crash);
    let without = mutations.count(|row| row.walker.starts_with("pr-b1-no-"), |row| row.would_crash);
    if with.n == 0 || without.n == 0 {
        return Finding::not_measured("no pair of rows that differ in one heuristic only");
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

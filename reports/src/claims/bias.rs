//! C10: samplers tolerate a few wrong stacks, memory profilers do not.
//!
//! By the simulation of `bias.rs`, where exact traces and walks with silent errors are in the records, and by its rule for what is
//! tolerated. Looked at are the cells with at least one silently wrong walk: with none, nobody has anything to tolerate.
//!
//! *Supported*: some of these errors are not tolerated by the allocation profile, and the time sampler tolerates each of those. *Refuted*:
//! the allocation profile tolerates all of them, or the time sampler tolerates none that it does not. *Mixed*: anything else.

use super::{Evidence, Finding, Sure, Verdict};
use crate::bias::{PROFILES, Row};
use crate::text::number::{rate, significant};
use sigwalk_record::Kind;

/// C10.
pub fn tolerated(evidence: Evidence) -> Finding {
    let rows: Vec<&Row> =
        evidence.bias.rows.iter().filter(|row| row.measured.errors.silent() > 0.0).collect();
    let Some(worst) = rows.iter().max_by(|a, b| {
        let moved = |row: &Row| row.bytes.median - row.floor.median;
        moved(a).total_cmp(&moved(b)).then(b.measured.cell.cmp(&a.measured.cell))
    }) else {
        let why = if evidence.bias.curves.is_empty() {
            "no exact trace of a program's allocations is in the records, over which a profile could be simulated"
        } else {
            "no walk with a silent error is in the records of an interpreter with a trace"
        };
        return Finding::not_measured(why);
    };
    let memory = |row: &&&Row| row.bytes.is_tolerated(&row.floor);
    let time = |row: &&Row| row.time.is_tolerated(&row.time_floor);
    let refused: Vec<&Row> = rows.iter().filter(|row| !memory(row)).copied().collect();
    let spared = refused.iter().filter(|row| time(row)).count();
    let (verdict, says) = match (refused.len(), spared) {
        (0, _) => (
            Verdict::Refuted,
            "at the measured rates the profile of bytes tolerates every walker's errors, too",
        ),
        (_, 0) => (
            Verdict::Refuted,
            "what a profile of bytes does not tolerate, a time sampler does not tolerate either",
        ),
        (all, spared) if all == spared => {
            (Verdict::Supported, "a time sampler tolerates what a profile of bytes does not")
        }
        _ => (Verdict::Mixed, "a time sampler tolerates some of what a profile of bytes does not"),
    };
    let percent = |value: f64| format!("{} %", significant(value * 100.0));
    let figure = format!(
        "{} wrong stacks ({}): median error of the top 10 {} [{}, {}], {} without errors; time sampler {}, {} without",
        rate(worst.measured.errors.silent()),
        worst.measured.cell,
        percent(worst.bytes.median),
        percent(worst.bytes.interval.low),
        percent(worst.bytes.interval.high),
        percent(worst.floor.median),
        percent(worst.time.median),
        percent(worst.time_floor.median)
    );
    let sure = Sure {
        counts: vec![
            (rows.len() as u64, "simulated cells"),
            ((rows.len() * PROFILES) as u64, "simulated profiles"),
        ],
        interpreters: rows.iter().map(|row| row.measured.interpreter.clone()).collect(),
        unfinished: super::finding::unfinished(evidence, Kind::Allocations),
    };
    Finding::new(verdict, says, figure)
        .detailed([
            format!(
                "of {} cells with wrong stacks the profile of bytes does not tolerate {}, and of these the time sampler tolerates {spared}",
                rows.len(),
                refused.len()
            ),
            "crashes are not modelled".to_owned(),
        ])
        .resting_on(sure)
        .at("bias")
}

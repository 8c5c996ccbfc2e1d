//! C8: whether a borrowed code pointer can die between the walk and its use.
//!
//! Decided by uses after a delay, in programs that make functions and lose them, where they are in the records. One that is gone is
//! enough. The control, a program that loses none, must have none: where it has one, what is measured is not what is
//! claimed, and nothing is said.
//!
//! Beside it, or alone where no use was measured, stands the existence proof: the program that keeps such a pointer over the death of
//! its function and then looks its name up (known bug P6 of the catalogue, walker `borrowed code`). That is no rate.

use super::evidence::existence;
use super::{Evidence, Finding, Sure, Verdict};
use crate::model::bug::Shown;
use crate::model::cell::{CellStats, Count, worst};
use crate::model::lifetime::{Churn, all, control, delay, gone, gone_of, share, with_loss};
use crate::text::number::{count, grouped};
use sigwalk_record::Kind;

/// What the program is: no walker of ours, but a user of its answer.
const USER: &str = "borrowed code";

/// C8.
pub fn dies(evidence: Evidence) -> Finding {
    let proof = proof(evidence);
    let Some(used) = used(evidence) else { return proof };
    let Finding { figure, sure, .. } = proof;
    let seen = if sure.counts.is_empty() {
        String::new()
    } else {
        format!("the program that lets a function die on purpose shows it in {figure}")
    };
    used.detailed([seen])
}

/// By uses after a delay.
fn used(evidence: Evidence) -> Option<Finding> {
    let churns = all(&evidence.records.lifetimes);
    let (controls, churns): (Vec<&Churn<'_>>, Vec<&Churn<'_>>) =
        churns.iter().partition(|churn| churn.is_control);
    let churns: Vec<_> = churns.into_iter().filter(|churn| churn.sums().1 > 0).collect();
    let first = churns.first()?;
    let sure = Sure::lifetimes(evidence, &churns);
    if let Some(broken) = controls.iter().find(|churn| churn.sums().0 > 0) {
        let why =
            "the control, which loses no function, lost pointers: what was counted is not what is claimed";
        return Some(
            Finding::new(Verdict::NotMeasured, why, broken.interpreter).resting_on(sure).at("lifetime"),
        );
    }
    // The one that loses them soonest, and there the largest share.
    let soonest = churns.iter().filter_map(|churn| Some((*churn, churn.lost()?))).min_by(|a, b| {
        let (a, b) = ((a.1).1, (b.1).1);
        let share = |row| -> f64 { share(gone(row), row.n) };
        a.delay_ns.cmp(&b.delay_ns).then(share(b).total_cmp(&share(a)))
    });
    let with: u64 = churns.iter().flat_map(|churn| &churn.points).map(|row| with_loss(row)).sum();
    let Some((churn, (before, row))) = soonest else {
        let tried = Count { k: with.min(first.trials()), n: churns.iter().map(|churn| churn.trials()).sum() };
        let verdict = existence(tried);
        return Some(
            Finding::new(verdict, "fewer than 1 % of the pointers were gone at any delay", count(tried))
                .resting_on(sure)
                .at("lifetime"),
        );
    };
    let after = before.map_or_else(String::new, |row| format!(", after {},", delay(row.delay_ns)));
    let figure = format!(
        "program {} on {}: {} is the first delay tried{after} at which 1 % or more of the pointers were gone: {} of {} uses, {} processes",
        churn.name(),
        churn.interpreter,
        delay(row.delay_ns),
        gone_of(row),
        grouped(row.n),
        row.trials
    );
    let others = churns.iter().map(|churn| match churn.lost() {
        Some((_, row)) => format!("{} on {}: {}", churn.name(), churn.interpreter, delay(row.delay_ns)),
        None => format!("{} on {}: never within the delays", churn.name(), churn.interpreter),
    });
    let others = format!("1 % gone after: {}", others.collect::<Vec<_>>().join(", "));
    let controls: Vec<String> = controls.iter().map(|churn| control(churn)).collect();
    let says = "it can, once its frame has left, and how soon depends on how soon the program loses its functions; while the walk's own hook ran, none was gone";
    let at_once: u64 = churns
        .iter()
        .flat_map(|churn| &churn.points)
        .filter(|row| row.delay_ns == 0)
        .map(|row| gone(row))
        .sum();
    let says = if at_once == 0 { says } else { "it can, and even while the walk's own hook used it" };
    Some(
        Finding::new(Verdict::Supported, says, figure)
            .detailed([others, format!("control: {}", controls.join("; "))])
            .resting_on(sure)
            .at("lifetime"),
    )
}

fn died(cell: &CellStats) -> Count {
    let Some(bug) = &cell.cell.bug else { return Count { k: 0, n: cell.n() } };
    Shown { cell, bug }.count()
}

/// By the program that lets the function die on purpose.
fn proof(evidence: Evidence) -> Finding {
    let cells = evidence.cells(&["program"], |walker| walker == USER);
    let Some((cell, found)) = worst(&cells, |cell| Some(died(cell))) else {
        return Finding::not_measured(
            "no record carries the state of a code object some time after its walk",
        );
    };
    let verdict = match existence(found) {
        // Where the program does not show it, the pointer was lucky: that it cannot die does not follow.
        Verdict::Refuted => Verdict::NotMeasured,
        verdict => verdict,
    };
    let says = match verdict {
        Verdict::Supported => {
            "a pointer that was kept while its function died, on purpose, led to another function or to a crash: it can; how often it does is not measured"
        }
        _ => "the program that keeps such a pointer met no dead one",
    };
    let seen = cells.iter().filter(|cell| died(cell).k > 0).count();
    Finding::new(verdict, says, format!("{} ({})", count(found), cell.cell.interpreter))
        .detailed([
            format!("seen on {seen} of {} builds", cells.len()),
            "the program lets the function die on purpose: it shows that a pointer can die, and how often one does after which delay is not measured".to_owned(),
        ])
        .resting_on(Sure::trials(&cells))
        .at("bugs")
}

impl Sure {
    /// Processes in which borrowed pointers were used.
    fn lifetimes(evidence: Evidence<'_>, churns: &[&Churn<'_>]) -> Self {
        Self {
            counts: vec![(
                churns.iter().map(|churn| churn.trials()).sum(),
                "processes with uses of pointers",
            )],
            interpreters: churns.iter().map(|churn| churn.interpreter.to_owned()).collect(),
            unfinished: super::finding::unfinished(evidence, Kind::Lifetimes),
        }
    }
}

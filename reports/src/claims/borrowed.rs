//! C8: whether a borrowed code pointer can die between the walk and its use.
//!
//! Decided by the program that keeps such a pointer over the death of its function and then looks its name up (known bug P6 of the
//! catalogue, walker `borrowed code`). That is an existence proof and no rate: how often a pointer dies within a given delay is
//! in no record.

use super::evidence::existence;
use super::{Evidence, Finding, Sure, Verdict};
use crate::model::bug::Shown;
use crate::model::cell::{CellStats, Count, worst};
use crate::text::number::count;

/// What the program is: no walker of ours, but a user of its answer.
const USER: &str = "borrowed code";

fn died(cell: &CellStats) -> Count {
    let Some(bug) = &cell.cell.bug else { return Count { k: 0, n: cell.n() } };
    Shown { cell, bug }.count()
}

/// C8.
pub fn dies(evidence: Evidence) -> Finding {
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

//! The table that a reviewer reads first: one row a walker, with the columns that reviews of stack walkers in CPython use.
//!
//! Cells differ in target, so they are compared and not added up: a share is that of the walker's worst cell in this workload.

use super::number::{grouped, rate};
use super::table::Table;
use crate::model::Model;
use crate::model::cell::{CellStats, Count, Event, worst};
use crate::model::cost::Row;
use sigwalk_record::What;
use std::collections::BTreeMap;

/// What stands above the table.
pub const KEY: &str = "trials: of all targets. errors, impossible, crash: of the target that was worst in it; an error is a trial whose \
worst outcome the walker itself reported (cut, refused, recovered from a fault), impossible a wrong stack that it did not. ≤95%: upper \
bound of the crash; stepped and interleaved walks are no sample, and have none. µs p50: a walk of 100 frames with lines (faulthandler: with names, to /dev/null).";

/// One row a (interpreter, workload, walker).
pub fn walkers(model: &Model) -> Table {
    let head =
        ["python", "workload", "walker", "trials", "µs p50", "errors %", "impossible %", "crash k/n", "≤95%"];
    let mut table = Table::new(3, &head);
    let mut rows = BTreeMap::<_, Vec<&CellStats>>::new();
    // What a walk makes of frames that were damaged on purpose is no rate of healthy ones.
    let healthy = |cell: &&CellStats| cell.n() > 0 && cell.cell.fault.is_empty();
    for cell in model.records.cells.values().filter(healthy) {
        let of = &cell.cell;
        rows.entry((&of.interpreter, &of.workload, &of.walker)).or_default().push(cell);
    }
    for ((interpreter, workload, walker), cells) in rows {
        let of_worst =
            |count: &dyn Fn(&CellStats) -> Option<Count>| worst(&cells, count).map(|found| found.1);
        let crash = of_worst(&|cell| cell.judged(Event::CrashFrame));
        table.row(vec![
            interpreter.clone(),
            workload.clone(),
            walker.clone(),
            grouped(cells.iter().map(|cell| cell.n()).sum()),
            microseconds(model, interpreter, walker),
            percent(of_worst(&|cell| cell.cell.judged.then(|| cell.reported()))),
            percent(of_worst(&|cell| cell.judged(Event::Impossible))),
            crash.map_or_else(|| "–".to_owned(), |crash| format!("{}/{}", crash.k, crash.n)),
            crash.filter(|_| is_sample(workload)).map_or_else(|| "–".to_owned(), |crash| rate(crash.bound())),
        ]);
    }
    table
}

/// Where the moment of a walk is no sample, a count is no rate, and no bound belongs to it.
fn is_sample(workload: &str) -> bool {
    !matches!(workload, "step" | "interleave")
}

/// `3.80`; where nobody judges, that is no zero.
fn percent(count: Option<Count>) -> String {
    count.map_or_else(
        || "not judged".to_owned(),
        |Count { k, n }| format!("{:.2}", 100.0 * k as f64 / n.max(1) as f64),
    )
}

/// Median of a walk at depth 100.
fn microseconds(model: &Model, interpreter: &str, walker: &str) -> String {
    let subject = match walker {
        "faulthandler" => "dump_traceback".to_owned(),
        walker => walker.replace('-', "_"),
    };
    let timed = |what: What, sink: &str| {
        model.cost.iter().find(|row| {
            let key = &row.key;
            (key.interpreter.as_str(), key.subject.as_str(), key.depth)
                == (interpreter, subject.as_str(), 100)
                && (key.what, key.sink.as_str()) == (what, sink)
        })
    };
    let found = timed(What::Line, "").or_else(|| timed(What::Names, "/dev/null"));
    let walk = |row: &Row| Some(row.ns_per_frame.value * *row.frames.first()? as f64 / 1000.0);
    found.and_then(walk).map_or_else(|| "–".to_owned(), |us| format!("{us:.1}"))
}

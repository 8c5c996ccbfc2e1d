//! The section "Compared with the baseline".

use super::table::{Status, Table, Td};
use crate::compare::{Comparison, Weight};
use crate::model::Model;
use crate::text::compare::{both, difference, ratio, rest, test, times};
use crate::text::number::{fraction, significant};

/// What the template draws.
#[derive(Debug)]
pub struct Compared {
    pub line: String,
    /// Whether it makes the runs incomparable, and why.
    pub reasons: Vec<(bool, String)>,
    pub environment: Table,
    pub rates: Table,
    pub costs: Table,
    pub means: Table,
    pub rest: String,
}

/// Nothing without a baseline; at most `most` rows in a table.
pub fn section(model: &Model, most: usize) -> Option<Compared> {
    let comparison = model.comparison.as_ref()?;
    let mut section = Compared {
        line: comparison.line(),
        reasons: comparison
            .reasons
            .iter()
            .map(|reason| (reason.weight == Weight::NotComparable, reason.text.clone()))
            .collect(),
        environment: environment(comparison),
        rates: rates(comparison),
        costs: costs(comparison),
        means: means(comparison),
        rest: rest(comparison),
    };
    for table in [&mut section.environment, &mut section.rates, &mut section.costs, &mut section.means] {
        table.cut(most.min(200));
    }
    Some(section)
}

fn environment(comparison: &Comparison) -> Table {
    let mut table =
        Table::new("What differs around the runs", 4, &["field", "interpreter", "baseline", "here"]);
    for field in &comparison.environment {
        let value = |value: &String| {
            if value.is_empty() {
                Td::text("not recorded").status(Status::Absent)
            } else {
                Td::code(value.clone())
            }
        };
        table.row(
            "",
            Td::text(field.field.clone()),
            vec![Td::text(both(&field.tags)), value(&field.base), value(&field.new)],
        );
    }
    table
}

fn rates(comparison: &Comparison) -> Table {
    let head = [
        "event",
        "interpreter",
        "workload",
        "target",
        "walker",
        "again",
        "baseline",
        "here",
        "difference",
        "adjusted p",
    ];
    let mut table = Table::new("Rates that differ from the baseline's", 6, &head);
    for row in comparison.different_rates() {
        let status = if row.difference() > 0.0 { Status::Bad } else { Status::Good };
        let again = Td {
            lines: row.seen.iter().map(|seen| seen.replay.clone()).collect(),
            code: true,
            ..Td::default()
        };
        table.row(
            "",
            Td::text(row.event.1.replace('_', " ")),
            vec![
                Td::text(both(&row.tags)),
                Td::text(row.workload.clone()),
                Td::text(row.target.clone()).small(row.params.clone()),
                Td::text(both(&row.walkers)),
                again,
                Td::num(fraction(row.counts[0])),
                Td::num(fraction(row.counts[1])).small(test(row)),
                Td::num(difference(row)).status(status),
                Td::num(significant(row.adjusted)),
            ],
        );
    }
    table
}

fn costs(comparison: &Comparison) -> Table {
    let head = [
        "subject",
        "interpreter",
        "stack",
        "what",
        "depth",
        "baseline, ns",
        "here, ns",
        "ratio [95 %]",
        "adjusted p",
    ];
    let mut table = Table::new("Costs that differ from the baseline's, nanoseconds per frame", 4, &head);
    for row in comparison.different_costs() {
        let status = if row.ratio.value > 1.0 { Status::Bad } else { Status::Good };
        table.row(
            "",
            Td::text(both(&row.subjects)),
            vec![
                Td::text(both(&row.tags)),
                Td::text(if row.stack.is_empty() { "made to a depth".to_owned() } else { row.stack.clone() }),
                Td::text(row.what),
                Td::num(row.depth.to_string()),
                Td::num(significant(row.ns[0])),
                Td::num(significant(row.ns[1])),
                Td::num(ratio(row))
                    .small(format!("{} and {} processes", row.processes[0], row.processes[1]))
                    .status(status),
                Td::num(significant(row.adjusted)),
            ],
        );
    }
    table
}

fn means(comparison: &Comparison) -> Table {
    let head = ["subject", "interpreter", "rows", "geometric mean of ratios"];
    let mut table = Table::new("Geometric means of all cost ratios of a subject", 2, &head);
    for mean in &comparison.means {
        table.row(
            "",
            Td::text(both(&mean.subjects)),
            vec![Td::text(both(&mean.tags)), Td::num(mean.rows.to_string()), Td::num(times(mean.value))],
        );
    }
    table
}

//! What wrong stacks do to a profile that is scaled up.

use super::figure::Figure;
use super::order;
use super::table::{Status, Table, Td};
use crate::bias::{Bias, Error, PROFILES, Row};
use crate::failure::Failure;
use crate::plot;
use crate::text::anchor;
use crate::text::number::{grouped, rate, significant};

/// Figures and the table.
#[derive(Debug)]
pub struct Section {
    /// A curve a program.
    pub figures: Vec<Figure>,
    /// Walkers.
    pub table: Table,
}

/// Nothing without traces; at most `most` rows.
///
/// # Errors
/// Only a defect: a figure failed.
pub fn section(bias: &Bias, most: usize) -> Result<Option<Section>, Failure> {
    if bias.curves.is_empty() {
        return Ok(None);
    }
    let mut figures = Vec::new();
    for curve in &bias.curves {
        let id = anchor("bias", &format!("{}/{}", curve.interpreter, curve.program));
        let walkers: Vec<(f64, f64)> = bias
            .rows
            .iter()
            .filter(|row| row.measured.interpreter == curve.interpreter && row.program == curve.program)
            .filter(|row| row.measured.errors.silent() > 0.0)
            .map(|row| (row.measured.errors.silent(), row.bytes.median))
            .collect();
        figures.push(Figure {
            svg: plot::bias(&format!("{id}-figure"), curve, &walkers)?,
            id,
            caption: format!(
                "{} on {}: {} MiB, {} samples a profile",
                curve.program,
                curve.interpreter,
                grouped(curve.bytes >> 20),
                grouped(curve.samples.round() as u64)
            ),
            table: Table::default(),
        });
    }
    Ok(Some(Section { figures, table: table(bias, most) }))
}

fn percent(value: f64) -> String {
    format!("{} %", significant(value * 100.0))
}

fn said(error: &Error, floor: &Error) -> Td {
    let tolerated = if error.is_tolerated(floor) { "tolerated" } else { "not tolerated" };
    let text = format!(
        "{} [{}, {}]",
        percent(error.median),
        percent(error.interval.low),
        percent(error.interval.high)
    );
    let td = Td::num(text).small(format!(
        "{tolerated}; without errors {}; intruders in {} of the profiles",
        percent(floor.median),
        rate(error.intruders())
    ));
    if error.is_tolerated(floor) { td } else { td.status(Status::Silent) }
}

fn table(bias: &Bias, most: usize) -> Table {
    let caption = format!(
        "Median relative error of the top 10 places over {PROFILES} simulated profiles, and where 95 % of these are, with each walker's measured errors"
    );
    let head = [
        "walker",
        "workload",
        "interpreter",
        "program",
        "silently wrong",
        "reported",
        "profile of bytes",
        "time sampler",
    ];
    let mut table = Table::new(caption, 4, &head);
    // Rows that differ from the floor first: most rows have no errors.
    let mut rows: Vec<&Row> = bias.rows.iter().collect();
    rows.sort_by(|a, b| {
        b.measured.errors.silent().total_cmp(&a.measured.errors.silent()).then_with(|| {
            let key = |row: &Row| {
                (order::rank(&row.measured.walker).0, row.measured.cell.clone(), row.program.clone())
            };
            key(a).cmp(&key(b))
        })
    });
    for row in rows {
        let measured = &row.measured;
        table.row(
            "",
            Td::text(measured.walker.clone()).small(format!("{} target: {}", measured.which, measured.cell)),
            vec![
                Td::text(measured.workload.clone()),
                Td::text(measured.interpreter.clone()),
                Td::text(row.program.clone()),
                Td::num(rate(measured.errors.silent())),
                Td::num(rate(measured.errors.reported)),
                said(&row.bytes, &row.floor),
                said(&row.time, &row.time_floor),
            ],
        );
    }
    table.cut(most);
    table
}

//! What wrong stacks do to a profile that is scaled up, as programs read it: see `bias.rs`.

use crate::bias::{Bias, Error, Errors};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub struct Row<'a> {
    interpreter: &'a str,
    program: &'a str,
    workload: &'a str,
    walker: &'a str,
    /// `worst` or `median` of the targets.
    which: &'a str,
    /// The cell whose errors they are.
    cell: &'a str,
    /// Shares of walks.
    silent: f64,
    reported: f64,
    bytes: Found,
    bytes_floor: Found,
    time: Found,
    time_floor: Found,
}

/// Relative error of the first ten places: median and 95 % of the profiles.
#[derive(Serialize, JsonSchema)]
struct Found {
    median: f64,
    low: f64,
    high: f64,
    /// Share of profiles with a place from outside the true first twenty among the first ten.
    intruded: f64,
    tolerated: bool,
}

fn found(error: &Error, floor: &Error) -> Found {
    Found {
        median: super::stable(error.median),
        low: super::stable(error.interval.low),
        high: super::stable(error.interval.high),
        intruded: super::stable(error.intruders()),
        tolerated: error.is_tolerated(floor),
    }
}

/// All rows.
pub fn rows<'a>(bias: &'a Bias) -> Vec<Row<'a>> {
    let row = |row: &'a crate::bias::Row| {
        let errors: &Errors = &row.measured.errors;
        Row {
            interpreter: &row.measured.interpreter,
            program: &row.program,
            workload: &row.measured.workload,
            walker: &row.measured.walker,
            which: row.measured.which,
            cell: &row.measured.cell,
            silent: super::stable(errors.silent()),
            reported: super::stable(errors.reported),
            bytes: found(&row.bytes, &row.floor),
            bytes_floor: found(&row.floor, &row.floor),
            time: found(&row.time, &row.time_floor),
            time_floor: found(&row.time_floor, &row.time_floor),
        }
    };
    bias.rows.iter().map(row).collect()
}

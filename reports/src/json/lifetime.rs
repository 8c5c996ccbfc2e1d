//! What became of borrowed code pointers, as programs read it: one entry a program, technique and delay.

use crate::model::lifetime::{gone, interval, with_loss};
use crate::model::records::Records;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub struct Lifetime<'a> {
    interpreter: &'a str,
    churn: &'a str,
    control: bool,
    technique: &'a str,
    delay_ns: u64,
    passed_ns: u64,
    made_per_second: u64,
    trials: u64,
    n: u64,
    alive: u64,
    dead: u64,
    recycled: u64,
    wrong: u64,
    gone: Gone,
    noticed: u64,
    false_alarms: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    not_available: &'a str,
}

/// Uses of what was not alive; the interval is by processes.
#[derive(Serialize, JsonSchema)]
struct Gone {
    k: u64,
    n: u64,
    low: f64,
    high: f64,
    /// Processes with at least one.
    trials: u64,
}

/// All of them, in the order of the records.
pub fn lifetimes(records: &Records) -> Vec<Lifetime<'_>> {
    records.lifetimes.iter().map(lifetime).collect()
}

fn lifetime(row: &sigwalk_record::Lifetime) -> Lifetime<'_> {
    let interval = interval(row);
    Lifetime {
        interpreter: &row.interpreter,
        churn: &row.churn,
        control: row.is_control(),
        technique: &row.technique,
        delay_ns: row.delay_ns,
        passed_ns: row.passed_ns,
        made_per_second: row.made_per_second,
        trials: row.trials,
        n: row.n,
        alive: row.alive,
        dead: row.dead,
        recycled: row.recycled,
        wrong: row.wrong,
        gone: Gone {
            k: gone(row),
            n: row.n,
            low: super::stable(interval.low),
            high: super::stable(interval.high),
            trials: with_loss(row),
        },
        noticed: row.noticed,
        false_alarms: row.false_alarms,
        not_available: &row.not_available,
    }
}

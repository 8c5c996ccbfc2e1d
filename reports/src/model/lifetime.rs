//! What became of borrowed code pointers, by interpreter and churn.

use super::tag;
use crate::stats::{Interval, clustered, zero_event_bound};
use crate::text::number::{grouped, rate, rate_low};
use sigwalk_record::Lifetime;
use std::collections::BTreeMap;

/// Share of pointers at which one speaks of a loss.
pub const LOSS: f64 = 0.01;

/// One program on one interpreter.
#[derive(Debug)]
pub struct Churn<'a> {
    /// Tag.
    pub interpreter: &'a str,
    /// What the program does.
    pub churn: &'a str,
    /// Whether it makes nothing, so that nothing can die.
    pub is_control: bool,
    /// Uses by delay, shortest first, when nothing is done about it.
    pub points: Vec<&'a Lifetime>,
    /// What the techniques told, over all delays.
    pub told: Vec<Told<'a>>,
}

/// A technique over all delays of a program.
#[derive(Debug, Default)]
pub struct Told<'a> {
    /// Its name.
    pub technique: &'a str,
    /// Uses of what was not alive.
    pub gone: u64,
    /// Of these, told.
    pub noticed: u64,
    /// Uses of what was alive.
    pub alive: u64,
    /// Of these, called dead.
    pub false_alarms: u64,
    /// Why it could not be measured.
    pub not_available: &'a str,
}

/// Uses of what was not alive any more.
pub fn gone(row: &Lifetime) -> u64 {
    row.n - row.alive
}

/// Processes with at least one such use.
pub fn with_loss(row: &Lifetime) -> u64 {
    row.by_trial.iter().filter(|[gone, _]| *gone > 0).count() as u64
}

/// Interval of their share.
pub fn interval(row: &Lifetime) -> Interval {
    clustered::interval(&row.by_trial)
}

/// The share.
pub fn share(k: u64, n: u64) -> f64 {
    k as f64 / n.max(1) as f64
}

/// `0 ns`, `10 µs`, `1 s`
pub fn delay(nanoseconds: u64) -> String {
    let (unit, name) = match nanoseconds {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    format!("{} {name}", nanoseconds / unit)
}

impl Churn<'_> {
    /// `exec` of `exec: functions by …`
    pub fn name(&self) -> &str {
        self.churn.split(':').next().unwrap_or_default()
    }

    /// The shortest delay after which [`LOSS`] of the pointers are gone, and the one before it.
    pub fn lost(&self) -> Option<(Option<&Lifetime>, &Lifetime)> {
        let at = self.points.iter().position(|row| row.n > 0 && share(gone(row), row.n) >= LOSS)?;
        Some((at.checked_sub(1).map(|before| self.points[before]), self.points[at]))
    }

    /// Uses and those of what was gone, over all delays.
    pub fn sums(&self) -> (u64, u64) {
        (self.points.iter().map(|row| gone(row)).sum(), self.points.iter().map(|row| row.n).sum())
    }

    /// Processes; the delays of one share them.
    pub fn trials(&self) -> u64 {
        self.points.iter().map(|row| row.trials).max().unwrap_or_default()
    }
}

/// `3.15.0: 0/51 000 uses gone, in 0 of 20 processes (≤ 14 %)`
pub fn control(churn: &Churn<'_>) -> String {
    let (gone, n) = churn.sums();
    // A process counts once, however many of its delays had one: no fewer than the worst delay's.
    let with = churn.points.iter().map(|row| with_loss(row)).max().unwrap_or_default();
    let bound = match with {
        0 => format!(" (≤ {})", rate(zero_event_bound(churn.trials()))),
        _ => String::new(),
    };
    format!(
        "{}: {}/{} uses gone, in {with} of {} processes{bound}",
        churn.interpreter,
        grouped(gone),
        grouped(n),
        churn.trials()
    )
}

/// `24 % [23 %, 26 %]`, or a bound.
pub fn gone_of(row: &Lifetime) -> String {
    let (k, interval) = (gone(row), interval(row));
    match k {
        _ if row.n == 0 => "–".to_owned(),
        0 => format!("0 (≤ {})", rate(interval.high)),
        _ => format!("{} [{}, {}]", rate(share(k, row.n)), rate_low(interval.low), rate(interval.high)),
    }
}

/// All programs of all interpreters: oldest interpreter first, its control last.
pub fn all(rows: &[Lifetime]) -> Vec<Churn<'_>> {
    let mut groups = BTreeMap::<(Vec<u64>, &str, bool, &str), Vec<&Lifetime>>::new();
    for row in rows {
        let key =
            (tag::version(&row.interpreter), row.interpreter.as_str(), row.is_control(), row.churn.as_str());
        groups.entry(key).or_default().push(row);
    }
    let mut churns = Vec::new();
    for ((_, interpreter, is_control, churn), rows) in groups {
        let mut points: Vec<&Lifetime> = rows.iter().copied().filter(|row| row.technique == "none").collect();
        points.sort_by_key(|row| row.delay_ns);
        churns.push(Churn { interpreter, churn, is_control, points, told: told(&rows) });
    }
    churns
}

fn told<'a>(rows: &[&'a Lifetime]) -> Vec<Told<'a>> {
    // In the order of the records: each technique costs more than the one before.
    let mut all: Vec<Told<'a>> = Vec::new();
    for row in rows.iter().filter(|row| row.technique != "none") {
        let at = all.iter().position(|told| told.technique == row.technique).unwrap_or_else(|| {
            all.push(Told { technique: &row.technique, ..Told::default() });
            all.len() - 1
        });
        let told = &mut all[at];
        told.gone += gone(row);
        told.alive += row.alive;
        told.noticed += row.noticed;
        told.false_alarms += row.false_alarms;
        if !row.not_available.is_empty() {
            told.not_available = &row.not_available;
        }
    }
    all
}

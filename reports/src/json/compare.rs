//! A comparison, as programs read it: `report compare --json`, and `compare` of `summary.json`.

use super::stable;
use crate::compare::{Comparison, CostRow, Gate, LEVEL, NOISE, RateRow, Test, Weight};
use crate::failure::Failure;
use crate::model::cell::Count;
use schemars::JsonSchema;
use serde::Serialize;

/// Version of this part.
pub const SCHEMA: u32 = 1;

/// What `report compare --json` prints.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    schema: u32,
    compare: Compared<'a>,
    /// Only where there is a gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Held<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Held<'a> {
    percent: f64,
    holds: bool,
    rates: Vec<Rate<'a>>,
    costs: Vec<Cost<'a>>,
}

#[derive(Serialize, JsonSchema)]
pub struct Compared<'a> {
    line: String,
    /// Base, new.
    interpreters: &'a [[String; 2]],
    comparable: bool,
    reasons: Vec<Reason<'a>>,
    environment: Vec<Field<'a>>,
    /// Adjusted p-values up to this are called a difference.
    level: f64,
    /// A cost must differ by this factor besides.
    noise: f64,
    cells: Cells,
    rate_tests: usize,
    /// Those in which the event was seen on some side; in all others, both are 0.
    rates: Vec<Rate<'a>>,
    assignments: usize,
    /// The smallest adjusted p-value that a cost could have had.
    least_adjusted: f64,
    costs: Vec<Cost<'a>>,
    geometric_means: Vec<Mean<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Reason<'a> {
    comparable: bool,
    text: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Field<'a> {
    interpreters: &'a [String; 2],
    field: &'a str,
    base: &'a str,
    new: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Cells {
    compared: usize,
    only_base: usize,
    only_new: usize,
}

#[derive(Serialize, JsonSchema)]
struct KOfN {
    k: u64,
    n: u64,
}

#[derive(Serialize, JsonSchema)]
struct Rate<'a> {
    interpreters: &'a [String; 2],
    workload: &'a str,
    walkers: &'a [String; 2],
    target: &'a str,
    params: &'a str,
    event: &'a str,
    base: KOfN,
    new: KOfN,
    left_out: u64,
    /// New less base.
    difference: f64,
    low: f64,
    high: f64,
    test: &'static str,
    /// Pairs in which only base, only new had the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<[u64; 2]>,
    p: f64,
    adjusted: f64,
    differs: bool,
    trials: Vec<Seen<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Seen<'a> {
    seed: String,
    side: &'static str,
    replay: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Cost<'a> {
    interpreters: &'a [String; 2],
    stack: &'a str,
    subjects: &'a [String; 2],
    what: &'a str,
    depth: u64,
    base_ns_per_frame: f64,
    new_ns_per_frame: f64,
    processes: [usize; 2],
    ratio: f64,
    /// Its own 95 % interval; null where a side has one process only.
    low: Option<f64>,
    high: Option<f64>,
    adjusted: f64,
    differs: bool,
}

#[derive(Serialize, JsonSchema)]
struct Mean<'a> {
    interpreters: &'a [String; 2],
    subjects: &'a [String; 2],
    rows: usize,
    ratio: f64,
}

/// The whole document of `report compare --json`.
///
/// # Errors
/// Only a defect.
pub fn comparison(comparison: &Comparison, gate: Option<&Gate<'_>>) -> Result<String, Failure> {
    let document = Document { schema: SCHEMA, compare: compared(comparison), gate: gate.map(held) };
    let text = serde_json::to_string_pretty(&document).map_err(Failure::internal)?;
    Ok(text + "\n")
}

fn held<'a>(gate: &Gate<'a>) -> Held<'a> {
    Held {
        percent: gate.percent,
        holds: gate.holds(),
        rates: gate.rates.iter().copied().map(rate).collect(),
        costs: gate.costs.iter().copied().map(cost).collect(),
    }
}

/// The part of `summary.json`.
pub fn compared(comparison: &Comparison) -> Compared<'_> {
    let (compared, [only_base, only_new]) = comparison.cells;
    Compared {
        line: comparison.line(),
        interpreters: &comparison.tags,
        comparable: comparison.reasons.iter().all(|reason| reason.weight != Weight::NotComparable),
        reasons: comparison
            .reasons
            .iter()
            .map(|reason| Reason { comparable: reason.weight != Weight::NotComparable, text: &reason.text })
            .collect(),
        environment: comparison
            .environment
            .iter()
            .map(|field| Field {
                interpreters: &field.tags,
                field: &field.field,
                base: &field.base,
                new: &field.new,
            })
            .collect(),
        level: LEVEL,
        noise: NOISE,
        cells: Cells { compared, only_base, only_new },
        rate_tests: comparison.rate_tests,
        rates: comparison.rates.iter().filter(|row| row.is_seen()).map(rate).collect(),
        assignments: comparison.assignments,
        least_adjusted: stable(comparison.least),
        costs: comparison.costs.iter().map(cost).collect(),
        geometric_means: comparison
            .means
            .iter()
            .map(|mean| Mean {
                interpreters: &mean.tags,
                subjects: &mean.subjects,
                rows: mean.rows,
                ratio: stable(mean.value),
            })
            .collect(),
    }
}

fn rate(row: &RateRow) -> Rate<'_> {
    let k_of_n = |count: Count| KOfN { k: count.k, n: count.n };
    let (test, only) = match row.test {
        Test::Pairs { only, exact: true } => ("mcnemar_exact_pairs", Some(only)),
        Test::Pairs { only, exact: false } => ("mcnemar_pairs_by_name", Some(only)),
        Test::Apart => ("fisher", None),
        Test::Once => ("none", None),
    };
    Rate {
        interpreters: &row.tags,
        workload: &row.workload,
        walkers: &row.walkers,
        target: &row.target,
        params: &row.params,
        event: row.event.1,
        base: k_of_n(row.counts[0]),
        new: k_of_n(row.counts[1]),
        left_out: row.left_out,
        difference: stable(row.difference()),
        low: stable(row.interval.low),
        high: stable(row.interval.high),
        test,
        only,
        p: stable(row.p),
        adjusted: stable(row.adjusted),
        differs: row.differs(),
        trials: row
            .seen
            .iter()
            .map(|seen| Seen {
                seed: format!("{:016x}", seen.seed),
                side: if seen.in_new { "new" } else { "base" },
                replay: &seen.replay,
            })
            .collect(),
    }
}

fn cost(row: &CostRow) -> Cost<'_> {
    let end = |value: f64| (value.is_finite() && row.ratio.interval.high.is_finite()).then(|| stable(value));
    Cost {
        interpreters: &row.tags,
        stack: &row.stack,
        subjects: &row.subjects,
        what: row.what,
        depth: row.depth,
        base_ns_per_frame: stable(row.ns[0]),
        new_ns_per_frame: stable(row.ns[1]),
        processes: row.processes,
        ratio: stable(row.ratio.value),
        low: end(row.ratio.interval.low),
        high: end(row.ratio.interval.high),
        adjusted: stable(row.adjusted),
        differs: row.differs(),
    }
}

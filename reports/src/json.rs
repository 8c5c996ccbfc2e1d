//! `summary.json`: what programs read. Keys stand in a fixed order; lists are sorted by what they are about.

mod bias;
mod coexistence;
mod compare;
mod heuristics;
mod lifetime;
mod same_seeds;
mod stepping;

use crate::failure::Failure;
use crate::model::cell::{CellStats, Count, Event};
use crate::model::cost::CountKey;
use crate::model::mutation::{COLUMNS, SILENT};
use crate::model::ratio::Target;
use crate::model::{Model, bug};
use crate::stats::Interval;
use coexistence::{Beside, coexistence};
#[cfg(test)]
pub use compare::SCHEMA as COMPARE_SCHEMA;
use compare::{Compared, compared};
pub use compare::{Document, comparison};
use heuristics::{Heuristics, heuristics};
use lifetime::{Lifetime, lifetimes};
use same_seeds::{SameSeeds, same_seeds};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use sigwalk_record::{Contract, Environment, Interpreter};
use std::collections::BTreeMap;
use stepping::{Stepping, stepping};

/// Version of `summary.json` itself.
pub const SCHEMA: u32 = 2;

/// Above this size, single rows of mutations leave to the records what [`Detail`] says.
const LARGEST: usize = 2 << 20;

/// How much of a single row of mutations is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Their sums only: see `heuristics`.
    Sums,
    /// Rates that are not 0; one that is missing is 0 of `n`.
    Seen,
    /// All rates, without the load at which each walk would have crashed.
    Rates,
    /// Everything.
    Whole,
}

impl Detail {
    fn left_out(self) -> &'static [&'static str] {
        match self {
            Detail::Whole => &[],
            Detail::Rates => &["mutations[].crash_sites"],
            Detail::Sums => &["mutations[]"],
            Detail::Seen => &["mutations[].crash_sites", "mutations[].rates of 0/n"],
        }
    }
}

/// The whole file.
#[derive(Serialize, JsonSchema)]
pub struct Summary<'a> {
    schema: u32,
    verdict: &'a str,
    verdict_line: &'a str,
    reasons: &'a [String],
    notices: &'a [String],
    /// What stands in the records and not here, to keep the file small.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [&'a str],
    /// Of the first interpreter; every interpreter carries its own too.
    environment: Option<&'a Environment>,
    interpreters: Vec<Build<'a>>,
    claims: Vec<Ordered<Value>>,
    /// Against the baseline: see `json/compare.rs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    compare: Option<Compared<'a>>,
    cells: Vec<Cell<'a>>,
    cost: Vec<Cost<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counts: Vec<Ordered<Value>>,
    /// Walkers on the same seeds: families of tests, and the comparisons in which some pair differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_seeds: Option<SameSeeds<'a>>,
    ratios: Vec<Ordered<Value>>,
    /// Walks beside other owners of signals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coexistence: Vec<Beside<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known_bugs: Vec<Ordered<Value>>,
    /// Rows of contract.jsonl.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    contract: &'a [Contract],
    /// One a (interpreter, walker, field, model).
    mutations: Vec<Mutation<'a>>,
    /// Sums of these, checks, injection, freed memory and fuzzing: see `json/heuristics.rs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    heuristics: Option<Heuristics<'a>>,
    /// Borrowed code pointers, by interpreter, program, technique and delay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lifetimes: Vec<Lifetime<'a>>,
    /// Simulated profiles with each walker's measured errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bias: Vec<bias::Row<'a>>,
    buckets: Vec<Ordered<Value>>,
}

#[derive(Serialize, JsonSchema)]
struct Build<'a> {
    #[serde(flatten)]
    interpreter: &'a Interpreter,
    environment: &'a Environment,
}

#[derive(Serialize, JsonSchema)]
struct Rate {
    k: u64,
    n: u64,
    low: f64,
    high: f64,
}

#[derive(Serialize, JsonSchema)]
struct Cell<'a> {
    id: &'a str,
    interpreter: &'a str,
    workload: &'a str,
    walker: &'a str,
    target: &'a str,
    fault: &'a str,
    params: &'a BTreeMap<String, String>,
    n: u64,
    declared: u64,
    walks: u64,
    #[serde(skip_serializing_if = "is_zero")]
    missed: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ids: &'a [String],
    judged: bool,
    not_available: &'a str,
    outcomes: BTreeMap<&'static str, u64>,
    rates: Ordered<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stepping: Option<Stepping<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Mutation<'a> {
    interpreter: &'a str,
    walker: &'a str,
    field: &'a str,
    model: &'a str,
    n: u64,
    stacks: u64,
    /// Every outcome once; `silent` is the sum of its kinds.
    rates: Ordered<Rate>,
    /// Silent answers by kind: splice, wrong_code, wrong_line, prefix, wrong_name. A kind that did not happen is left out.
    #[serde(skip_serializing_if = "no_kind")]
    silent: Ordered<u64>,
    /// Hops of the longest walk that was cut as endless; left out where there was none.
    #[serde(skip_serializing_if = "is_zero")]
    hops: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_sites: Option<&'a BTreeMap<String, u64>>,
}

#[derive(Serialize, JsonSchema)]
struct Cost<'a> {
    interpreter: &'a str,
    subject: &'a str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
    sink: &'a str,
    depth: u64,
    ns_per_frame: f64,
    low: f64,
    high: f64,
    processes: usize,
    samples: usize,
}

/// A map in the order it was made: severity, which no sorting by name would keep.
pub struct Ordered<T>(Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<T: JsonSchema> JsonSchema for Ordered<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

/// The whole file.
///
/// # Errors
/// Only when a number is not finite, which is a defect.
pub fn summary(model: &Model) -> Result<String, Failure> {
    for (detail, most) in [(Detail::Whole, LARGEST), (Detail::Rates, LARGEST), (Detail::Seen, 4 * LARGEST)] {
        let text = written(model, detail)?;
        if text.len() <= most {
            return Ok(text);
        }
    }
    written(model, Detail::Sums)
}

fn written(model: &Model, detail: Detail) -> Result<String, Failure> {
    let records = &model.records;
    let summary = Summary {
        schema: SCHEMA,
        verdict: model.verdict.word,
        verdict_line: &model.verdict.line,
        reasons: &model.verdict.reasons,
        notices: &records.notices,
        left_out: detail.left_out(),
        environment: records.builds.values().next().map(|build| &build.environment),
        interpreters: records
            .builds
            .values()
            .map(|build| Build { interpreter: &build.interpreter, environment: &build.environment })
            .collect(),
        claims: model.claims.iter().map(claim).collect(),
        compare: model.comparison.as_ref().map(compared),
        cells: records.cells.values().map(cell).collect(),
        cost: model
            .cost
            .iter()
            .map(|row| cost(None, row))
            .chain(model.stacks.iter().map(|(stack, row)| cost(Some(stack), row)))
            .collect(),
        counts: records.cost.counts.iter().map(count).collect(),
        same_seeds: same_seeds(model),
        ratios: model.ratios.iter().map(ratio).collect(),
        contract: &records.contracts,
        coexistence: coexistence(model),
        known_bugs: bug::matrix(records)
            .rows
            .iter()
            .flat_map(|row| row.shown.iter().flatten())
            .map(known_bug)
            .collect(),
        lifetimes: lifetimes(records),
        bias: bias::rows(&model.bias),
        mutations: records
            .mutations
            .0
            .values()
            .filter(|_| detail > Detail::Sums)
            .map(|row| mutation(row, detail))
            .collect(),
        heuristics: heuristics(model),
        buckets: records.buckets.sorted().into_iter().map(bucket).collect(),
    };
    let mut text = serde_json::to_string_pretty(&summary).map_err(Failure::internal)?;
    text.push('\n');
    Ok(text)
}

/// Twelve significant digits: more than any bound means, and the same text on machines whose libm differs in the last
/// place.
fn stable(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

fn rate(count: Count) -> Rate {
    let Interval { low, high } = count.interval();
    Rate { k: count.k, n: count.n, low: stable(low), high: stable(high) }
}

fn cell(cell: &CellStats) -> Cell<'_> {
    Cell {
        id: &cell.cell.id,
        interpreter: &cell.cell.interpreter,
        workload: &cell.cell.workload,
        walker: &cell.cell.walker,
        target: &cell.cell.target,
        fault: &cell.cell.fault,
        params: &cell.cell.params,
        n: cell.n(),
        declared: cell.declared(),
        walks: cell.walks,
        missed: cell.missed,
        ids: &cell.cell.ids,
        judged: cell.cell.judged,
        not_available: &cell.cell.not_available,
        outcomes: cell.outcomes.iter().map(|(outcome, count)| (outcome.name(), *count)).collect(),
        // What nobody judged is left out: a rate of zero would be a claim.
        rates: Ordered(
            Event::ALL.iter().filter_map(|(event, name)| Some((*name, rate(cell.judged(*event)?)))).collect(),
        ),
        stepping: stepping(&cell.stepping),
    }
}

fn mutation(row: &sigwalk_record::Mutation, detail: Detail) -> Mutation<'_> {
    Mutation {
        interpreter: &row.interpreter,
        walker: &row.walker,
        field: &row.field,
        model: &row.model,
        n: row.walks,
        stacks: row.stacks,
        rates: Ordered(
            COLUMNS
                .iter()
                .filter(|(_, k)| detail >= Detail::Rates || k(row) > 0)
                .map(|(name, k)| (*name, rate(Count { k: k(row), n: row.walks })))
                .collect(),
        ),
        silent: Ordered(
            SILENT.iter().map(|(name, k)| (*name, k(row))).filter(|(_, count)| *count > 0).collect(),
        ),
        hops: row.hops,
        crash_sites: (detail == Detail::Whole).then_some(&row.crash_sites),
    }
}

fn cost<'a>(stack: Option<&'a str>, row: &'a crate::model::cost::Row) -> Cost<'a> {
    Cost {
        stack,
        interpreter: &row.key.interpreter,
        subject: &row.key.subject,
        what: row.key.what.name(),
        sink: &row.key.sink,
        depth: row.key.depth,
        ns_per_frame: stable(row.ns_per_frame.value),
        low: stable(row.ns_per_frame.interval.low),
        high: stable(row.ns_per_frame.interval.high),
        processes: row.groups,
        samples: row.samples,
    }
}

fn count((key, most): (&CountKey, &u64)) -> Ordered<Value> {
    ordered([
        ("interpreter", json!(key.interpreter)),
        ("counted", json!(key.counted)),
        ("subject", json!(key.subject)),
        ("what", json!(key.what.name())),
        ("depth", json!(key.depth)),
        ("most", json!(most)),
    ])
}

fn no_kind(kinds: &Ordered<u64>) -> bool {
    kinds.0.is_empty()
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Of a ratio that was not measured, what would be a number or a truth is null.
fn ratio(ratio: &crate::model::ratio::Ratio) -> Ordered<Value> {
    let (limit, sense) = match ratio.target {
        Target::AtMost(limit) => (limit, "at_most"),
        Target::AtLeast(limit) => (limit, "at_least"),
    };
    let found = ratio.found.as_ref().ok();
    ordered([
        ("name", json!(ratio.name)),
        ("interpreter", json!(ratio.interpreter)),
        ("value", json!(found.map(|found| stable(found.estimate.value)))),
        ("low", json!(found.map(|found| stable(found.estimate.interval.low)))),
        ("high", json!(found.map(|found| stable(found.estimate.interval.high)))),
        ("target", json!(limit)),
        ("sense", json!(sense)),
        ("verdict", json!(ratio.verdict().replace(' ', "_"))),
        ("met", json!(found.map(|found| found.met))),
        ("decided", json!(found.map(|found| found.decided))),
        ("depth", json!(found.map(|found| found.depth))),
        ("sides", json!(found.map(|found| &found.sides))),
        ("missing", json!(ratio.found.as_ref().err())),
    ])
}

fn known_bug(shown: &bug::Shown<'_>) -> Ordered<Value> {
    let (bug, cell) = (shown.bug, shown.cell);
    ordered([
        ("id", json!(bug.id)),
        ("issue", json!(bug.issue)),
        ("title", json!(bug.title)),
        ("cell", json!(cell.cell.id)),
        ("interpreter", json!(cell.cell.interpreter)),
        ("stands", json!(bug.stands)),
        ("hit", json!(bug.hit)),
        ("verdict", json!(shown.word().name().replace(' ', "_"))),
        ("seen", json!(rate(shown.count()))),
        ("first_hit_ms", json!(cell.first_hit_ms.map(stable))),
        ("not_run", json!((shown.word() == bug::Word::NotRun).then(|| shown.why_not()))),
    ])
}

fn claim(judged: &crate::claims::Judged) -> Ordered<Value> {
    ordered([
        ("id", json!(judged.claim.id)),
        ("claim", json!(judged.claim.text)),
        ("verdict", json!(judged.finding.verdict.name())),
        ("says", json!(judged.finding.says)),
        ("key_figure", json!(judged.finding.figure)),
        ("figure", json!(judged.finding.whole())),
        ("rests_on", json!(judged.finding.sure.said())),
        ("interpreters", json!(judged.finding.sure.interpreters)),
        ("declared", json!(judged.finding.sure.declared())),
        ("evidence", json!(judged.finding.cells)),
    ])
}

fn bucket(bucket: &crate::model::bucket::Bucket) -> Ordered<Value> {
    ordered([
        ("id", json!(bucket.id)),
        ("title", json!(bucket.title)),
        ("count", json!(bucket.count)),
        ("in_walk", json!(bucket.in_walk)),
        ("builds", json!(bucket.builds.keys().collect::<Vec<_>>())),
        ("by_interpreter", json!(bucket.builds)),
        ("cells", json!(bucket.cells)),
        ("seed", json!(bucket.seed)),
        ("replay", json!(bucket.replay())),
    ])
}

/// Not a `serde_json::Map`: its order depends on a feature that another package of the build may switch on.
fn ordered<const N: usize>(pairs: [(&'static str, Value); N]) -> Ordered<Value> {
    Ordered(pairs.into())
}

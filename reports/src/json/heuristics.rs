//! Mutated frame memory beyond its single rows, as programs read it: `heuristics` of `summary.json`.
//!
//! Every rate is `{k, n, low, high}` with the two-sided interval; n is walks. Detected, silent and fatal outcomes have keys of their own.
//!
//! | key | one element a | holds |
//! |---|---|---|
//! | `walkers[]` | interpreter, walker | sums over fields and models: `n` walks on `stacks`, `rates` as in `mutations[]`, `silent` by kind, `hops` of the longest walk that was cut as endless, `crash_sites` |
//! | `effect[]` | interpreter, family | harm on the same faults `without_checks` and `with_all_checks`: crash, hang, silent |
//! | `checks[]` | interpreter, family, check | `alone` (of walks that do this harm without any check, those that it alone prevents), `only` (of walks without harm with all checks, those that do this harm when it is off), `worse`, `alarms`, `only_alarms`; `healthy`: alarms where nothing was changed, by what the stack shows |
//! | `ablation[]` | interpreter, family, check, best first | `only` and `alone`: crashes avoided of all mutated walks; `cost` in ns a frame (null: not measured) with `measurable`; `only_per_ns`, `alone_per_ns`: crashes avoided per million walks and ns, null without a cost or where none was seen; by the upper end of the cost where it is not measurable |
//! | `freed[]` | interpreter, model, word, found | `objects`: k of the n that were looked at |
//! | `injections[]` | interpreter, walker, mode, per_million | `n` walks on `stacks`, `longest` sweep, `failed` loads, `unprotected` loads, `rates` |
//! | `fuzz` | | `conditional`: always true, counts and no rates; `executions`, `walks[]`, `rows[]` by site; absent without tallies |

use super::{Ordered, Rate, rate, stable};
use crate::model::Model;
use crate::model::ablation::Step;
use crate::model::cell::Count;
use crate::model::check::{self, HARMS, alarms, bare_and_whole, of_walks, only_alarms, worse};
use crate::model::injected::COLUMNS as INJECTED;
use crate::model::mutation::{COLUMNS, SILENT};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use sigwalk_record::{Check, Injection, Mutation};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, JsonSchema)]
pub struct Heuristics<'a> {
    walkers: Vec<Walker<'a>>,
    effect: Vec<Effect>,
    checks: Vec<Worth>,
    ablation: Vec<Ordered<Value>>,
    freed: Vec<Ordered<Value>>,
    injections: Vec<Injected<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuzz: Option<Ordered<Value>>,
}

#[derive(Serialize, JsonSchema)]
struct Walker<'a> {
    interpreter: String,
    walker: &'a str,
    n: u64,
    stacks: u64,
    rates: Ordered<Rate>,
    silent: Ordered<Rate>,
    hops: u64,
    crash_sites: BTreeMap<String, u64>,
}

#[derive(Serialize, JsonSchema)]
struct Effect {
    interpreter: String,
    family: String,
    n: u64,
    stacks: u64,
    without_checks: Ordered<Rate>,
    with_all_checks: Ordered<Rate>,
}

#[derive(Serialize, JsonSchema)]
struct Worth {
    interpreter: String,
    family: String,
    check: String,
    n: u64,
    stacks: u64,
    alone: Ordered<Rate>,
    only: Ordered<Rate>,
    worse: Rate,
    alarms: Rate,
    only_alarms: Rate,
    healthy: BTreeMap<String, Rate>,
}

#[derive(Serialize, JsonSchema)]
struct Injected<'a> {
    interpreter: &'a str,
    walker: &'a str,
    mode: &'a str,
    per_million: u32,
    n: u64,
    stacks: u64,
    longest: u64,
    failed: u64,
    unprotected: u64,
    rates: Ordered<Rate>,
}

/// Nothing when the records hold nothing of it.
pub fn heuristics(model: &Model) -> Option<Heuristics<'_>> {
    let records = &model.records;
    let sums = records.checks.sums();
    let pairs: BTreeSet<(&str, &str)> = sums.keys().map(|(tag, family, _)| (*tag, *family)).collect();
    let effect = pairs.iter().filter_map(|(tag, family)| {
        let row = bare_and_whole(&sums, tag, family)?;
        let harms = |harm| Ordered(HARMS.map(|kind| (kind.0, rate(of_walks(row, harm, kind)))).into());
        Some(Effect {
            interpreter: (*tag).to_owned(),
            family: (*family).to_owned(),
            n: row.walks,
            stacks: row.stacks,
            without_checks: harms(&row.bare),
            with_all_checks: harms(&row.whole),
        })
    });
    let freed = records.freed.words().into_iter().flat_map(|((tag, object, word), found)| {
        found.into_iter().map(move |(what, count)| {
            super::ordered([
                ("interpreter", json!(tag)),
                ("model", json!(object)),
                ("word", json!(word)),
                ("found", json!(what)),
                ("objects", json!({"k": count.k, "n": count.n})),
            ])
        })
    });
    let found = Heuristics {
        walkers: walkers(model),
        effect: effect.collect(),
        checks: worths(model),
        ablation: model
            .ablation
            .iter()
            .flat_map(|of| of.steps.iter().map(move |step| ordered_step(&of.interpreter, &of.family, step)))
            .collect(),
        freed: freed.collect(),
        injections: records.injections.0.values().map(injected).collect(),
        fuzz: (records.fuzzed.files > 0).then(|| fuzz(model)),
    };
    let nothing = found.walkers.is_empty()
        && found.checks.is_empty()
        && found.freed.is_empty()
        && found.injections.is_empty()
        && found.fuzz.is_none();
    (!nothing).then_some(found)
}

fn walkers(model: &Model) -> Vec<Walker<'_>> {
    let mutations = &model.records.mutations;
    let names: BTreeSet<&str> = mutations.mutated().map(|row| row.walker.as_str()).collect();
    let of_walker = |walker| {
        let sums = mutations.sums(|row| row.walker == walker, |row| row.interpreter.clone());
        sums.into_iter().map(move |(interpreter, row)| Walker {
            stacks: mutations.stacks(&interpreter, walker),
            interpreter,
            walker,
            n: row.walks,
            rates: rates(&row, &COLUMNS),
            silent: rates(&row, &SILENT),
            hops: row.hops,
            crash_sites: row.crash_sites,
        })
    };
    let mut all: Vec<_> = names.into_iter().flat_map(of_walker).collect();
    all.sort_by(|a, b| (&a.interpreter, a.walker).cmp(&(&b.interpreter, b.walker)));
    all
}

fn rates(row: &Mutation, columns: &[crate::model::mutation::Column]) -> Ordered<Rate> {
    Ordered(columns.iter().map(|(name, k)| (*name, rate(Count { k: k(row), n: row.walks }))).collect())
}

fn worths(model: &Model) -> Vec<Worth> {
    let checks = &model.records.checks;
    let mut all = checks.sums();
    let controls: Vec<_> =
        checks.control_models().into_iter().map(|model| (model, checks.controls(model))).collect();
    for of in controls.iter().flat_map(|(_, sums)| sums.keys()) {
        all.entry(*of).or_default();
    }
    let worth = |((interpreter, family, name), row): (check::Of<'_>, Check)| {
        let kinds = |of: fn(&Check, check::Kind) -> Count| {
            Ordered(HARMS.map(|kind| (kind.0, rate(of(&row, kind)))).into())
        };
        let healthy = controls.iter().filter_map(|(model, sums)| {
            let row = sums.get(&(interpreter, family, name))?;
            Some(((*model).to_owned(), rate(Count { k: row.alarms, n: row.walks })))
        });
        Worth {
            interpreter: interpreter.to_owned(),
            family: family.to_owned(),
            check: name.to_owned(),
            n: row.walks,
            stacks: row.stacks,
            alone: kinds(check::alone),
            only: kinds(check::only),
            worse: rate(worse(&row)),
            alarms: rate(alarms(&row)),
            only_alarms: rate(only_alarms(&row)),
            healthy: healthy.collect(),
        }
    };
    all.into_iter().map(worth).collect()
}

fn ordered_step(interpreter: &str, family: &str, step: &Step) -> Ordered<Value> {
    let finite = |per_ns: Option<f64>| json!(per_ns.filter(|per_ns| per_ns.is_finite()).map(stable));
    let cost = step.price.as_ref().map(|price| {
        json!({
            "value": stable(price.ns.value),
            "low": stable(price.ns.interval.low),
            "high": stable(price.ns.interval.high),
            "measurable": price.measurable(),
            "what": price.what.name(),
            "depth": price.depth,
        })
    });
    super::ordered([
        ("interpreter", json!(interpreter)),
        ("family", json!(family)),
        ("check", json!(step.check)),
        ("only", json!(rate(step.only))),
        ("alone", json!(rate(step.alone))),
        ("cost", json!(cost)),
        ("only_per_ns", finite(step.only_per_ns())),
        ("alone_per_ns", finite(step.alone_per_ns())),
    ])
}

fn injected(row: &Injection) -> Injected<'_> {
    Injected {
        interpreter: &row.interpreter,
        walker: &row.walker,
        mode: row.mode.name(),
        per_million: row.per_million,
        n: row.walks,
        stacks: row.stacks,
        longest: row.longest,
        failed: row.failed,
        unprotected: row.unprotected,
        rates: Ordered(
            INJECTED.iter().map(|(name, k)| (*name, rate(Count { k: k(row), n: row.walks }))).collect(),
        ),
    }
}

fn fuzz(model: &Model) -> Ordered<Value> {
    let fuzzed = &model.records.fuzzed;
    let walks = fuzzed.walks.values().map(|row| {
        super::ordered([
            ("interpreter", json!(row.interpreter)),
            ("walker", json!(row.walker)),
            ("walks", json!(row.walks)),
            ("would_crash", json!(row.would_crash)),
            ("recovered", json!(row.recovered)),
            ("would_hang", json!(row.hang)),
        ])
    });
    let rows = fuzzed.sites.iter().flat_map(|((walker, what, site), counts)| {
        counts.iter().map(move |(interpreter, count)| {
            super::ordered([
                ("interpreter", json!(interpreter)),
                ("walker", json!(walker)),
                ("what", json!(what.replace(' ', "_"))),
                ("site", json!(site)),
                ("count", json!(count)),
            ])
        })
    });
    super::ordered([
        ("conditional", json!(true)),
        ("executions", json!(fuzzed.executions)),
        ("walks", json!(walks.collect::<Vec<_>>())),
        ("rows", json!(rows.collect::<Vec<_>>())),
    ])
}

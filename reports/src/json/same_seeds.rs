//! Walkers compared on the same seeds, as programs read it.

use super::stable;
use crate::model::Model;
use crate::model::pairs::{Compared, Row};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize, JsonSchema)]
pub struct SameSeeds<'a> {
    /// Tests that are adjusted together.
    families: Vec<Family<'a>>,
    /// Comparisons in which some pair differs; in all others, p is 1.
    pairs: Vec<Pair<'a>>,
    trials_not_compared: u64,
}

#[derive(Serialize, JsonSchema)]
struct Family<'a> {
    workload: &'a str,
    event: &'static str,
    tests: u64,
    with_pairs_that_differ: u64,
}

#[derive(Serialize, JsonSchema)]
struct Pair<'a> {
    workload: &'a str,
    interpreter: &'a str,
    target: &'a str,
    params: &'a str,
    event: &'static str,
    walkers: &'a [String; 2],
    pairs: u64,
    only: [u64; 2],
    left_out: u64,
    p: f64,
    adjusted: f64,
    verdict: String,
}

/// Nothing when no two trials have the same seed.
pub fn same_seeds(model: &Model) -> Option<SameSeeds<'_>> {
    let mut families = BTreeMap::<(&str, Compared), (u64, u64)>::new();
    for row in &model.pairs {
        let (tests, differ) = families.entry((&row.workload, row.compared)).or_default();
        *tests += 1;
        *differ += u64::from(row.differs());
    }
    (!families.is_empty()).then(|| SameSeeds {
        families: families
            .into_iter()
            .map(|((workload, compared), (tests, differ))| Family {
                workload,
                event: compared.name(),
                tests,
                with_pairs_that_differ: differ,
            })
            .collect(),
        pairs: model.pairs.iter().filter(|row| row.differs()).map(pair).collect(),
        trials_not_compared: model.records.pairs.beyond,
    })
}

fn pair(row: &Row) -> Pair<'_> {
    Pair {
        workload: &row.workload,
        interpreter: &row.interpreter,
        target: &row.target,
        params: &row.params,
        event: row.compared.name(),
        walkers: &row.walkers,
        pairs: row.pairs,
        only: row.only,
        left_out: row.left_out,
        p: stable(row.p),
        adjusted: stable(row.adjusted),
        verdict: row.verdict(),
    }
}

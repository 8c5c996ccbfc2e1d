//! What stepping met, as programs read it.

use crate::model::stepping::{self, KINDS};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize, JsonSchema)]
pub struct Stepping<'a> {
    boundaries: u64,
    without_state: u64,
    illegal: BTreeMap<&'static str, u64>,
    sites: Vec<Site<'a>>,
    at_further_sites: u64,
}

#[derive(Serialize, JsonSchema)]
struct Site<'a> {
    site: &'a str,
    what: &'a str,
    count: u64,
}

/// Nothing when nothing was stepped.
pub fn stepping(met: &stepping::Stepping) -> Option<Stepping<'_>> {
    (met.boundaries > 0).then(|| Stepping {
        boundaries: met.boundaries,
        without_state: met.without_state,
        illegal: KINDS.into_iter().chain(["other"]).zip(met.kinds).collect(),
        sites: met.sorted().into_iter().map(|(what, site, count)| Site { site, what, count }).collect(),
        at_further_sites: met.beyond,
    })
}

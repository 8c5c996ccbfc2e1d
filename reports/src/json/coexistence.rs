//! Walks beside other owners of signals, as programs read it.

use super::{Ordered, Rate, rate};
use crate::model::Model;
use crate::model::coexistence::{OUTCOMES, kills};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub struct Beside<'a> {
    interpreter: &'a str,
    other: &'a str,
    order: &'a str,
    walker: &'a str,
    /// False for what is shown for comparison.
    ours: bool,
    n: u64,
    /// Every outcome once: recovers, falls_back, loses_recovery, kills.
    outcomes: Ordered<u64>,
    kills: Rate,
    restored: u64,
    reached: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

/// One a (interpreter, other, order, walker).
pub fn coexistence(model: &Model) -> Vec<Beside<'_>> {
    let mut rows: Vec<_> = model.records.coexistence.iter().collect();
    rows.sort_by_key(|row| (&row.interpreter, &row.other, &row.order, &row.walker));
    rows.into_iter()
        .map(|row| Beside {
            interpreter: &row.interpreter,
            other: &row.other,
            order: &row.order,
            walker: &row.walker,
            ours: row.ours,
            n: row.n,
            outcomes: Ordered(
                ["recovers", "falls_back", "loses_recovery", "kills"]
                    .into_iter()
                    .zip(OUTCOMES)
                    .map(|(name, (.., of))| (name, of(row)))
                    .collect(),
            ),
            kills: rate(kills(row)),
            restored: row.restored,
            reached: row.reached,
            note: &row.note,
        })
        .collect()
}

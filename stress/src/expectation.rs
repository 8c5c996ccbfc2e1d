//! What a campaign says must be found, and what must not: `some` and `never` of its cells. Only of a run that is whole.

use crate::campaign::Plan;
use crate::failure::Failure;
use sigwalk_record::{Outcome, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One line for each expectation that the records in `trials` do not meet.
///
/// # Errors
/// The file cannot be read.
pub fn unmet(trials: &Path, plans: &[Plan]) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(trials)
        .map_err(|error| Failure::internal(format!("{}: {error}", trials.display())))?;
    let mut seen: BTreeMap<String, BTreeSet<Outcome>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let trial: Trial = serde_json::from_str(line).map_err(|error| {
            Failure::incompatible(format!("{}:{}: {error}", trials.display(), number + 1))
        })?;
        seen.entry(trial.cell).or_default().insert(trial.outcome);
    }
    let expecting = plans.iter().filter(|plan| plan.is_available());
    Ok(expecting.flat_map(|plan| of_cell(plan, seen.get(&plan.cell.id))).collect())
}

fn of_cell(plan: &Plan, seen: Option<&BTreeSet<Outcome>>) -> Vec<String> {
    let has = |outcome: &Outcome| seen.is_some_and(|seen| seen.contains(outcome));
    let id = &plan.cell.id;
    let missing = plan.some.iter().filter(|outcome| !has(outcome));
    let unwanted = plan.never.iter().filter(|outcome| has(outcome));
    missing
        .map(|outcome| format!("{id}: no trial was {}, and some must be", outcome.name()))
        .chain(unwanted.map(|outcome| format!("{id}: some trial was {}, and none may be", outcome.name())))
        .collect()
}

//! What a campaign says must be found, and what must not: `some` and `never` of its cells. Only of a run that is whole.

use crate::campaign::Plan;
use crate::failure::Failure;
use sigwalk_record::{Outcome, Trial, exit};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Says what the records of a whole run in `trials` do not meet: the exit code that follows.
///
/// # Errors
/// The file cannot be read.
pub fn judge(trials: &Path, plans: &[Plan]) -> Result<i32, Failure> {
    let unmet = unmet(trials, plans)?;
    for line in &unmet {
        eprintln!("stress: {line}");
    }
    Ok(if unmet.is_empty() { exit::OK } else { exit::FINDINGS })
}

/// One line for each expectation that the records in `trials` do not meet.
///
/// # Errors
/// The file cannot be read.
fn unmet(trials: &Path, plans: &[Plan]) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(trials)
        .map_err(|error| Failure::internal(format!("{}: {error}", trials.display())))?;
    let mut seen: BTreeMap<String, BTreeSet<Outcome>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let trial: Trial = sigwalk_record::read(line.as_bytes()).map_err(|error| {
            Failure::incompatible(format!("{}:{}: {error}", trials.display(), number + 1))
        })?;
        seen.entry(trial.cell).or_default().insert(trial.outcome);
    }
    let expecting = plans.iter().filter(|plan| plan.is_available());
    Ok(expecting.flat_map(|plan| of_cell(plan, seen.get(&plan.cell.id))).collect())
}

fn of_cell(plan: &Plan, seen: Option<&BTreeSet<Outcome>>) -> Vec<String> {
    // What was not measured meets no expectation: not even that something is never.
    let measured = |seen: &BTreeSet<Outcome>| seen.iter().any(|outcome| *outcome != Outcome::HarnessError);
    let expects = !plan.some.is_empty() || !plan.never.is_empty();
    if expects && !seen.is_some_and(measured) {
        return vec![format!(
            "{}: no trial measured anything, and the campaign says what must be found",
            plan.cell.id
        )];
    }
    let has = |outcome: &Outcome| seen.is_some_and(|seen| seen.contains(outcome));
    let id = &plan.cell.id;
    let missing = plan.some.iter().filter(|outcome| !has(outcome));
    let unwanted = plan.never.iter().filter(|outcome| has(outcome));
    missing
        .map(|outcome| format!("{id}: no trial was {}, and some must be", outcome.name()))
        .chain(unwanted.map(|outcome| format!("{id}: some trial was {}, and none may be", outcome.name())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Campaign;

    fn unmet(expected: &str, seen: Option<&[Outcome]>) -> usize {
        let text = format!(
            "name = 'x'\n[[cells]]\nworkload = 'signal'\ntargets = ['call-tree']\nwalkers = ['guarded']\ntrials = 1\n{expected}\n"
        );
        let campaign = Campaign::parse(&text, "t").unwrap();
        let seen = seen.map(|seen| seen.iter().copied().collect());
        of_cell(&campaign.plans[0], seen.as_ref()).len()
    }

    #[test]
    fn some_must_be_seen_and_never_must_not() {
        let both = "some = ['hang']\nnever = ['crash']";
        for (seen, expected) in [
            (&[Outcome::Hang][..], 0),
            (&[Outcome::Hang, Outcome::HarnessError], 0),
            (&[Outcome::Complete], 1),
            (&[Outcome::Hang, Outcome::Crash], 1),
            (&[Outcome::Crash], 2),
        ] {
            assert_eq!(unmet(both, Some(seen)), expected, "{seen:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_never() {
        for seen in [None, Some(&[][..]), Some(&[Outcome::HarnessError])] {
            assert_eq!(unmet("never = ['crash']", seen), 1, "{seen:?}");
            assert_eq!(unmet("", seen), 0, "nothing is expected: {seen:?}");
        }
    }
}

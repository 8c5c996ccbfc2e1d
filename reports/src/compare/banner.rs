//! Why two runs cannot be compared, or only with care.

use super::{Comparison, LEVEL, NOISE};
use crate::model::records::{Records, Run};
use sigwalk_record::Kind;
use std::collections::BTreeSet;

/// What a reason is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Differences below may have nothing to do with what was to be compared.
    NotComparable,
    /// To be kept in mind.
    Care,
}

impl Weight {
    /// What stands before the reason.
    pub fn word(self) -> &'static str {
        match self {
            Weight::NotComparable => "NOT COMPARABLE",
            Weight::Care => "note",
        }
    }
}

/// One reason.
#[derive(Debug)]
pub struct Reason {
    /// What it is worth.
    pub weight: Weight,
    /// In words.
    pub text: String,
}

/// Fields that make two machines.
const MACHINE: [&str; 5] = ["CPU", "cores", "kernel", "hypervisor", "C library"];
/// Fields that are often just what is compared.
const SUITE: [&str; 3] = ["commit", "sigwalk", "rustc"];

/// All reasons, the weightiest first. The tests must be done.
pub fn reasons(base: &Records, new: &Records, comparison: &Comparison) -> Vec<Reason> {
    let mut found = Vec::new();
    let mut say = |weight, text: String| found.push(Reason { weight, text });
    let differing = |names: &[&str]| {
        let fields = comparison.environment.iter().map(|difference| difference.field.as_str());
        let fields: BTreeSet<&str> = fields.filter(|field| names.contains(field)).collect();
        fields.into_iter().collect::<Vec<_>>().join(", ")
    };
    let machine = differing(&MACHINE);
    if !machine.is_empty() {
        say(
            Weight::NotComparable,
            format!(
                "measured on different machines ({machine}): costs, and rates where timing decides, are not comparable"
            ),
        );
    }
    if !differing(&["build profile"]).is_empty() {
        say(Weight::NotComparable, "sigwalk was built with different profiles".into());
    }
    let planted: Vec<&str> = comparison
        .environment
        .iter()
        .map(|difference| difference.field.as_str())
        .filter(|field| field.starts_with("SIGWALK_PLANT"))
        .collect();
    if !planted.is_empty() {
        say(
            Weight::NotComparable,
            format!("{} was set on one side: a change was planted on purpose", planted.join(", ")),
        );
    }
    for (side, records) in [("BASE", base), ("NEW", new)] {
        let unfinished: Vec<&str> = records
            .runs
            .iter()
            .filter(|run| !run.complete || run.dropped)
            .map(|run| run.dir.as_str())
            .collect();
        if let [first, ..] = unfinished.as_slice() {
            say(
                Weight::NotComparable,
                format!(
                    "{side} has {} unfinished (the first is {first}): what is missing need not be missing by chance",
                    runs(unfinished.len())
                ),
            );
        }
    }
    for (kind, what) in [(Kind::Trials, "campaigns of trials"), (Kind::Cost, "settings of the benches")] {
        let [of_base, of_new] = [base, new].map(|records| campaigns(records, kind));
        if !of_base.is_empty() && !of_new.is_empty() && of_base != of_new {
            say(
                Weight::NotComparable,
                format!(
                    "different {what} ({} against {}): other numbers, times or seeds",
                    shown(&of_base),
                    shown(&of_new)
                ),
            );
        }
    }
    let suite = differing(&SUITE);
    if !suite.is_empty() {
        say(
            Weight::Care,
            format!("built from different sources ({suite}): if that is not what is compared, measure again"),
        );
    }
    if let Some(order) = one_after_the_other(base, new) {
        say(
            Weight::Care,
            format!(
                "the benches of {order}: what changed on the machine meanwhile looks like a difference; time the sides in turn (A B B A …)"
            ),
        );
    }
    if !comparison.costs.is_empty() && comparison.least > LEVEL {
        say(
            Weight::Care,
            "too few processes were timed for any cost to be called different: time at least 5 on each side"
                .into(),
        );
    }
    let apart = comparison.rates.iter().filter(|row| !row.is_paired()).count();
    if apart > 0 {
        say(
            Weight::Care,
            format!("{apart} rates have no seeds in common and are compared unpaired (Fisher)"),
        );
    }
    let (_, alone) = comparison.cells;
    if alone != [0, 0] {
        say(
            Weight::Care,
            format!(
                "{} cells of BASE and {} of NEW have no counterpart (same workload, walker, target, fault and parameters) and are left out",
                alone[0], alone[1]
            ),
        );
    }
    if comparison.costs.iter().any(|row| row.adjusted <= LEVEL && !row.differs()) {
        say(
            Weight::Care,
            format!(
                "some costs differ by less than {:.0} %: sure, and too small to be called a difference",
                (NOISE - 1.0) * 100.0
            ),
        );
    }
    found.sort_by_key(|reason| reason.weight);
    found
}

fn runs(count: usize) -> String {
    format!("{count} run{}", if count == 1 { "" } else { "s" })
}

fn campaigns(records: &Records, kind: Kind) -> BTreeSet<(&str, &str)> {
    let runs = records.runs.iter().filter(|run| run.kind == kind);
    runs.map(|run| (run.campaign.as_str(), run.campaign_id.as_str())).collect()
}

fn shown(campaigns: &BTreeSet<(&str, &str)>) -> String {
    campaigns.iter().map(|(name, id)| format!("{name} {id}")).collect::<Vec<_>>().join(", ")
}

fn one_after_the_other(base: &Records, new: &Records) -> Option<&'static str> {
    let times = |records: &Records, at: fn(&Run) -> &str| -> Option<[String; 2]> {
        let runs = records.runs.iter().filter(|run| run.kind == Kind::Cost);
        let times: BTreeSet<&str> = runs.map(at).collect();
        Some([(*times.first()?).to_owned(), (*times.last()?).to_owned()])
    };
    let ([base_from, base_to], [new_from, new_to]) =
        (times(base, |run| &run.started)?, times(new, |run| &run.started)?);
    if base_to < new_from {
        Some("BASE all ran before those of NEW")
    } else if new_to < base_from {
        Some("NEW all ran before those of BASE")
    } else {
        None
    }
}

//! Heuristics: mutated frame memory. The answer first, then outcomes by walker, healthy stacks, what each check is worth, and what
//! stands beside: freed memory as found, loads that fail on purpose, guided fuzzing; at last every interpreter by field and
//! fault model.

mod beside;
mod builds;
mod checks;
mod confusion;
mod order;
mod outcomes;

use super::order as walkers;
use super::table::Table;
use crate::claims::{Judged, Verdict};
use crate::model::Model;
use crate::model::tag;
use builds::MutatedBuild;
use checks::ChecksOf;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The section.
#[derive(Debug)]
pub struct Heuristics {
    /// C11 as judged: its verdict, and its figure in parts.
    pub answer: Option<(&'static str, Vec<String>)>,
    /// Healthy stacks, nothing changed; without rows in records that have no control.
    pub control: Table,
    /// Believed or refused: the interpreter of the answer, then the others.
    pub confusion: Vec<(bool, String, Table)>,
    /// By interpreter and walker.
    pub walkers: Table,
    /// Silent answers by kind.
    pub silent: Table,
    /// Harm without and with all checks.
    pub effect: Table,
    /// Checks down, interpreters across, one table a family.
    pub matrices: Vec<Table>,
    /// Every interpreter and family.
    pub checks: Vec<ChecksOf>,
    /// What freed memory held.
    pub freed: Table,
    /// Loads that failed on purpose: at a glance, and every outcome.
    pub injection: [Table; 2],
    /// Guided fuzzing.
    pub fuzz: Table,
    /// One interpreter each.
    pub builds: Vec<MutatedBuild>,
    /// Interpreters that the page has no room for.
    pub beyond: Vec<String>,
}

/// Everything about mutations, at most `rows` rows a table; single fields, fault models and checks of every interpreter or of the
/// newest only. Nothing when there are no mutations.
pub fn section(model: &Model, rows: usize, every_build: bool) -> Option<Heuristics> {
    let records = &model.records;
    let newest = newest(model);
    let (builds, beyond): (Vec<_>, Vec<_>) = builds::all(&records.mutations, newest.as_deref(), rows)
        .into_iter()
        .partition(|build| every_build || build.open);
    let found = Heuristics {
        answer: model.claims.iter().find(|judged| judged.claim.id == "C11").map(answer),
        control: outcomes::control(&records.mutations),
        confusion: confusion::tables(&records.mutations)
            .into_iter()
            .map(|(tag, table)| (newest.as_deref() == Some(&tag), tag, table))
            .collect(),
        walkers: outcomes::walkers(model),
        silent: outcomes::silent(&records.mutations),
        effect: checks::effect(model),
        matrices: checks::matrices(model, rows.min(60)),
        checks: checks::every(model, newest.as_deref(), rows.min(60))
            .into_iter()
            .filter(|checks| every_build || checks.open)
            .collect(),
        freed: beside::freed(records, rows.min(150)),
        injection: [
            beside::injection_glance(records, rows.min(150)),
            beside::injection(records, rows.min(200)),
        ],
        fuzz: beside::fuzz(records, rows.min(60)),
        builds,
        beyond: beyond.into_iter().map(|build| build.interpreter).collect(),
    };
    let nothing = found.builds.is_empty() && found.tables().all(|table| table.rows.is_empty());
    (!nothing).then_some(found)
}

impl Heuristics {
    fn tables(&self) -> impl Iterator<Item = &Table> {
        [&self.control, &self.effect, &self.freed, &self.injection[0], &self.fuzz].into_iter()
    }
}

fn answer(judged: &Judged) -> (&'static str, Vec<String>) {
    let word = match judged.finding.verdict {
        Verdict::Supported => "Supported",
        Verdict::Refuted => "Refuted",
        Verdict::Mixed => "Mixed",
        Verdict::NotMeasured => "Not measured",
    };
    (word, judged.finding.whole().split("; ").map(str::to_owned).collect())
}

/// The interpreter that is shown open: the newest release of those with mutations or checks.
fn newest(model: &Model) -> Option<String> {
    let records = &model.records;
    let mutated = records.mutations.mutated().map(|row| row.interpreter.as_str());
    let checked = records.checks.0.values().map(|row| row.interpreter.as_str());
    tag::newest(records, mutated.chain(checked).collect::<BTreeSet<_>>()).map(str::to_owned)
}

/// Interpreters by version, walkers and families as elsewhere.
fn by_tag(a: (&str, &str), b: (&str, &str)) -> Ordering {
    (tag::version(a.0), a.0, walkers::rank(a.1)).cmp(&(tag::version(b.0), b.0, walkers::rank(b.1)))
}

/// Each tag once, by version.
fn tags<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut tags: Vec<&str> = all.collect::<BTreeSet<_>>().into_iter().collect();
    tags.sort_by_key(|tag| (tag::version(tag), *tag));
    tags
}

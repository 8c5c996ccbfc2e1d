//! What a rule finds: the verdict, one line in plain words, the figure that decided, and how sure it is.

use super::Evidence;
use crate::model::cell::CellStats;
use crate::model::ratio::Found;
use crate::text::number::grouped;
use sigwalk_record::{Kind, Mutation};
use std::collections::BTreeSet;

/// What the records say of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The records agree with the claim.
    Supported,
    /// The records contradict it.
    Refuted,
    /// Some cells agree and some contradict.
    Mixed,
    /// The records cannot tell.
    NotMeasured,
}

impl Verdict {
    /// The name in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Supported => "supported",
            Verdict::Refuted => "refuted",
            Verdict::Mixed => "mixed",
            Verdict::NotMeasured => "not_measured",
        }
    }

    /// The answer to "is it true?".
    pub fn answer(self) -> &'static str {
        match self {
            Verdict::Supported => "True",
            Verdict::Refuted => "False",
            Verdict::Mixed => "True in part",
            Verdict::NotMeasured => "Not measured",
        }
    }
}

/// A verdict and what it rests on.
#[derive(Debug)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in plain words and without numbers that need a bound.
    pub says: String,
    /// Key figure with its bound; empty where there is none.
    pub figure: String,
    /// What else the records say of it.
    pub details: Vec<String>,
    /// What it rests on.
    pub sure: Sure,
    /// Ids of the cells it rests on.
    pub cells: Vec<String>,
    /// Section of the page where the evidence stands, when it is not a cell.
    pub section: &'static str,
}

impl Finding {
    /// A finding; what it rests on is added by the methods below.
    pub fn new(verdict: Verdict, says: impl Into<String>, figure: impl Into<String>) -> Self {
        Self {
            verdict,
            says: says.into(),
            figure: figure.into(),
            details: Vec::new(),
            sure: Sure::default(),
            cells: Vec::new(),
            section: "",
        }
    }

    /// Nothing that could tell is in the records.
    pub fn not_measured(reason: impl Into<String>) -> Self {
        Self::new(Verdict::NotMeasured, reason, "")
    }

    /// The same with more details.
    pub fn detailed(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details.into_iter().filter(|detail| !detail.is_empty()));
        self
    }

    /// The same with cells as evidence.
    pub fn of(mut self, cells: Vec<String>) -> Self {
        self.cells = cells;
        self
    }

    /// The same with a section as evidence.
    pub fn at(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    /// The same with what it rests on.
    pub fn resting_on(mut self, sure: Sure) -> Self {
        self.sure.join(sure);
        self
    }

    /// Figure and details in one text; of what has no figure, the reason.
    pub fn whole(&self) -> String {
        let lead = if self.figure.is_empty() { &self.says } else { &self.figure };
        let parts = [lead].into_iter().chain(&self.details);
        parts.map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}

/// How much a finding rests on.
#[derive(Debug, Default)]
pub struct Sure {
    /// Trials, walks and timed batches, each with its unit; never added up.
    pub counts: Vec<(u64, &'static str)>,
    /// Interpreters.
    pub interpreters: BTreeSet<String>,
    /// Whether something declared was not finished.
    pub unfinished: bool,
}

impl Sure {
    /// Trials of these cells.
    pub fn trials(cells: &[&CellStats]) -> Self {
        let n = cells.iter().map(|cell| cell.n()).sum();
        Self {
            counts: vec![(n, "trials")],
            interpreters: cells.iter().map(|cell| cell.cell.interpreter.clone()).collect(),
            unfinished: cells.iter().any(|cell| cell.n() + cell.harness_errors() != cell.declared()),
        }
    }

    /// Mutated walks of one walker. Walkers walk the same faults: theirs are not added up.
    pub fn walks(evidence: Evidence<'_>, walker: &str, keep: impl Fn(&Mutation) -> bool) -> Self {
        let rows: Vec<&Mutation> =
            evidence.records.mutations.mutated().filter(|row| row.walker == walker && keep(row)).collect();
        Self {
            counts: vec![(rows.iter().map(|row| row.walks).sum(), "mutated walks")],
            interpreters: rows.iter().map(|row| row.interpreter.clone()).collect(),
            unfinished: unfinished(evidence, Kind::Mutations),
        }
    }

    /// Ratios of costs.
    pub fn timed<'a>(evidence: Evidence<'_>, ratios: impl IntoIterator<Item = (&'a str, &'a Found)>) -> Self {
        let interpreters: Vec<&str> = ratios.into_iter().map(|(tag, _)| tag).collect();
        Self {
            counts: vec![(interpreters.len() as u64, "ratios of costs")],
            interpreters: interpreters.into_iter().map(str::to_owned).collect(),
            unfinished: unfinished(evidence, Kind::Cost),
        }
    }

    fn join(&mut self, other: Sure) {
        self.counts.extend(other.counts.into_iter().filter(|(n, _)| *n > 0));
        self.interpreters.extend(other.interpreters);
        self.unfinished |= other.unfinished;
    }

    /// `12 000 trials`, `540 000 mutated walks`
    pub fn said(&self) -> Vec<String> {
        self.counts.iter().map(|(n, unit)| format!("{} {unit}", grouped(*n))).collect()
    }

    /// `declared` or `exploratory`; nothing when nothing was looked at.
    pub fn declared(&self) -> Option<&'static str> {
        (!self.counts.is_empty()).then_some(if self.unfinished { "exploratory" } else { "declared" })
    }
}

pub(super) fn unfinished(evidence: Evidence<'_>, kind: Kind) -> bool {
    evidence.records.runs.iter().any(|run| run.kind == kind && (!run.complete || run.dropped))
}

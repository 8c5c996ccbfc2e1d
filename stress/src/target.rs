//! Targets: the Python programs that are walked. A new one is a Python file with a function `setup_<name>`, which
//! returns (codes, edges, function that makes one pass), and one row in the file of its family.

mod allocations;
mod calls;
mod generators;
mod interpreters;
mod programs;
mod threads;

use crate::workload::Workload;
use std::collections::BTreeMap;

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Name in campaigns and records.
    pub name: &'static str,
    /// One line for `stress list`.
    pub about: &'static str,
    /// Rows of the catalogue that it stands for: scenarios S1 to S20, regressions F, T, W, P, R.
    pub ids: &'static [&'static str],
    /// Workloads that make sense with it.
    pub workloads: &'static [Workload],
    /// Parameters with their defaults and meaning. Integers, but for words.
    pub params: &'static [(&'static str, &'static str, &'static str)],
    /// The Python file.
    pub source: &'static str,
    /// Whether the trial ends with Py_FinalizeEx, walked until the end.
    pub finalizes: bool,
}

/// The call tree's functions, which every target may use.
pub const COMMON: &str = include_str!("target/call_tree.py");

/// A target with a call graph, which allocates as well.
const HOOKED: &[Workload] =
    &[Workload::Hook, Workload::Signal, Workload::Other, Workload::Step, Workload::Interleave];

/// All targets, family by family.
pub fn all() -> impl Iterator<Item = &'static Target> {
    [calls::ALL, generators::ALL, threads::ALL, interpreters::ALL, allocations::ALL, programs::ALL]
        .into_iter()
        .flatten()
}

/// The target of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    all().find(|target| target.name == name)
}

impl Target {
    /// Name of the function in the Python file.
    #[must_use]
    pub fn setup_function(&self) -> String {
        format!("setup_{}", self.name.replace('-', "_"))
    }

    /// The defaults with what a campaign gives. Names that are another target's are passed over: the campaign has seen to it
    /// that each is some target's.
    #[must_use]
    pub fn params(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let value =
            |name: &str, default: &str| given.get(name).map_or_else(|| default.to_owned(), Clone::clone);
        self.params.iter().map(|(name, default, _)| ((*name).to_owned(), value(name, default))).collect()
    }
}

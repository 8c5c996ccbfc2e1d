//! Targets: the Python programs that are walked. A new one is a Python file with a function `setup_<name>`, which
//! returns (codes, edges, function that makes one pass), and one row in the file of its family.
//!
//! What Python code cannot do is a function of `crate::native`. What a target leaves out, and why, is in `crate::catalogue`.

mod allocations;
mod calls;
mod codes;
mod generators;
mod interpreters;
mod programs;
mod stacks;
mod teardown;
mod threads;
mod tracing;

use crate::workload::Workload;
use sigwalk_embed::pyo3::Python;
use sigwalk_embed::pyo3::types::PyAnyMethods;
use std::collections::BTreeMap;

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Name in campaigns and records.
    pub name: &'static str,
    /// One line for `stress list`.
    pub about: &'static str,
    /// What its oracle judges, and what it does not: one line for `stress list`.
    pub oracle: &'static str,
    /// Rows of the catalogue that it stands for: scenarios S1 to S20, regressions F, T, W, P, R.
    pub ids: &'static [&'static str],
    /// Workloads that make sense with it.
    pub workloads: &'static [Workload],
    /// Parameters with their defaults and meaning. Integers, but for words.
    pub params: &'static [(&'static str, &'static str, &'static str)],
    /// The Python file.
    pub source: &'static str,
    /// How a trial ends.
    pub end: End,
    /// What it needs of the interpreter.
    pub needs: Needs,
}

/// What a trial does when the target's passes are over, while walks go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing.
    Stays,
    /// Py_FinalizeEx.
    Finalizes,
    /// Py_FinalizeEx and Py_Initialize, as often as the parameter `cycles` says.
    Reinitializes,
}

/// What a target needs of the interpreter.
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// Nothing that not all of 3.11 to 3.15 have.
    Nothing,
    /// This version or a later one, as major << 8 | minor, for what the words say.
    Version(u32, &'static str),
    /// A module that is not in the standard library.
    Module(&'static str),
}

/// What most targets have in common.
const PLAIN: Target = Target {
    name: "",
    about: "",
    oracle: EXACT,
    ids: &[],
    workloads: ANY,
    params: &[],
    source: "",
    end: End::Stays,
    needs: Needs::Nothing,
};

const EXACT: &str = "exact: every frame's code, line, caller and line of call, and the root";

/// Python code that every target may use: name and text.
pub const COMMON: [(&str, &str); 2] =
    [("graph.py", include_str!("target/graph.py")), ("call_tree.py", include_str!("target/call_tree.py"))];

/// Targets with a call graph run under all workloads that walk: where a pass is long, it is stepped in bursts.
const ANY: &[Workload] =
    &[Workload::Hook, Workload::Signal, Workload::Other, Workload::Step, Workload::Interleave];

/// All targets, family by family.
pub fn all() -> impl Iterator<Item = &'static Target> {
    let families = [
        calls::ALL,
        stacks::ALL,
        generators::ALL,
        teardown::ALL,
        codes::ALL,
        tracing::ALL,
        threads::ALL,
        interpreters::ALL,
        allocations::ALL,
        programs::ALL,
    ];
    families.into_iter().flatten()
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

    /// Why it cannot run on this interpreter; `None` when it can.
    #[must_use]
    pub fn not_available(&self) -> Option<String> {
        match self.needs {
            Needs::Nothing => None,
            Needs::Version(least, what) => (sigwalk_embed::hexversion() >> 16 < least)
                .then(|| format!("{what} came with {}.{}", least >> 8, least & 0xff)),
            Needs::Module(name) => (!is_installed(name)).then(|| {
                format!("{name} is not installed: PYTHONPATH=$(scripts/packages {name} PYTHON) brings it")
            }),
        }
    }
}

/// Whether the interpreter, which is started if it was not, finds the module.
fn is_installed(module: &str) -> bool {
    sigwalk_embed::initialize(sigwalk_embed::Options::default()).is_ok()
        && Python::attach(|py| {
            let spec = py.import("importlib.util").and_then(|util| util.call_method1("find_spec", (module,)));
            spec.is_ok_and(|spec| !spec.is_none())
        })
}

#[cfg(test)]
mod tests;

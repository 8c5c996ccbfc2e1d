//! Targets: the Python programs that are walked. A new one is a Python file with a function `setup_<name>`, which
//! returns (codes, edges, function that makes one pass), and one row here.

use crate::workload::Workload;
use std::collections::BTreeMap;

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Name in campaigns and records.
    pub name: &'static str,
    /// One line for `stress list`.
    pub about: &'static str,
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

const BOTH: &[Workload] = &[Workload::Signal, Workload::Other];

/// All targets.
pub const ALL: &[Target] = &[
    Target {
        name: "call-tree",
        about: "a binary tree of generated functions, each with its own code object and call lines",
        workloads: BOTH,
        params: &[
            ("depth", "5", "levels of the tree"),
            ("work", "3", "length of the loop in each node"),
            ("locals", "0", "extra locals, which make frames large (300: chunks come and go)"),
            ("style", "plain", "how a node calls: plain, generator, c, mixed"),
        ],
        source: "",
        finalizes: false,
    },
    Target {
        name: "thread-churn",
        about: "threads that live for one pass of the call tree",
        workloads: BOTH,
        params: &[
            ("depth", "3", "levels of the tree"),
            ("work", "3", "length of the loop in each node"),
            ("locals", "0", "extra locals"),
            ("threads", "8", "threads started together"),
        ],
        source: include_str!("target/thread_churn.py"),
        finalizes: false,
    },
    Target {
        name: "thread-exit",
        about: "S9: threads that do next to nothing, with a destructor that runs inside PyThreadState_Clear",
        workloads: BOTH,
        params: &[
            ("threads", "8", "threads started together"),
            ("work", "20", "length of the destructor's loop"),
        ],
        source: include_str!("target/thread_exit.py"),
        finalizes: false,
    },
    Target {
        name: "generator-boundary",
        about: "S1: generators created where their frame needs a new data-stack chunk",
        workloads: BOTH,
        params: &[
            ("locals", "60", "locals of the generator"),
            ("repeats", "100", "generators made at the boundary"),
        ],
        source: include_str!("target/generator_boundary.py"),
        finalizes: false,
    },
    Target {
        name: "finalize",
        about: "S11: Py_FinalizeEx while daemon threads run",
        workloads: BOTH,
        params: &[
            ("depth", "3", "levels of the tree"),
            ("work", "3", "length of the loop in each node"),
            ("threads", "3", "daemon threads"),
        ],
        source: include_str!("target/finalize.py"),
        finalizes: true,
    },
];

/// The target of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
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

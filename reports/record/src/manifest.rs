//! The manifest: what was to be done, on what, and whether it was finished.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of records a run directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `trials.jsonl`
    Trials,
    /// `mutations.jsonl`
    Mutations,
    /// `cost.jsonl`, and perhaps `counts.jsonl`
    Cost,
    /// `contract.jsonl`
    Contract,
    /// `coexistence.jsonl`
    Coexistence,
    /// `lifetimes.jsonl`
    Lifetimes,
    /// `allocations.jsonl`
    Allocations,
}

impl Kind {
    /// The file whose rows the directory is about.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Kind::Trials => "trials.jsonl",
            Kind::Mutations => "mutations.jsonl",
            Kind::Cost => "cost.jsonl",
            Kind::Contract => "contract.jsonl",
            Kind::Coexistence => "coexistence.jsonl",
            Kind::Lifetimes => "lifetimes.jsonl",
            Kind::Allocations => "allocations.jsonl",
        }
    }
}

/// The CPython build that was walked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Interpreter {
    /// Short unique name within a report: `3.15.0`, `3.13.5`, `3.13.15d`.
    pub tag: String,
    /// `sys.version`, one line.
    pub version: String,
    /// `Py_Version`, hexadecimal.
    pub hexversion: String,
    /// `sysconfig` CONFIG_ARGS.
    pub config_args: String,
    /// Compiler and its flags.
    pub compiler: String,
    /// Py_DEBUG build.
    pub debug: bool,
    /// Free-threaded build.
    pub free_threaded: bool,
    /// JIT compiled in.
    pub jit: bool,
    /// Path of the libpython that was loaded, relative to its root.
    pub libpython: String,
    /// `st_size` of `_PyRuntime`: a fingerprint of the layout.
    pub runtime_size: u64,
    /// Which freed-pointer patterns this version's own helpers test: `before gh-140815` or `after gh-140815`.
    pub freed_patterns: String,
    /// Value of PYTHONMALLOC, or `default`.
    pub allocator: String,
}

/// The machine and the suite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Environment {
    /// CPU model.
    pub cpu: String,
    /// Online cores.
    pub cores: u32,
    /// Kernel release and version.
    pub kernel: String,
    /// Distribution.
    pub os: String,
    /// C library the process ran with.
    pub libc: String,
    /// rustc version.
    pub rustc: String,
    /// Build profile.
    pub profile: String,
    /// Version of sigwalk.
    pub suite_version: String,
    /// Commit of sigwalk, `+dirty` when the tree was changed.
    pub commit: String,
    /// Load average at the start.
    pub load: String,
    /// `core_pattern`, seccomp and ptrace settings, governor: whatever else a reader may want, by name.
    pub other: BTreeMap<String, String>,
}

/// A known bug that a cell shows, or shows to be gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Bug {
    /// Its id in the catalogue: `F2`, `S1`, `W6`.
    pub id: String,
    /// `gh-116008`, or where else it is described; empty when it has no issue yet.
    pub issue: String,
    /// What goes wrong, in one line.
    pub title: String,
    /// What is said of this interpreter.
    pub stands: Standing,
    /// Outcomes that count as a reproduction.
    pub hit: Vec<crate::Outcome>,
    /// The report that was written about it, as a path in the repository; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub finding: String,
}

/// What is known of an interpreter and a bug, before anything is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has the bug, and a later version has not.
    Affected,
    /// The bug was fixed in it or before it, or was never in it.
    #[default]
    Fixed,
    /// No version is known that has not.
    Open,
}

/// One cell: all trials that share interpreter, workload, target, walker and fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cell {
    /// `interpreter/workload/target/walker` and, where there are any, `/fault` and the environment of a program, `/NAME=value`.
    pub id: String,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// `hook`, `signal`, `other`, `step`, `program`, `mutate` or `soak`. Never mixed.
    pub workload: String,
    /// Name of the walker; of a program, who walks in it.
    pub walker: String,
    /// Name of the target.
    pub target: String,
    /// Name of the fault; empty when there is none.
    #[serde(default)]
    pub fault: String,
    /// Trials declared.
    pub n: u64,
    /// Parameters of the target, printed with every rate.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Why the cell could not run on this interpreter; empty when it could.
    #[serde(default)]
    pub not_available: String,
    /// Whether the oracle judges the walker's answers; false for walkers that print, e.g. faulthandler.
    #[serde(default = "judged")]
    pub judged: bool,
    /// Rows of the catalogue that the target and the fault stand for: `S9`, `R3`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Present when the cell is one of a known bug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<Bug>,
}

/// Manifests that do not say so come from walkers that return their answers.
fn judged() -> bool {
    true
}

/// The campaign that was declared before the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Campaign {
    /// Name of the campaign.
    pub name: String,
    /// Hash of the campaign file, 16 hexadecimal digits.
    pub id: String,
    /// The campaign file itself.
    pub text: String,
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// What the directory holds.
    pub kind: Kind,
    /// What was declared.
    pub campaign: Campaign,
    /// The build that was walked.
    pub interpreter: Interpreter,
    /// The machine and the suite.
    pub environment: Environment,
    /// The cells of a trial campaign; empty for other kinds.
    #[serde(default)]
    pub cells: Vec<Cell>,
    /// (K, N) when the run was given only the trials `i` with `i ≡ K − 1` modulo `N`; none when all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<(u64, u64)>,
    /// Whether everything declared was finished.
    pub complete: bool,
    /// Start, RFC 3339 UTC.
    pub started: String,
    /// Last write, RFC 3339 UTC.
    pub ended: String,
}

//! The record schema: the only thing that the measuring side (`stress`, the benches) and the judging side (`report`)
//! share.
//!
//! A *run directory* holds the records of one interpreter:
//!
//! | file | holds | written by |
//! |---|---|---|
//! | `manifest.json` | one [`Manifest`]: what was to be done, on what, and whether it was finished | every writer |
//! | `trials.jsonl` | one [`Trial`] a line, appended | `stress run` |
//! | `mutations.jsonl` | one [`Mutation`] a line | `stress mutate` |
//! | `checks.jsonl`, `injections.jsonl`, `freed.jsonl` | one [`Check`], [`Injection`], [`Freed`] a line; beside `mutations.jsonl`, where a campaign asks for them | `stress mutate` |
//! | `contract.jsonl` | one [`Contract`] a line | `stress contract` |
//! | `coexistence.jsonl` | one [`Coexistence`] a line | `stress coexist` |
//! | `lifetimes.jsonl` | one [`Lifetime`] a line | `stress lifetime` |
//! | `allocations.jsonl` | one [`Allocated`] a line | `stress allocations` |
//! | `cost.jsonl` | one [`Cost`] a line | `cargo bench` |
//! | `counts.jsonl` | one [`Count`] a line; beside `cost.jsonl`, where the kernel lets calls be counted | `cargo bench` |
//!
//! Every line carries `schema`; a reader takes every version there was ([`read`]) and refuses one that it does not know. Records are append-only: a reader
//! drops a truncated *last* line (a writer was killed) and refuses a corrupt line anywhere else.

mod allocated;
mod check;
mod coexistence;
mod contract;
mod cost;
mod freed;
mod injection;
mod lifetime;
mod manifest;
pub mod migrate;
mod mutation;
mod trial;

pub use allocated::Allocated;
pub use check::{Check, Harm};
pub use coexistence::Coexistence;
pub use contract::{Contract, Whose};
pub use cost::{Cost, Count, Counted, Sample, What};
pub use freed::Freed;
pub use injection::{Injection, Mode};
pub use lifetime::Lifetime;
pub use manifest::{Bug, Campaign, Cell, Environment, Interpreter, Kind, Manifest, Standing};
pub use migrate::{OLDEST, Record, Unread, read};
pub use mutation::Mutation;
pub use trial::{Crash, Illegal, Outcome, Phase, Tallies, Trial};

/// Version of every record in this crate. Raised when a field changes its meaning or is removed; [`migrate`] then says what became of
/// it, and `reports/schemas/` keeps the schema of each version.
pub const SCHEMA: u32 = 2;

/// Exit codes shared by every command of the project.
pub mod exit {
    /// Everything asked for was done.
    pub const OK: i32 = 0;
    /// A defect of sigwalk itself.
    pub const INTERNAL: i32 = 1;
    /// The command line, a campaign file or an input file is wrong.
    pub const USAGE: i32 = 2;
    /// Findings over the gate that was asked for.
    pub const FINDINGS: i32 = 3;
    /// Nothing ran.
    pub const NOTHING_RAN: i32 = 4;
    /// Incomplete or incompatible records.
    pub const INCOMPATIBLE: i32 = 5;
    /// The machine lacks a capability.
    pub const MISSING_CAPABILITY: i32 = 6;
    /// The process that was looked at exited meanwhile.
    pub const TARGET_EXITED: i32 = 7;
    /// Interrupted by SIGINT or SIGTERM; what was finished is kept.
    pub const INTERRUPTED: i32 = 130;
}

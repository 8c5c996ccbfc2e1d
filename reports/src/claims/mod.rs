//! The claims of the discussion, judged by the records. A claim is one row of [`REGISTRY`] and one function.
//!
//! A rule may use only what the records carry. What they do not carry is `not_measured` with the reason; it is never
//! filled with what is known from elsewhere.

mod bias;
mod borrowed;
mod contract;
mod cost;
mod evidence;
mod finding;
mod heuristics;
mod mutated;
mod trials;

pub use finding::{Finding, Sure, Verdict};

use crate::bias::Bias;
use crate::model::ratio::Ratio;
use crate::model::records::Records;

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    records: &'a Records,
    ratios: &'a [Ratio],
    bias: &'a Bias,
}

/// A claim.
#[derive(Debug)]
pub struct Claim {
    /// `C1` …
    pub id: &'static str,
    /// As someone would say it.
    pub text: &'static str,
    rule: fn(Evidence) -> Finding,
}

const REGISTRY: [Claim; 12] = [
    Claim { id: "C1", text: "A dangling frame can still crash the walk", rule: trials::dangling },
    Claim {
        id: "C2",
        text: "In an allocator hook the walking thread's own frames are pinned: no crash, no wrong stack",
        rule: trials::pinned_in_hook,
    },
    Claim { id: "C3", text: "Own-thread walks from a signal are reliable", rule: trials::own_thread_signal },
    Claim { id: "C4", text: "Without a hop counter a walk may never end", rule: mutated::endless },
    Claim {
        id: "C5",
        text: "Out-of-process readers get an error instead of a fault",
        rule: trials::out_of_process,
    },
    Claim {
        id: "C6",
        text: "In-process tools can use the same technique: no crash where a raw walk crashes, at a small cost",
        rule: trials::guarded_against_raw,
    },
    Claim {
        id: "C7",
        text: "The functions do not allocate, lock, touch refcounts or re-enter the interpreter",
        rule: contract::kept,
    },
    Claim { id: "C8", text: "A borrowed code pointer can die at any time", rule: borrowed::dies },
    Claim { id: "C9", text: "The API is efficient enough for memory profilers", rule: cost::cheap_enough },
    Claim {
        id: "C10",
        text: "Samplers tolerate a few wrong stacks, memory profilers do not",
        rule: bias::tolerated,
    },
    Claim { id: "C11", text: "The freed-memory heuristics help", rule: heuristics::help },
    Claim { id: "C12", text: "A structured walk beats printing text and parsing it", rule: cost::structured },
];

/// A claim with what was found.
#[derive(Debug)]
pub struct Judged {
    /// The claim.
    pub claim: &'static Claim,
    /// What the records say.
    pub finding: Finding,
}

/// Judges every claim.
pub fn judge(records: &Records, ratios: &[Ratio], bias: &Bias) -> Vec<Judged> {
    let evidence = Evidence { records, ratios, bias };
    let judged = |claim: &'static Claim| {
        let mut finding = (claim.rule)(evidence);
        // Numbers beside "not measured" would puzzle: say that they were looked at and do not suffice.
        if finding.verdict == Verdict::NotMeasured
            && !(finding.cells.is_empty() && finding.section.is_empty())
        {
            finding.details.push("not enough to tell".to_owned());
        }
        Judged { claim, finding }
    };
    REGISTRY.iter().map(judged).collect()
}

//! The claims of the discussion, judged by the records. A claim is one row of [`REGISTRY`] and one function.
//!
//! A rule may use only what the records carry. What they do not carry is `not_measured` with the reason; it is never
//! filled with what is known from elsewhere.

mod cost;
mod evidence;
mod heuristics;
mod mutated;
mod trials;

use crate::model::ratio::Ratio;
use crate::model::records::Records;

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
}

/// A verdict and what it rests on.
#[derive(Debug)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Key figure with its bound, or the reason why there is none.
    pub figure: String,
    /// Ids of the cells it rests on.
    pub cells: Vec<String>,
    /// Section of the page where the evidence stands, when it is not a cell.
    pub section: &'static str,
}

impl Finding {
    fn not_measured(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotMeasured, figure: reason.into(), cells: Vec::new(), section: "" }
    }
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    records: &'a Records,
    ratios: &'a [Ratio],
}

/// A claim.
#[derive(Debug)]
pub struct Claim {
    /// `C1` …
    pub id: &'static str,
    /// As someone would say it.
    pub text: &'static str,
    /// The same for a narrow table.
    pub short: &'static str,
    rule: fn(Evidence) -> Finding,
}

const REGISTRY: [Claim; 12] = [
    Claim {
        id: "C1",
        text: "A dangling frame can still crash the walk",
        short: "dangling frame crashes",
        rule: trials::dangling,
    },
    Claim {
        id: "C2",
        text: "In an allocator hook the walking thread's own frames are pinned: no crash, no wrong stack",
        short: "hook: own frames pinned",
        rule: trials::pinned_in_hook,
    },
    Claim {
        id: "C3",
        text: "Own-thread walks from a signal are reliable",
        short: "signal: reliable",
        rule: trials::own_thread_signal,
    },
    Claim {
        id: "C4",
        text: "Without a hop counter a walk may never end",
        short: "no hop counter: endless",
        rule: mutated::endless,
    },
    Claim {
        id: "C5",
        text: "Out-of-process readers get an error instead of a fault",
        short: "remote: error, no fault",
        rule: trials::out_of_process,
    },
    Claim {
        id: "C6",
        text: "In-process tools can use the same technique: no crash where a raw walk crashes, at a small cost",
        short: "in process: same technique",
        rule: trials::guarded_against_raw,
    },
    Claim {
        id: "C7",
        text: "The functions do not allocate, lock, touch refcounts or re-enter the interpreter",
        short: "no malloc, lock, refcount",
        rule: trials::contract,
    },
    Claim {
        id: "C8",
        text: "A borrowed code pointer can die at any time",
        short: "borrowed code dies",
        rule: |_| {
            Finding::not_measured("no record carries the state of a code object some time after its walk")
        },
    },
    Claim {
        id: "C9",
        text: "The API is efficient enough for memory profilers",
        short: "cheap enough for profilers",
        rule: cost::cheap_enough,
    },
    Claim {
        id: "C10",
        text: "Samplers tolerate a few wrong stacks, memory profilers do not",
        short: "samplers tolerate wrong",
        rule: |_| {
            Finding::not_measured(
                "rates of impossible stacks are in the matrix; their bias after up-scaling is not in the records",
            )
        },
    },
    Claim {
        id: "C11",
        text: "The freed-memory heuristics help",
        short: "heuristics help",
        rule: heuristics::help,
    },
    Claim {
        id: "C12",
        text: "A structured walk beats printing text and parsing it",
        short: "structured beats text",
        rule: cost::structured,
    },
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
pub fn judge(records: &Records, ratios: &[Ratio]) -> Vec<Judged> {
    let evidence = Evidence { records, ratios };
    let judged = |claim: &'static Claim| {
        let mut finding = (claim.rule)(evidence);
        // Numbers beside "not measured" would puzzle: say that they were looked at and do not suffice.
        if finding.verdict == Verdict::NotMeasured
            && !(finding.cells.is_empty() && finding.section.is_empty())
        {
            finding.figure.push_str("; not enough to tell");
        }
        Judged { claim, finding }
    };
    REGISTRY.iter().map(judged).collect()
}

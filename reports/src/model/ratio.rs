//! Ratios of costs against their targets. A new ratio is one row of [`REGISTRY`].

use super::cost::{Batches, Key};
use super::records::Records;
use crate::stats::{Estimate, Sampler};
use sigwalk_record::What::{self, Chain, Code, Line, Names};
use std::collections::BTreeSet;

/// Depth at which ratios are compared.
const DEPTH: u64 = 100;

/// Which side of its target a ratio should be on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
}

impl Target {
    fn met(self, value: f64) -> bool {
        match self {
            Target::AtMost(limit) => value <= limit,
            Target::AtLeast(limit) => value >= limit,
        }
    }
}

/// One side of a ratio: a subject and the first of these that was measured.
struct Side(&'static str, &'static [What]);

struct Definition {
    name: &'static str,
    says: &'static str,
    numerator: Side,
    denominator: Side,
    target: Target,
}

const ANY: &[What] = &[Names, Line, Code, Chain];

const REGISTRY: &[Definition] = &[
    Definition {
        name: "raw_vs_floor",
        says: "raw loads of code and offset, against a bare chase of the chain",
        numerator: Side("raw", &[Code]),
        denominator: Side("floor", &[Chain]),
        target: Target::AtMost(1.5),
    },
    Definition {
        name: "api_line_vs_tracemalloc",
        says: "PyTraceMalloc_Track over the PR's walk with lines",
        numerator: Side("tracemalloc", &[Line]),
        denominator: Side("pr_b1", &[Line]),
        target: Target::AtLeast(1.0),
    },
    Definition {
        name: "api_line_vs_dump",
        says: "DumpTraceback to /dev/null over the PR's walk with lines",
        numerator: Side("dump_traceback", ANY),
        denominator: Side("pr_b1", &[Line]),
        target: Target::AtLeast(1.0),
    },
    Definition {
        name: "guarded_vs_raw",
        says: "guarded loads against raw loads, the policy being the same",
        numerator: Side("guarded", &[Code]),
        denominator: Side("raw_strict", &[Code]),
        target: Target::AtMost(1.15),
    },
    Definition {
        name: "strict_vs_floor",
        says: "guarded walker (strict policy, code and offset), against a bare chase of the chain",
        numerator: Side("guarded", &[Code]),
        denominator: Side("floor", &[Chain]),
        target: Target::AtMost(4.0),
    },
    Definition {
        name: "guarded_line_vs_tracemalloc_cold",
        says: "tracemalloc's walk over guarded with lines, no cache",
        numerator: Side("tracemalloc", &[Line]),
        denominator: Side("guarded", &[Line]),
        target: Target::AtLeast(2.0),
    },
    Definition {
        name: "guarded_line_vs_tracemalloc_warm",
        says: "tracemalloc's walk over guarded with lines, line cache warm",
        numerator: Side("tracemalloc", &[Line]),
        denominator: Side("guarded_warm", &[Line]),
        target: Target::AtLeast(8.0),
    },
    Definition {
        name: "guarded_line_vs_dump",
        says: "DumpTraceback to /dev/null over guarded with lines",
        numerator: Side("dump_traceback", ANY),
        denominator: Side("guarded", &[Line]),
        target: Target::AtLeast(25.0),
    },
    Definition {
        name: "structured_vs_dump_and_parse",
        says: "DumpTraceback and parsing its text, over guarded with copied names",
        numerator: Side("dump_and_parse", ANY),
        denominator: Side("guarded", &[Names]),
        target: Target::AtLeast(20.0),
    },
    Definition {
        name: "line_lookup_small",
        says: "PyCode_Addr2Line over our decoder, small table",
        numerator: Side("addr2line_small", ANY),
        denominator: Side("line_table_small", ANY),
        target: Target::AtLeast(1.0),
    },
    Definition {
        name: "line_lookup_1k",
        says: "PyCode_Addr2Line over our decoder, end of a 1 KiB table",
        numerator: Side("addr2line_1k", ANY),
        denominator: Side("line_table_1k", ANY),
        target: Target::AtLeast(8.0),
    },
    Definition {
        name: "line_lookup_40k",
        says: "PyCode_Addr2Line over our decoder, end of a 40 KiB table",
        numerator: Side("addr2line_40k", ANY),
        denominator: Side("line_table_40k", ANY),
        target: Target::AtLeast(12.0),
    },
];

/// A ratio on one interpreter.
#[derive(Debug)]
pub struct Ratio {
    /// Name in `summary.json`.
    pub name: &'static str,
    /// What it means.
    pub says: &'static str,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Depth both sides were measured at.
    pub depth: u64,
    /// The ratio of medians.
    pub estimate: Estimate,
    /// Where it should be.
    pub target: Target,
    /// Whether the point estimate is there.
    pub met: bool,
    /// Whether the whole interval agrees.
    pub decided: bool,
    /// The two sides as found in the records.
    pub sides: String,
}

/// Every ratio whose two sides were measured, on every interpreter.
pub fn all(records: &Records) -> Vec<Ratio> {
    let mut ratios = Vec::new();
    for definition in REGISTRY {
        for interpreter in records.builds.keys() {
            ratios.extend(one(records, definition, interpreter));
        }
    }
    ratios
}

fn one(records: &Records, definition: &Definition, interpreter: &str) -> Option<Ratio> {
    let numerator = measured(records, interpreter, &definition.numerator);
    let denominator = measured(records, interpreter, &definition.denominator);
    let depths = |side: &[(&Key, &Batches)]| side.iter().map(|(key, _)| key.depth).collect::<BTreeSet<_>>();
    // The nearest depth that both sides have; of two equally near, the smaller.
    let depth = depths(&numerator)
        .intersection(&depths(&denominator))
        .copied()
        .min_by_key(|depth| (depth.abs_diff(DEPTH), *depth))?;
    let at = |side: &[(&'_ Key, &'_ Batches)]| side.iter().position(|(key, _)| key.depth == depth);
    let (top_key, top) = numerator[at(&numerator)?];
    let (bottom_key, bottom) = denominator[at(&denominator)?];
    let estimate = Sampler::named(&format!("{}/{interpreter}/{depth}", definition.name))
        .ratio(&top.groups, &bottom.groups);
    let target = definition.target;
    let met = target.met(estimate.value);
    Some(Ratio {
        name: definition.name,
        says: definition.says,
        interpreter: interpreter.to_owned(),
        depth,
        estimate,
        target,
        met,
        decided: [estimate.interval.low, estimate.interval.high].iter().all(|end| target.met(*end) == met),
        sides: format!(
            "{} ({}) / {} ({})",
            top_key.label(),
            top_key.what.name(),
            bottom_key.label(),
            bottom_key.what.name()
        ),
    })
}

/// What was measured of a side: the first `what` present, and of several sinks /dev/null, which costs the printer least.
fn measured<'a>(records: &'a Records, interpreter: &str, side: &Side) -> Vec<(&'a Key, &'a Batches)> {
    let of_subject: Vec<_> = records
        .cost
        .0
        .iter()
        .filter(|(key, _)| key.interpreter == interpreter && key.subject == side.0)
        .collect();
    let Some(what) = side.1.iter().find(|what| of_subject.iter().any(|(key, _)| key.what == **what)) else {
        return Vec::new();
    };
    let mut rows: Vec<_> = of_subject.into_iter().filter(|(key, _)| key.what == *what).collect();
    rows.sort_by_key(|(key, _)| (key.depth, key.sink != "/dev/null", &key.sink));
    rows
}

//! Claims that costs decide.

use super::{Evidence, Finding, Sure, Verdict};
use crate::model::ratio::{Found, measured};
use crate::text::number::estimate;
use std::collections::BTreeSet;

/// C9: the PR's functions with lines, against what memory profilers and crash handlers use today: cheaper or not. The cost
/// of our own walker stands beside it; its targets are in the table of ratios.
pub fn cheap_enough(evidence: Evidence) -> Finding {
    let named = |name: &'static str| measured(evidence.ratios, name);
    let api: Vec<(&str, &Found)> =
        named("api_line_vs_tracemalloc").chain(named("api_line_vs_dump")).collect();
    if api.is_empty() {
        return Finding::not_measured(
            "neither tracemalloc nor DumpTraceback was timed beside the PR's walk with lines",
        );
    }
    let (verdict, says) = if api.iter().all(|(_, ratio)| ratio.estimate.interval.low > 1.0) {
        (Verdict::Supported, "the PR's walk with lines is cheaper than what tracemalloc and DumpTraceback do")
    } else if api.iter().all(|(_, ratio)| ratio.estimate.interval.high < 1.0) {
        (Verdict::Refuted, "the PR's walk with lines is dearer than what tracemalloc and DumpTraceback do")
    } else {
        (
            Verdict::Mixed,
            "the PR's walk with lines is cheaper than one of tracemalloc and DumpTraceback only, or on some interpreters only",
        )
    };
    // The worst interpreter of each ratio: for these, more is better.
    let names = [
        ("api_line_vs_tracemalloc", "tracemalloc costs × the PR's walk with lines"),
        ("api_line_vs_dump", "DumpTraceback ×"),
        ("guarded_line_vs_tracemalloc_cold", "guarded instead: tracemalloc ×"),
    ];
    let mut figures = names.iter().filter_map(|(name, says)| {
        let (interpreter, worst) = named(name).min_by(least)?;
        Some(format!("{says} {} ({interpreter})", estimate(worst.estimate)))
    });
    let first = figures.next().unwrap_or_default();
    Finding::new(verdict, says, format!("at worst: {first}"))
        .detailed(figures.collect::<Vec<_>>())
        .resting_on(Sure::timed(evidence, api))
        .at("ratios")
}

fn least(a: &(&str, &Found), b: &(&str, &Found)) -> std::cmp::Ordering {
    a.1.estimate.value.total_cmp(&b.1.estimate.value)
}

/// C12: needs printing *and* parsing on one side, and what the text loses. Of that the records count frames: what the printer
/// delivered of stacks that the structured walk delivered whole. Cost alone is `mixed` when it favours the structured walk.
pub fn structured(evidence: Evidence) -> Finding {
    let ratios = || measured(evidence.ratios, "structured_vs_dump_and_parse");
    let Some((interpreter, ratio)) = ratios().min_by(least) else {
        return Finding::not_measured("DumpTraceback with its text parsed again was not timed");
    };
    let lost = lost(evidence);
    // The claim is "faster", not "as much faster as our target".
    let interval = ratio.estimate.interval;
    let (verdict, says) = if interval.low > 1.0 && lost.is_some() {
        (Verdict::Supported, "it is cheaper, and delivers frames that the text leaves out")
    } else if interval.low > 1.0 {
        (Verdict::Mixed, "it is cheaper; what the text loses was not counted")
    } else if interval.high < 1.0 {
        (Verdict::Refuted, "it is dearer")
    } else {
        (Verdict::NotMeasured, "the interval of the costs reaches over 1")
    };
    let said = match lost {
        None => "what the text loses is not in the records".to_owned(),
        Some(lost) => format!(
            "of {} frames the text had {}, the structured walk {} ({}); names that are cut and columns are not counted",
            lost.depth, lost.text, lost.structured, lost.interpreter
        ),
    };
    Finding::new(verdict, says, format!("cost ratio {} ({interpreter})", estimate(ratio.estimate)))
        .detailed([said])
        .resting_on(Sure::timed(evidence, ratios()))
        .at("ratios")
}

/// Frames that one stack had and the text had not.
struct Lost {
    interpreter: String,
    depth: u64,
    text: u64,
    structured: u64,
}

/// The deepest stack of which both sides say how many frames they delivered, if the text had fewer.
fn lost(evidence: Evidence) -> Option<Lost> {
    let of = |subject: &'static str| {
        evidence.records.cost.ladder.iter().filter(move |(key, _)| key.subject == subject)
    };
    let one = |frames: &BTreeSet<u64>| frames.last().copied().filter(|_| frames.len() == 1);
    let both = of("dump_traceback").filter_map(|(key, text)| {
        let (_, structured) = of("call_stack")
            .find(|(other, _)| (other.depth, &other.interpreter) == (key.depth, &key.interpreter))?;
        Some(Lost {
            interpreter: key.interpreter.clone(),
            depth: key.depth,
            text: one(&text.frames)?,
            structured: one(&structured.frames)?,
        })
    });
    both.filter(|lost| lost.text < lost.structured).max_by_key(|lost| (lost.depth, lost.interpreter.clone()))
}

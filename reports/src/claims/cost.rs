//! Claims that costs decide.

use super::{Evidence, Finding, Verdict};
use crate::model::ratio::{Found, measured};
use crate::text::number::estimate;

/// C9: the PR's functions with lines, against what memory profilers and crash handlers use today: cheaper or not. The cost
/// of our own walker stands beside it; its targets are in the table of ratios.
pub fn cheap_enough(evidence: Evidence) -> Finding {
    let named = |name: &'static str| measured(evidence.ratios, name);
    let api: Vec<&Found> =
        named("api_line_vs_tracemalloc").chain(named("api_line_vs_dump")).map(|(_, found)| found).collect();
    if api.is_empty() {
        return Finding::not_measured(
            "neither tracemalloc nor DumpTraceback was timed beside the PR's walk with lines",
        );
    }
    let verdict = if api.iter().all(|ratio| ratio.estimate.interval.low > 1.0) {
        Verdict::Supported
    } else if api.iter().all(|ratio| ratio.estimate.interval.high < 1.0) {
        Verdict::Refuted
    } else {
        Verdict::Mixed
    };
    // The worst interpreter of each ratio: for these, more is better.
    let names = [
        ("api_line_vs_tracemalloc", "tracemalloc costs × the PR's walk with lines"),
        ("api_line_vs_dump", "DumpTraceback ×"),
        ("guarded_line_vs_tracemalloc_cold", "guarded instead: tracemalloc ×"),
    ];
    let figure: Vec<String> = names
        .iter()
        .filter_map(|(name, says)| {
            let (interpreter, worst) = named(name).min_by(least)?;
            Some(format!("{says} {} ({interpreter})", estimate(worst.estimate)))
        })
        .collect();
    Finding {
        verdict,
        figure: format!("at worst: {}", figure.join("; ")),
        cells: Vec::new(),
        section: "ratios",
    }
}

fn least(a: &(&str, &Found), b: &(&str, &Found)) -> std::cmp::Ordering {
    a.1.estimate.value.total_cmp(&b.1.estimate.value)
}

/// C12: needs printing *and* parsing on one side. What the text loses is not in the records, so cost alone is `mixed`
/// when it favours the structured walk.
pub fn structured(evidence: Evidence) -> Finding {
    let worst = measured(evidence.ratios, "structured_vs_dump_and_parse").min_by(least);
    let Some((interpreter, ratio)) = worst else {
        return Finding::not_measured("DumpTraceback with its text parsed again was not timed");
    };
    // The claim is "faster", not "as much faster as our target".
    let interval = ratio.estimate.interval;
    let verdict = if interval.low > 1.0 {
        Verdict::Mixed
    } else if interval.high < 1.0 {
        Verdict::Refuted
    } else {
        Verdict::NotMeasured
    };
    Finding {
        verdict,
        figure: format!(
            "cost ratio {} ({interpreter}); what the text loses is not in the records",
            estimate(ratio.estimate),
        ),
        cells: Vec::new(),
        section: "ratios",
    }
}

//! Claims that costs decide.

use super::{Evidence, Finding, Verdict};
use crate::model::ratio::Ratio;
use crate::text::number::estimate;

/// C9: guarded with lines, against what memory profilers and crash handlers use today.
pub fn cheap_enough(evidence: Evidence) -> Finding {
    let names = ["guarded_line_vs_tracemalloc_cold", "guarded_line_vs_dump"];
    let ratios: Vec<&Ratio> = evidence.ratios.iter().filter(|ratio| names.contains(&ratio.name)).collect();
    if ratios.is_empty() {
        return Finding::not_measured(
            "neither tracemalloc nor DumpTraceback was timed beside guarded with lines",
        );
    }
    let met = ratios.iter().filter(|ratio| ratio.met).count();
    let verdict = match met {
        0 => Verdict::Refuted,
        _ if met == ratios.len()
            && names.iter().all(|name| ratios.iter().any(|ratio| ratio.name == *name)) =>
        {
            Verdict::Supported
        }
        _ => Verdict::Mixed,
    };
    // The worst interpreter of each ratio: for these, more is better.
    let worst = names.iter().filter_map(|name| {
        let of_name = ratios.iter().filter(|ratio| ratio.name == *name);
        of_name.min_by(|a, b| a.estimate.value.total_cmp(&b.estimate.value))
    });
    let figure: Vec<String> = worst
        .map(|ratio| format!("{} {} ({})", ratio.name, estimate(ratio.estimate), ratio.interpreter))
        .collect();
    Finding {
        verdict,
        figure: format!("{met} of {} targets met; at worst {}", ratios.len(), figure.join(", ")),
        cells: Vec::new(),
        section: "ratios",
    }
}

/// C12: needs printing *and* parsing on one side. What the text loses is not in the records, so cost alone is `mixed`
/// when it favours the structured walk.
pub fn structured(evidence: Evidence) -> Finding {
    let worst = evidence
        .ratios
        .iter()
        .filter(|ratio| ratio.name == "structured_vs_dump_and_parse")
        .min_by(|a, b| a.estimate.value.total_cmp(&b.estimate.value));
    let Some(ratio) = worst else {
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
            "cost ratio {} ({}); what the text loses is not in the records",
            estimate(ratio.estimate),
            ratio.interpreter
        ),
        cells: Vec::new(),
        section: "ratios",
    }
}

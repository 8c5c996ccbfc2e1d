//! The tallies as a table and as JSON.

use super::{PLAIN, endless, faults, plain};
use crate::seed;
use sigwalk::walk::Site;
use sigwalk::walkers::{self, Reads};
use std::fmt::Write as _;

/// Sum over sites.
fn total(walker: usize, tag: usize, of: fn(usize, usize, Site) -> u64) -> u64 {
    Site::ALL.iter().map(|site| of(walker, tag, *site)).sum()
}

/// A table for people: outcomes, then failed loads by site.
#[must_use]
pub fn table() -> String {
    let mut out = String::from(
        "\nWalks of mutated images. Conditional on the inputs that the fuzzer chose: no rates.\n\
         same, different: said to be complete; as on the undisturbed image, or not.\n\n",
    );
    let tags = seed::tags();
    let row = |out: &mut String, name: &str, cells: &[String]| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>12}")).collect();
        let _ = writeln!(out, "{name:<36}{cells}");
    };
    let heads = ["same", "different", "truncated", "rejected", "would crash", "recovered", "would hang"];
    row(&mut out, "walker, interpreter", &heads.map(str::to_owned));
    for (walker, entry) in walkers::ALL.iter().enumerate() {
        for (tag, name) in tags.iter().enumerate() {
            let failed = total(walker, tag, faults);
            let all = (0..PLAIN.len()).map(|column| plain(walker, tag, column)).sum::<u64>();
            if all + failed + total(walker, tag, endless) == 0 {
                continue;
            }
            let (crash, recovered) = match entry.reads {
                Reads::Raw => (failed.to_string(), "-".to_owned()),
                _ => ("-".to_owned(), failed.to_string()),
            };
            let mut cells: Vec<_> =
                (0..PLAIN.len()).map(|column| plain(walker, tag, column).to_string()).collect();
            cells.extend([crash, recovered, total(walker, tag, endless).to_string()]);
            row(&mut out, &format!("{}, {name}", entry.name), &cells);
        }
    }
    for (walker, entry) in walkers::ALL.iter().enumerate() {
        let what = match entry.reads {
            Reads::Raw => "would crash",
            _ => "recovered",
        };
        for (what, of) in [(what, faults as fn(usize, usize, Site) -> u64), ("would hang", endless)] {
            let mut sites: Vec<_> = Site::ALL
                .iter()
                .map(|site| {
                    let counts: Vec<_> = (0..tags.len()).map(|tag| of(walker, tag, *site)).collect();
                    (site.name(), counts)
                })
                .filter(|(_, counts)| counts.iter().any(|count| *count > 0))
                .collect();
            if sites.is_empty() {
                continue;
            }
            sites.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
            out.push('\n');
            let heads: Vec<_> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            row(&mut out, &format!("{}: {what} at", entry.name), &heads);
            for (site, counts) in sites {
                row(&mut out, &format!("  {site}"), &counts.iter().map(u64::to_string).collect::<Vec<_>>());
            }
        }
    }
    out
}

/// How long it went.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Inputs.
    pub executions: u64,
    /// Wall clock.
    pub seconds: f64,
}

/// The same for programs, as stats/README.md says. Names are plain ASCII without quotes, so nothing is escaped.
#[must_use]
pub fn json(run: Run) -> String {
    let (mut walks, mut rows) = (Vec::new(), Vec::new());
    for (tag, interpreter) in seed::tags().into_iter().enumerate() {
        for (walker, entry) in walkers::ALL.iter().enumerate() {
            let reads = match entry.reads {
                Reads::Raw => "raw",
                Reads::Guarded => "guarded",
                Reads::Kernel | Reads::Outside => "kernel",
            };
            let head =
                format!(r#""interpreter": "{interpreter}", "walker": "{}", "reads": "{reads}""#, entry.name);
            let failed = |faults: u64, hangs: u64| {
                let (crashes, recovered) = if entry.reads == Reads::Raw { (faults, 0) } else { (0, faults) };
                format!(r#""would_crash": {crashes}, "recovered": {recovered}, "hang": {hangs}"#)
            };
            let outcomes: Vec<_> = (0..PLAIN.len()).map(|column| plain(walker, tag, column)).collect();
            let (lost, hung) = (total(walker, tag, faults), total(walker, tag, endless));
            let all = outcomes.iter().sum::<u64>() + lost + hung;
            if all == 0 {
                continue;
            }
            let named: String =
                PLAIN.iter().zip(outcomes).map(|(name, count)| format!(r#""{name}": {count}, "#)).collect();
            walks.push(format!(r#"    {{{head}, "walks": {all}, {named}{}}}"#, failed(lost, hung)));
            for site in Site::ALL {
                let (lost, hung) = (faults(walker, tag, *site), endless(walker, tag, *site));
                if lost + hung > 0 {
                    let site = site.name();
                    rows.push(format!(r#"    {{{head}, "site": "{site}", {}}}"#, failed(lost, hung)));
                }
            }
        }
    }
    let Run { executions, seconds } = run;
    let head =
        format!(r#""schema": 1, "target": "walk", "executions": {executions}, "seconds": {seconds:.1},"#);
    format!(
        "{{\n  {head}\n  \"walks\": [\n{}\n  ],\n  \"rows\": [\n{}\n  ]\n}}\n",
        walks.join(",\n"),
        rows.join(",\n")
    )
}

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

/// The same for programs. Names are plain ASCII without quotes, so nothing is escaped.
#[must_use]
pub fn json() -> String {
    let tags = seed::tags();
    let mut rows = Vec::new();
    for (walker, entry) in walkers::ALL.iter().enumerate() {
        for (tag, name) in tags.iter().enumerate() {
            let outcomes: Vec<_> = PLAIN
                .iter()
                .enumerate()
                .map(|(column, outcome)| format!("\"{outcome}\": {}", plain(walker, tag, column)))
                .collect();
            let reads = match entry.reads {
                Reads::Raw => "raw",
                Reads::Guarded => "guarded",
                Reads::Kernel | Reads::Outside => "kernel",
            };
            rows.push(format!(
                "    {{\"walker\": \"{}\", \"reads\": \"{reads}\", \"interpreter\": \"{name}\", {}, \"faults\": {}, \"endless\": {}}}",
                entry.name,
                outcomes.join(", "),
                sites(walker, tag, faults),
                sites(walker, tag, endless),
            ));
        }
    }
    format!("{{\n  \"schema\": 1,\n  \"walks\": [\n{}\n  ]\n}}\n", rows.join(",\n"))
}

fn sites(walker: usize, tag: usize, of: fn(usize, usize, Site) -> u64) -> String {
    let counts: Vec<_> = Site::ALL
        .iter()
        .map(|site| (site.name(), of(walker, tag, *site)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("\"{name}\": {count}"))
        .collect();
    format!("{{{}}}", counts.join(", "))
}

//! The exact commands behind a page.

use crate::model::records::Records;
use crate::model::tag;
use crate::text::shell;
use std::collections::BTreeSet;

/// What makes the page again from the records it was made of.
pub fn rebuild(records: &Records) -> String {
    let dirs: BTreeSet<&str> = records.runs.iter().map(|run| run.dir.as_str()).collect();
    let dirs: Vec<String> = dirs.into_iter().map(shell::quoted).collect();
    format!("report build {} --out report.html", dirs.join(" "))
}

/// What measures the same interpreters again. A tag also carries build and allocator, which the script chooses itself.
pub fn remeasure(records: &Records) -> String {
    let versions: BTreeSet<(Vec<u64>, &str)> = records
        .builds
        .keys()
        .map(|tag| tag.split('-').next().unwrap_or(tag))
        .map(|plain| (tag::version(plain), plain))
        .collect();
    let pythons: Vec<String> =
        versions.into_iter().map(|(_, plain)| format!("--python {}", shell::quoted(plain))).collect();
    format!("scripts/evaluate --full {}", pythons.join(" "))
}

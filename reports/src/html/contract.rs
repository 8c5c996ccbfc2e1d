//! What walks touched that they had promised not to touch: a table an interpreter, a row a subject, a column a context.

use super::table::{Status, Table, Td};
use crate::model::cell::Count;
use crate::model::contract::{lost, worst};
use crate::model::records::Records;
use crate::text::anchor;
use crate::text::number::{self, grouped};
use sigwalk_record::{Contract, Whose};
use std::collections::BTreeMap;

const CONTEXTS: [(&str, &str); 3] =
    [("hook", "allocator's hook"), ("signal", "timer's signal handler"), ("crash-handler", "crash handler")];

/// The tables, with their anchors.
pub fn tables(records: &Records) -> Vec<(String, Table)> {
    records.builds.keys().filter_map(|tag| Some((anchor("contract", tag), table(records, tag)?))).collect()
}

fn table(records: &Records, tag: &str) -> Option<Table> {
    let rows: Vec<&Contract> = records.contracts.iter().filter(|row| row.interpreter == tag).collect();
    let first = rows.first()?;
    let mut head = vec!["subject", "code of"];
    head.extend(CONTEXTS.iter().map(|(_, name)| *name));
    let caption = format!(
        "{tag}: kinds of violations, in walks under the look that sees them; below, bytes of C stack. AT_MINSIGSTKSZ of this machine is {} bytes",
        grouped(first.minimal_signal_stack)
    );
    let mut table = Table::new(caption, head.len(), &head);
    let mut subjects: Vec<(&str, Whose)> = Vec::new();
    for row in rows.iter().filter(|row| row.whose != Whose::Planted) {
        if !subjects.contains(&(&row.subject, row.whose)) {
            subjects.push((&row.subject, row.whose));
        }
    }
    for (subject, whose) in subjects {
        let of = |context: &str| rows.iter().find(|row| row.subject == subject && row.context == context);
        let mut cells = vec![Td::text(if whose == Whose::Ours { "sigwalk" } else { "CPython" })];
        cells.extend(CONTEXTS.iter().map(|(context, _)| {
            of(context).map_or_else(|| Td::text("not run").status(Status::Absent), |row| cell(row))
        }));
        table.row("", Td::code(subject), cells);
    }
    table.note = planted(&rows);
    Some(table)
}

fn cell(row: &Contract) -> Td {
    if !row.not_available.is_empty() {
        return Td::text("not there").small(row.not_available.clone()).status(Status::Absent);
    }
    let mut lines: Vec<String> = row
        .violations
        .iter()
        .map(|(kind, k)| format!("{kind} {}", number::fraction(Count { k: *k, n: row.walks })))
        .collect();
    lines.extend(lost(row));
    let status = match () {
        () if row.lost.contains_key("hang") => Status::Hang,
        () if !row.lost.is_empty() => Status::Crash,
        () if !row.violations.is_empty() => Status::Bad,
        () => Status::Zero,
    };
    if lines.is_empty() {
        lines.push(format!("none {}", number::count(worst(row))));
    }
    let more = [
        listed("called or written", &row.touched),
        listed("allowed", &row.allowed),
        reasons(&row.not_checked),
    ];
    Td {
        lines,
        small: if row.stack > 0 {
            format!("{} bytes of stack", grouped(row.stack))
        } else {
            "stack not measured".to_owned()
        },
        more: more.into_iter().filter(|line| !line.is_empty()).collect(),
        about: "what",
        ..Td::default()
    }
    .status(status)
}

fn listed(what: &str, counts: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> =
        counts.iter().map(|(name, times)| format!("{name} {}", grouped(*times))).collect();
    if parts.is_empty() { String::new() } else { format!("{what}: {}", parts.join(", ")) }
}

fn reasons(not_checked: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = not_checked.iter().map(|(kind, why)| format!("{kind}: {why}")).collect();
    if parts.is_empty() { String::new() } else { format!("not looked for: {}", parts.join("; ")) }
}

fn planted(rows: &[&Contract]) -> String {
    let planted: Vec<&&Contract> = rows.iter().filter(|row| row.whose == Whose::Planted).collect();
    let share = |row: &Contract| worst(row).k as f64 / row.walks.max(1) as f64;
    let Some(least) = planted.iter().min_by(|a, b| share(a).total_cmp(&share(b))) else {
        return String::new();
    };
    let seen = planted.iter().filter(|row| !row.violations.is_empty()).count();
    let mut names: Vec<&str> = planted.iter().map(|row| row.subject.trim_start_matches("planted-")).collect();
    names.dedup();
    format!(
        "Walkers with a planted violation each, as a test of the checker ({}): {seen} of {} rows show it, the least of them in {} walks ({} in {}; a walk that meets no frame has nothing to violate).",
        names.join(", "),
        planted.len(),
        number::fraction(worst(least)),
        least.subject,
        least.context
    )
}

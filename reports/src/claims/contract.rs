//! C7: whether the proposed functions keep their contract.
//!
//! The rule, fixed before the first run: the functions are `cpython-c` (CPython's own helpers) and `pr-b1` (our model of the walk
//! over them). Any violation in any context refutes. A process that died is no violation: bare loads do that, and C1 and C3 are about it. Support needs every kind of violation looked for, in every context, and a
//! bound of 1 % or lower on watched walks. What CPython's other functions do is told beside it, and decides nothing: they have
//! promised nothing.

use super::evidence::ENOUGH;
use super::{Evidence, Finding, Sure, Verdict};
use crate::model::contract::{lost, worst};
use crate::text::number::count;
use sigwalk_record::{Contract, Whose};
use std::collections::BTreeSet;

/// Whose contract it is.
const FUNCTIONS: [&str; 2] = ["cpython-c", "pr-b1"];

const CONTEXTS: [&str; 3] = ["hook", "signal", "crash-handler"];

/// C7.
pub fn kept(evidence: Evidence) -> Finding {
    let ran = |row: &&Contract| row.not_available.is_empty() && row.walks > 0;
    let all: Vec<&Contract> = evidence.records.contracts.iter().filter(ran).collect();
    let rows: Vec<&Contract> =
        all.iter().copied().filter(|row| FUNCTIONS.contains(&row.subject.as_str())).collect();
    let Some(row) = rows.iter().max_by(|a, b| worst(a).bound().total_cmp(&worst(b).bound())) else {
        return Finding::not_measured(
            "no record of stress contract, which watches calls, stores, system calls and registers during a walk",
        );
    };
    let broken = rows.iter().any(|row| !row.violations.is_empty());
    let seen: BTreeSet<&str> = rows.iter().map(|row| row.context.as_str()).collect();
    let looked = rows.iter().all(|row| row.not_checked.is_empty())
        && CONTEXTS.iter().all(|context| seen.contains(context));
    let verdict = match () {
        () if broken => Verdict::Refuted,
        () if looked && worst(row).bound() <= ENOUGH => Verdict::Supported,
        () => Verdict::NotMeasured,
    };
    let says = match verdict {
        Verdict::Refuted => "a watched walk did what it must not",
        Verdict::Supported => {
            "no allocation, lock, reference count, write to the interpreter, unexpected system call or changed errno in any watched walk of our model of the PR, and of CPython's own helpers where they are; the PR's own C functions are not public"
        }
        _ => "some kind of violation could not be looked for, or too few walks were watched",
    };
    let figure =
        format!("violations {} ({} in {}, {})", count(worst(row)), row.subject, row.context, row.interpreter);
    let walks = rows.iter().map(|row| row.walks).sum();
    let sure = Sure {
        counts: vec![(walks, "watched walks")],
        interpreters: rows.iter().map(|row| row.interpreter.clone()).collect(),
        unfinished: false,
    };
    let died: u64 = rows.iter().flat_map(|row| row.lost.values()).sum();
    let died = (died > 0).then(|| format!("{died} of their processes died in a walk, of a bad load"));
    let of = |name: &str| rows.iter().filter(|row| row.subject == name).count();
    let looked_at = format!(
        "{} cells of pr-b1, our model, and {} of cpython-c, CPython's helpers; re-entry would show by what it writes, calls or asks of the kernel, and is not watched otherwise",
        of("pr-b1"),
        of("cpython-c")
    );
    Finding::new(verdict, says, figure)
        .detailed([looked_at])
        .detailed(died)
        .detailed(others(&all))
        .resting_on(sure)
        .at("contract")
}

/// What CPython's other functions did, of each the newest interpreter's worst context; and ours, in one line.
fn others(rows: &[&Contract]) -> Vec<String> {
    let mut said = Vec::new();
    let names: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.whose == Whose::Cpython && !FUNCTIONS.contains(&row.subject.as_str()))
        .map(|row| row.subject.as_str())
        .collect();
    for name in names {
        let worst = rows.iter().filter(|row| row.subject == name).max_by_key(|row| {
            (row.lost.values().sum::<u64>(), row.violations.len(), row.interpreter.as_str())
        });
        if let Some(row) = worst.filter(|row| !row.violations.is_empty() || !row.lost.is_empty()) {
            let kinds: Vec<&str> = row.violations.keys().map(String::as_str).collect();
            let lost: Vec<String> = lost(row).map(|how| format!("{how}, one a look")).collect();
            let parts = [kinds.join(", "), lost.join(", ")];
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            said.push(format!("{name} in {} on {}: {}", row.context, row.interpreter, parts.join("; ")));
        }
    }
    let ours: Vec<&&Contract> = rows.iter().filter(|row| row.whose == Whose::Ours).collect();
    let broken = ours.iter().filter(|row| !row.violations.is_empty() || !row.lost.is_empty()).count();
    if !ours.is_empty() {
        said.push(format!("walkers of sigwalk: violations in {broken} of {} rows", ours.len()));
    }
    said
}

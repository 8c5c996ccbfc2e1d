//! Mutated frame memory in `summary.md`. Rows of the newest interpreter come first: what does not fit must be what says least.

use super::number::{count, fraction, grouped, percent, rate, significant};
use super::table::Table;
use crate::model::Model;
use crate::model::cell::Count;
use crate::model::check::{HARMS, alone, bare_and_whole, of_walks};
use crate::model::injected::{COLUMNS as INJECTED, mode};
use crate::model::mutation::{SILENT, refused};
use crate::model::tag::{newest, version};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Healthy stacks, nothing changed.
pub fn control(model: &Model) -> Table {
    let head = ["python", "walker", "refused", "≤95%", "wrong", "≤95%", "unharmed"];
    let mut table = Table::new(2, &head);
    for row in model.records.mutations.controls() {
        let (refused, wrong) = (refused(row), Count { k: row.silent(), n: row.walks });
        table.row(vec![
            row.interpreter.clone(),
            row.walker.clone(),
            fraction(refused),
            rate(refused.bound()),
            fraction(wrong),
            rate(wrong.bound()),
            fraction(Count { k: row.unharmed, n: row.walks }),
        ]);
    }
    table
}

/// One row an interpreter and walker: detected, fatal and silent outcomes in columns of their own.
pub fn walkers(model: &Model) -> Table {
    let mut head =
        vec!["python", "walker", "walks", "stacks", "noticed", "recovered", "crash", "≤95%", "hang"];
    head.extend(["silent", "≤95%"]);
    let kinds: Vec<String> = SILENT.iter().map(|(name, _)| name.replace('_', " ")).collect();
    head.extend(kinds.iter().map(String::as_str));
    head.push("unharmed");
    let mut table = Table::new(2, &head);
    let sums = model.records.mutations.sums(|_| true, |row| (row.interpreter.clone(), row.walker.clone()));
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|((tag, walker), _)| (Reverse(version(tag)), tag.clone(), walker.clone()));
    for ((interpreter, walker), row) in sums {
        let stacks = grouped(model.records.mutations.stacks(&interpreter, &walker));
        let bound = |k| rate(Count { k, n: row.walks }.bound());
        let mut cells = vec![interpreter, walker, grouped(row.walks), stacks];
        cells.extend([grouped(row.noticed), grouped(row.recovered)]);
        cells.extend([grouped(row.would_crash), bound(row.would_crash), grouped(row.hang)]);
        cells.extend([grouped(row.silent()), bound(row.silent())]);
        cells.extend(SILENT.map(|(_, k)| grouped(k(&row))));
        cells.push(grouped(row.unharmed));
        table.row(cells);
    }
    table
}

/// Harm without and with all checks.
pub fn effect(model: &Model) -> Table {
    let mut table =
        Table::new(2, &["python", "family", "walks", "harm", "without any check", "with all checks"]);
    let sums = model.records.checks.sums();
    let pairs: BTreeSet<(&str, &str)> = sums.keys().map(|(tag, family, _)| (*tag, *family)).collect();
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by_key(|(tag, family)| (*family != "pr-b1", *family, Reverse(version(tag)), *tag));
    for (interpreter, family) in pairs {
        let Some(row) = bare_and_whole(&sums, interpreter, family) else { continue };
        for kind in HARMS {
            table.row(vec![
                interpreter.to_owned(),
                family.to_owned(),
                grouped(row.walks),
                kind.0.to_owned(),
                count(of_walks(row, &row.bare, kind)),
                count(of_walks(row, &row.whole, kind)),
            ]);
        }
    }
    table
}

/// Checks of the newest interpreter, best first; the others stand on the page and in summary.json.
pub fn checks(model: &Model) -> Option<(String, Table)> {
    let tags: BTreeSet<&str> = model.ablation.iter().map(|of| of.interpreter.as_str()).collect();
    let newest = newest(&model.records, tags)?;
    let sums = model.records.checks.sums();
    let head = [
        "family",
        "check",
        "only it prevents",
        "alone, of crashes",
        "ns/frame [95%]",
        "only it per M and ns",
    ];
    let mut table = Table::new(2, &head);
    let mut families: Vec<_> = model.ablation.iter().filter(|of| of.interpreter == newest).collect();
    families.sort_by_key(|of| (of.family != "pr-b1", &of.family));
    for of in families {
        for step in &of.steps {
            let alone = sums
                .get(&(newest, of.family.as_str(), step.check.as_str()))
                .map_or_else(|| "–".to_owned(), |row| percent(alone(row, HARMS[0])));
            let cost = step.price.as_ref().map_or_else(
                || "not measured".to_owned(),
                |price| {
                    let interval = price.ns.interval;
                    let value = if price.measurable() {
                        significant(price.ns.value)
                    } else {
                        "not measurable".to_owned()
                    };
                    format!("{value} [{}, {}]", significant(interval.low), significant(interval.high))
                },
            );
            table.row(vec![
                of.family.clone(),
                step.check.clone(),
                count(step.only),
                alone,
                cost,
                step.worth(step.only_per_ns()),
            ]);
        }
    }
    Some((newest.to_owned(), table))
}

/// Loads that fail on purpose.
pub fn injection(model: &Model) -> Table {
    let mut head = vec!["python", "walker", "mode", "longest", "walks"];
    head.extend(INJECTED.map(|(name, _)| name));
    head.extend(["crash ≤95%", "unprotected"]);
    let mut table = Table::new(3, &head);
    let mut rows: Vec<_> = model.records.injections.0.values().collect();
    // Crashes and loads past the reader first, then the newest; the sort is stable.
    rows.sort_by_key(|row| (row.crash == 0 && row.unprotected == 0, Reverse(version(&row.interpreter))));
    for row in rows {
        let mut cells = vec![row.interpreter.clone(), row.walker.clone(), mode(row)];
        cells.extend([grouped(row.longest), grouped(row.walks)]);
        cells.extend(INJECTED.map(|(_, k)| grouped(k(row))));
        cells.push(rate(Count { k: row.crash, n: row.walks }.bound()));
        cells.push(grouped(row.unprotected));
        table.row(cells);
    }
    table
}

/// What the fuzzer met: counts, no rates.
pub fn fuzz(model: &Model) -> Table {
    let mut table = Table::new(3, &["walker", "python", "what", "walks", "sites"]);
    for row in model.records.fuzzed.walks.values() {
        for (what, k) in [("would crash", row.would_crash), ("would hang", row.hang)] {
            let sites = model.records.fuzzed.sites.iter().filter(|((walker, of, _), counts)| {
                (walker, *of) == (&row.walker, what) && counts.contains_key(&row.interpreter)
            });
            if k > 0 {
                let sites = sites.count().to_string();
                table.row(vec![
                    row.walker.clone(),
                    row.interpreter.clone(),
                    what.to_owned(),
                    grouped(k),
                    sites,
                ]);
            }
        }
    }
    table
}

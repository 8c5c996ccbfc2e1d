//! Every interpreter by field and by fault model: shares at a glance, then counts with bounds, and at which load it would have
//! crashed.

use super::super::order;
use super::super::table::{Status, Table, Td};
use super::outcomes::{exact_table, outcomes};
use super::tags;
use crate::model::cell::Count;
use crate::model::mutation::{COLUMNS, Mutations};
use crate::text::anchor;
use crate::text::number::percent;
use sigwalk_record::Mutation;
use std::collections::{BTreeMap, BTreeSet};

/// Tables of one interpreter.
#[derive(Debug)]
pub struct MutatedBuild {
    /// Anchor.
    pub id: String,
    /// Tag.
    pub interpreter: String,
    /// Whether it is shown without being asked for.
    pub open: bool,
    /// Whether walkers are left out.
    pub left_out: bool,
    /// Shares at a glance: by field, by fault model.
    pub shares: [Table; 2],
    /// Loads that would have killed the process.
    pub sites: Table,
    /// k/n and bounds: by field, by fault model, every row.
    pub exact: [Table; 3],
}

/// More single rows of one interpreter than this are only in summary.json: the worst come first.
const ROWS: usize = 60;

/// Walkers that every interpreter shows by field and model, among them those of the question. The others are shown on the newest
/// release: they differ in how they read, hardly in what they notice, and ten of them on eleven builds would fill the page.
const MAIN: [&str; 4] = ["pr-b1", "pr-b1-hops", "cpython-c", "guarded"];

/// Of these, whose exact counts every interpreter shows.
const EXACT: [&str; 2] = ["pr-b1", "guarded"];

/// Outcomes by (field or model, walker).
type Sums = BTreeMap<(String, String), Mutation>;

/// Every interpreter, by version.
pub fn all(mutations: &Mutations, newest: Option<&str>, rows: usize) -> Vec<MutatedBuild> {
    let tags = tags(mutations.mutated().map(|row| row.interpreter.as_str()));
    tags.into_iter().map(|tag| build(mutations, tag, newest == Some(tag), rows)).collect()
}

fn build(mutations: &Mutations, tag: &str, open: bool, rows: usize) -> MutatedBuild {
    let by_field = |row: &Mutation| (row.field.clone(), row.walker.clone());
    let by_model = |row: &Mutation| (row.model.clone(), row.walker.clone());
    let shown = |row: &Mutation| row.interpreter == tag && (open || MAIN.contains(&row.walker.as_str()));
    let sums = |by: &dyn Fn(&Mutation) -> (String, String)| mutations.sums(shown, by);
    let (fields, models) = (sums(&by_field), sums(&by_model));
    let exactly = |sums: &Sums| {
        let kept = sums.iter().filter(|((_, walker), _)| open || EXACT.contains(&walker.as_str()));
        kept.map(|(key, row)| (key.clone(), row.clone())).collect::<Sums>()
    };
    let caption = |what: &str| format!("{what} on {tag}: share of walks");
    let bounds = |what: &str| format!("{what} on {tag}: k/n walks and 95 % bound");
    MutatedBuild {
        id: anchor("mutations", tag),
        interpreter: tag.to_owned(),
        open,
        left_out: !open && fields.keys().any(|(_, walker)| !EXACT.contains(&walker.as_str())),
        sites: sites(mutations, tag, rows.min(ROWS)),
        shares: [
            shares(caption("Changed field, all fault models,"), "field", &fields, rows),
            shares(caption("Fault model, all fields,"), "model", &models, rows),
        ],
        exact: [
            exact(bounds("By field"), "field", &exactly(&fields), rows),
            exact(bounds("By fault model"), "model", &exactly(&models), rows),
            every(mutations, tag, rows.min(if open { ROWS } else { ROWS / 3 })),
        ],
    }
}

/// Parts of a bar, in the order of [`COLUMNS`].
const PARTS: [&str; 6] = ["b-crash", "b-hang", "b-silent", "b-noticed", "b-recovered", "b-unharmed"];

fn share(row: &Mutation) -> Td {
    let said = |name: &str, k: u64| format!("{name} {}", percent(Count { k, n: row.walks }));
    let first = [said("crash", row.would_crash), said("silent", row.silent()), said("noticed", row.noticed)];
    let seldom = [("hang", row.hang), ("recovered", row.recovered), ("unharmed", row.unharmed)];
    let second: Vec<String> =
        seldom.into_iter().filter(|(_, k)| *k > 0).map(|(name, k)| said(name, k)).collect();
    Td::text(first.join(" · "))
        .small(second.join(" · "))
        .bar(row.walks, PARTS.into_iter().zip(COLUMNS.iter().map(|(_, k)| k(row))))
}

/// One row a key, walkers side by side.
fn shares(caption: String, what: &str, sums: &Sums, rows: usize) -> Table {
    let walkers = order::walkers(sums.keys().map(|(_, walker)| walker.as_str()));
    let keys: BTreeSet<&str> = sums.keys().map(|(key, _)| key.as_str()).collect();
    let mut head = vec![what];
    head.extend(&walkers);
    let mut table = Table::new(caption, head.len(), &head);
    for key in keys {
        let across = walkers.iter().map(|walker| {
            sums.get(&(key.to_owned(), (*walker).to_owned())).map_or_else(|| Td::text("–"), share)
        });
        table.row("", Td::code(key), across.collect());
    }
    table.cut(rows);
    table
}

fn exact(caption: String, what: &str, sums: &Sums, rows: usize) -> Table {
    let mut table = exact_table(caption, &[what, "walker"]);
    for ((key, walker), row) in sums {
        let mut cells = vec![Td::text(walker.clone())];
        cells.extend(outcomes(row));
        table.row("", Td::code(key.clone()), cells);
    }
    table.cut(rows);
    table
}

/// Loads down, walkers across: those that crash at all.
fn sites(mutations: &Mutations, tag: &str, rows: usize) -> Table {
    let sums = mutations.sums(|row| row.interpreter == tag, |row| row.walker.clone());
    let crashing = sums.iter().filter(|(_, row)| !row.crash_sites.is_empty());
    let walkers = order::walkers(crashing.map(|(walker, _)| walker.as_str()));
    let mut total = BTreeMap::<&str, u64>::new();
    for (site, count) in sums.values().flat_map(|row| &row.crash_sites) {
        let sum = total.entry(site).or_default();
        *sum = sum.saturating_add(*count);
    }
    let mut ranked: Vec<_> = total.into_iter().collect();
    ranked.sort_by_key(|(site, count)| (std::cmp::Reverse(*count), *site));
    let mut head = vec!["load"];
    head.extend(&walkers);
    let caption = format!("The load that would have killed the process on {tag}: k/n walks and 95 % bounds");
    let mut table = Table::new(caption, 1, &head);
    for (site, _) in ranked {
        let across = walkers.iter().map(|walker| {
            let row = &sums[*walker];
            let k = row.crash_sites.get(site).copied().unwrap_or_default();
            Td::count(Count { k, n: row.walks }, Status::Crash)
        });
        table.row("", Td::code(site), across.collect());
    }
    table.cut(rows);
    table
}

fn every(mutations: &Mutations, tag: &str, rows: usize) -> Table {
    let caption = format!("Every field and fault model on {tag}, worst first: k/n walks and 95 % bound");
    let mut table = exact_table(caption, &["walker", "field", "model"]);
    let mut ranked: Vec<&Mutation> = mutations.mutated().filter(|row| row.interpreter == tag).collect();
    // Stable, so that equals keep the order of their names.
    ranked.sort_by_key(|row| std::cmp::Reverse((row.would_crash, row.hang, row.silent())));
    for row in ranked.iter().take(rows) {
        let sites: Vec<String> =
            row.crash_sites.iter().map(|(site, count)| format!("{site} {count}")).collect();
        let mut cells =
            vec![Td::code(row.field.clone()), Td::code(row.model.clone()).small(sites.join(", "))];
        cells.extend(outcomes(row));
        table.row("", Td::text(row.walker.clone()), cells);
    }
    if ranked.len() > rows {
        table.note = format!("{} more rows are in summary.json.", ranked.len() - rows);
    }
    table
}

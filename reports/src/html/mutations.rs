//! Mutated frame memory: the control first, then walkers, then fields and value classes of each interpreter.

use super::order;
use super::table::{Status, Table, Td};
use crate::model::Model;
use crate::model::cell::Count;
use crate::model::mutation::{COLUMNS, Mutations, refused};
use crate::text::anchor;
use crate::text::number::{grouped, percent};
use sigwalk_record::{Kind, Mutation};
use std::collections::{BTreeMap, BTreeSet};

/// The section.
#[derive(Debug)]
pub struct Mutated {
    /// Healthy stacks, nothing changed; without rows in records that have no control.
    pub control: Table,
    /// By interpreter and walker.
    pub walkers: Table,
    /// One interpreter each.
    pub builds: Vec<MutatedBuild>,
}

/// Tables of one interpreter.
#[derive(Debug)]
pub struct MutatedBuild {
    /// Anchor.
    pub id: String,
    /// Tag.
    pub interpreter: String,
    /// Shares at a glance: by field, by value class.
    pub shares: [Table; 2],
    /// k/n and bounds: by field, by value class, every row.
    pub exact: [Table; 3],
}

/// More single rows of one interpreter than this are only in summary.json: the worst come first.
const ROWS: usize = 60;

/// Everything about mutations, at most `rows` rows a table; nothing when there are none.
pub fn section(model: &Model, rows: usize) -> Option<Mutated> {
    let mutations = &model.records.mutations;
    let tags: BTreeSet<&str> = mutations.mutated().map(|row| row.interpreter.as_str()).collect();
    let control = control(mutations);
    if tags.is_empty() && control.rows.is_empty() {
        return None;
    }
    Some(Mutated {
        control,
        walkers: walkers(model),
        builds: tags.into_iter().map(|tag| build(mutations, tag, rows)).collect(),
    })
}

fn control(mutations: &Mutations) -> Table {
    let head = ["interpreter", "walker", "refused", "wrong", "unharmed"];
    let mut table = Table::new("Healthy stacks, nothing changed: k/n stacks", 2, &head);
    let mut rows: Vec<&Mutation> = mutations.controls().collect();
    rows.sort_by_key(|row| (row.interpreter.as_str(), order::rank(&row.walker)));
    for row in rows {
        let count = |k| Count { k, n: row.walks };
        table.row(
            "",
            Td::text(row.interpreter.clone()),
            vec![
                Td::text(row.walker.clone()),
                Td::count(refused(row), Status::Detected),
                Td::count(count(row.silent()), Status::Silent),
                Td::count(count(row.unharmed), Status::Zero),
            ],
        );
    }
    table
}

fn outcomes(row: &Mutation) -> impl Iterator<Item = Td> {
    let statuses =
        [Status::Crash, Status::Hang, Status::Silent, Status::Detected, Status::Detected, Status::Zero];
    let columns = COLUMNS.iter().zip(statuses);
    columns.map(|((_, k), status)| Td::count(Count { k: k(row), n: row.walks }, status))
}

fn exact_table(caption: String, keys: &[&str]) -> Table {
    let mut head = keys.to_vec();
    head.extend(["would crash", "hang", "silent", "noticed", "recovered", "unharmed"]);
    Table::new(caption, keys.len(), &head)
}

fn walkers(model: &Model) -> Table {
    let mutations = &model.records.mutations;
    let caption = "By walker, all fields and value classes; bounds treat walks as independent";
    let mut table = exact_table(caption.to_owned(), &["interpreter", "walker"]);
    let sums = mutations.sums(|_| true, |row| (row.interpreter.clone(), row.walker.clone()));
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|((a, x), _), ((b, y), _)| (a, order::rank(x)).cmp(&(b, order::rank(y))));
    for ((interpreter, walker), row) in sums {
        let is_run = |kind, tag: &str| kind == Kind::Mutations && tag == interpreter;
        let runs = model.records.runs.iter().filter(|run| run.rows > 0 && is_run(run.kind, &run.interpreter));
        let of_runs = match runs.count() {
            0 | 1 => String::new(),
            runs => format!(" of {runs} runs"),
        };
        let stacks = grouped(mutations.stacks(&interpreter, &walker));
        let mut cells =
            vec![Td::text(walker).small(format!("{} walks on {stacks} stacks{of_runs}", grouped(row.walks)))];
        cells.extend(outcomes(&row));
        table.row("", Td::text(interpreter), cells);
    }
    table
}

fn build(mutations: &Mutations, tag: &str, rows: usize) -> MutatedBuild {
    let by_field = |row: &Mutation| (row.field.clone(), row.walker.clone());
    let by_class = |row: &Mutation| (row.model.clone(), row.walker.clone());
    let sums = |by: &dyn Fn(&Mutation) -> (String, String)| mutations.sums(|row| row.interpreter == tag, by);
    let (fields, classes) = (sums(&by_field), sums(&by_class));
    let caption = |what: &str| format!("{what} on {tag}: share of walks");
    let bounds = |what: &str| format!("{what} on {tag}: k/n walks and 95 % bound");
    MutatedBuild {
        id: anchor("mutations", tag),
        interpreter: tag.to_owned(),
        shares: [
            shares(caption("Changed field, all value classes,"), "field", &fields, rows),
            shares(caption("Class of the value written, all fields,"), "class", &classes, rows),
        ],
        exact: [
            exact(bounds("By field"), "field", &fields, rows),
            exact(bounds("By value class"), "class", &classes, rows),
            every(mutations, tag, rows.min(ROWS)),
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
fn shares(caption: String, what: &str, sums: &BTreeMap<(String, String), Mutation>, rows: usize) -> Table {
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

fn exact(caption: String, what: &str, sums: &BTreeMap<(String, String), Mutation>, rows: usize) -> Table {
    let mut table = exact_table(caption, &[what, "walker"]);
    for ((key, walker), row) in sums {
        let mut cells = vec![Td::text(walker.clone())];
        cells.extend(outcomes(row));
        table.row("", Td::code(key.clone()), cells);
    }
    table.cut(rows);
    table
}

fn every(mutations: &Mutations, tag: &str, rows: usize) -> Table {
    let caption = format!("Every field and value class on {tag}, worst first: k/n walks and 95 % bound");
    let mut table = exact_table(caption, &["walker", "field", "class"]);
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

//! What became of walks over mutated memory: the control first, then walkers, then the kinds of silent answers.

use super::super::table::{Status, Table, Td, Th};
use super::by_tag;
use crate::model::Model;
use crate::model::cell::Count;
use crate::model::mutation::{Mutations, SILENT, refused};
use crate::text::number::grouped;
use sigwalk_record::{Kind, Mutation};
use std::collections::BTreeMap;

/// Healthy stacks.
pub fn control(mutations: &Mutations) -> Table {
    let head = ["interpreter", "walker", "refused", "wrong", "unharmed"];
    let mut table = Table::new("Healthy stacks, nothing changed: k/n stacks", 2, &head);
    let mut rows: Vec<&Mutation> = mutations.controls().collect();
    rows.sort_by(|a, b| by_tag((&a.interpreter, &a.walker), (&b.interpreter, &b.walker)));
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

/// A column: its name, how to find it in a row, how it looks.
type Shown = (&'static str, fn(&Mutation) -> u64, Status);

/// What the walker said itself, then what it did to the process, then what it did to its user: never in one column.
const SHOWN: [Shown; 6] = [
    ("noticed", |row| row.noticed, Status::Detected),
    ("recovered", |row| row.recovered, Status::Detected),
    ("would crash", |row| row.would_crash, Status::Crash),
    ("hang", |row| row.hang, Status::Hang),
    ("silent", Mutation::silent, Status::Silent),
    ("unharmed", |row| row.unharmed, Status::Zero),
];

/// The outcomes of a row, each with its bounds.
pub fn outcomes(row: &Mutation) -> impl Iterator<Item = Td> {
    SHOWN.iter().map(|(_, k, status)| Td::count(Count { k: k(row), n: row.walks }, *status))
}

/// A table of [`outcomes`] by these keys.
pub fn exact_table(caption: String, keys: &[&str]) -> Table {
    let mut head = keys.to_vec();
    head.extend(SHOWN.map(|(name, ..)| name));
    let mut table = Table::new(caption, keys.len(), &head);
    let group = |text: &str, span| Th { text: text.to_owned(), span, num: false };
    table.groups = vec![
        group("", keys.len()),
        group("said so", 2),
        group("did not come back", 2),
        group("wrong", 1),
        group("right", 1),
    ];
    table
}

fn by_walker(mutations: &Mutations) -> Vec<((String, String), Mutation)> {
    let sums: BTreeMap<_, _> = mutations.sums(|_| true, |row| (row.interpreter.clone(), row.walker.clone()));
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|((a, x), _), ((b, y), _)| by_tag((a, x), (b, y)));
    sums
}

/// One row an interpreter and walker.
pub fn walkers(model: &Model) -> Table {
    let mutations = &model.records.mutations;
    let caption =
        "By walker, all fields and fault models: k/n walks and 95 % bounds, which treat walks as independent";
    let mut table = exact_table(caption.to_owned(), &["interpreter", "walker"]);
    for ((interpreter, walker), row) in by_walker(mutations) {
        let is_run = |kind, tag: &str| kind == Kind::Mutations && tag == interpreter;
        let runs = model.records.runs.iter().filter(|run| run.rows > 0 && is_run(run.kind, &run.interpreter));
        let of_runs = match runs.count() {
            0 | 1 => String::new(),
            runs => format!(" of {runs} runs"),
        };
        let stacks = grouped(mutations.stacks(&interpreter, &walker));
        let mut effort = format!("{} walks on {stacks} stacks{of_runs}", grouped(row.walks));
        if row.hang > 0 && row.hops > 0 {
            effort.push_str(&format!("; endless ones cut after up to {} hops", grouped(row.hops)));
        }
        let mut cells = vec![Td::text(walker).small(effort)];
        cells.extend(outcomes(&row));
        table.row("", Td::text(interpreter), cells);
    }
    table
}

/// The same walks, what was wrong with their silent answers.
pub fn silent(mutations: &Mutations) -> Table {
    let mut head = vec!["interpreter", "walker", "silent"];
    head.extend(["splice", "wrong code", "wrong line", "prefix", "wrong name"]);
    let mut table = Table::new("Silent answers by kind: k/n walks and 95 % bounds", 2, &head);
    for ((interpreter, walker), row) in by_walker(mutations) {
        let count = |k| Td::count(Count { k, n: row.walks }, Status::Silent);
        let mut cells = vec![Td::text(walker), count(row.silent())];
        cells.extend(SILENT.iter().map(|(_, k)| count(k(&row))));
        table.row("", Td::text(interpreter), cells);
    }
    table
}

//! Damaged or healthy memory, believed or refused: what a walker's checks are worth as a test, one table an interpreter.

use super::super::table::{Status, Table, Td};
use super::{by_tag, tags};
use crate::model::cell::Count;
use crate::model::mutation::{Mutations, refused};
use crate::text::number::{fraction, limits};
use sigwalk_record::Mutation;
use std::collections::BTreeMap;

/// (interpreter, table), by version.
pub fn tables(mutations: &Mutations) -> Vec<(String, Table)> {
    let damaged = mutations.sums(|_| true, |row| (row.interpreter.clone(), row.walker.clone()));
    tags(damaged.keys().map(|(tag, _)| tag.as_str()))
        .into_iter()
        .map(|tag| (tag.to_owned(), table(mutations, tag, &damaged)))
        .collect()
}

fn table(mutations: &Mutations, tag: &str, damaged: &BTreeMap<(String, String), Mutation>) -> Table {
    let head = ["walker", "memory", "refused", "believed, wrong", "believed, right", "did not come back"];
    let caption = format!("Damaged or healthy, believed or refused, on {tag}: k/n walks");
    let mut table = Table::new(caption, 2, &head);
    let mut walkers: Vec<&str> =
        damaged.keys().filter(|(of, _)| of == tag).map(|(_, walker)| walker.as_str()).collect();
    walkers.sort_by(|a, b| by_tag((tag, a), (tag, b)));
    for walker in walkers {
        let row = &damaged[&(tag.to_owned(), walker.to_owned())];
        let lost = row.would_crash + row.hang;
        table.row(
            "",
            Td::text(walker),
            vec![
                Td::text("damaged"),
                named("hit", row.noticed + row.recovered, row.walks, Status::Good),
                named("miss", row.silent(), row.walks, Status::Silent),
                named("harmless", row.unharmed, row.walks, Status::Zero),
                named("crash or hang", lost, row.walks, Status::Crash),
            ],
        );
        let healthy = mutations.controls().find(|row| row.interpreter == tag && row.walker == walker);
        let Some(row) = healthy else { continue };
        let lost = row.would_crash + row.hang;
        table.row(
            "",
            Td::text(walker),
            vec![
                Td::text("healthy"),
                named("false alarm", refused(row).k - lost, row.walks, Status::Detected),
                named("wrong", row.silent(), row.walks, Status::Silent),
                named("correct", row.unharmed, row.walks, Status::Good),
                named("crash or hang", lost, row.walks, Status::Crash),
            ],
        );
    }
    table
}

fn named(word: &str, k: u64, n: u64, status: Status) -> Td {
    let count = Count { k, n };
    let td = Td {
        lines: vec![word.to_owned(), fraction(count)],
        small: limits(count),
        num: true,
        ..Td::default()
    };
    if k == 0 { td } else { td.status(status) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mutation::key;

    fn row(field: &str, model: &str, counts: [u64; 5]) -> Mutation {
        let [noticed, recovered, unharmed, splice, would_crash] = counts;
        Mutation {
            interpreter: "3.15.0".into(),
            walker: "guarded".into(),
            field: field.into(),
            model: model.into(),
            walks: counts.iter().sum(),
            stacks: 10,
            noticed,
            recovered,
            unharmed,
            splice,
            would_crash,
            ..Mutation::default()
        }
    }

    /// Every walk of a row stands in exactly one of its four cells.
    #[test]
    fn hit_miss_false_alarm_correct() {
        let mut mutations = Mutations::default();
        for row in
            [row("frame.previous", "wild", [3, 4, 5, 6, 7]), row("(nothing)", "undisturbed", [1, 0, 9, 0, 0])]
        {
            mutations.add(key(&row), row);
        }
        let tables = tables(&mutations);
        let said: Vec<Vec<String>> = tables[0]
            .1
            .rows
            .iter()
            .map(|row| row.cells[1..].iter().map(|td| td.lines.join(" ")).collect())
            .collect();
        assert_eq!(said[0], ["hit 7/25", "miss 6/25", "harmless 5/25", "crash or hang 7/25"]);
        assert_eq!(said[1], ["false alarm 1/10", "wrong 0/10", "correct 9/10", "crash or hang 0/10"]);
    }
}

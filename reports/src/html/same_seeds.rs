//! Walkers compared on the same seeds: a table for each workload, so that own-thread and other-thread walks share none.

use super::table::{Status, Table, Td};
use crate::model::Model;
use crate::model::pairs::{Compared, LEVEL, Row};
use crate::text::anchor;
use crate::text::number::{grouped, significant};
use std::collections::BTreeMap;

/// (anchor, table) by workload; at most `most` rows each.
pub fn tables(model: &Model, most: usize) -> Vec<(String, Table)> {
    let mut by_workload = BTreeMap::<&str, Vec<&Row>>::new();
    for row in &model.pairs {
        by_workload.entry(&row.workload).or_default().push(row);
    }
    by_workload
        .into_iter()
        .map(|(workload, rows)| (anchor("pairs", workload), table(workload, &rows, most)))
        .collect()
}

fn table(workload: &str, rows: &[&Row], most: usize) -> Table {
    let tests = |compared| rows.iter().filter(|row| row.compared == compared).count() as u64;
    let caption = format!(
        "Workload {workload}: exact McNemar tests, adjusted by Holm over {} of crashes and hangs, and over {} of silent wrong stacks",
        comparisons(tests(Compared::Died)),
        grouped(tests(Compared::Silent))
    );
    let head = [
        "walkers A, B",
        "interpreter",
        "target",
        "event",
        "verdict",
        "pairs",
        "only A",
        "only B",
        "p",
        "Holm p",
    ];
    let mut table = Table::new(caption, 5, &head);
    for row in rows.iter().filter(|row| row.differs()) {
        let status = match (row.adjusted <= LEVEL, row.compared) {
            (false, _) => Status::Mixed,
            (true, Compared::Died) => Status::Crash,
            (true, Compared::Silent) => Status::Silent,
        };
        let left_out = match row.left_out {
            0 => String::new(),
            pairs => format!("{} left out: one was over early", grouped(pairs)),
        };
        table.row(
            "",
            Td { lines: row.walkers.to_vec(), ..Td::default() },
            vec![
                Td::text(row.interpreter.clone()),
                Td::text(row.target.clone()).small(row.params.clone()),
                Td::text(row.compared.name().replace('_', " ")),
                Td::text(row.verdict()).status(status),
                Td::num(grouped(row.pairs)).small(left_out),
                Td::num(grouped(row.only[0])),
                Td::num(grouped(row.only[1])),
                Td::num(significant(row.p)),
                Td::num(significant(row.adjusted)),
            ],
        );
    }
    table.cut(most);
    let same = rows.iter().filter(|row| !row.differs()).count() as u64;
    table.note = format!("{} In {} no pair differs.", table.note, comparisons(same)).trim().to_owned();
    table
}

fn comparisons(count: u64) -> String {
    format!("{} comparison{}", grouped(count), if count == 1 { "" } else { "s" })
}

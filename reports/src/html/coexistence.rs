//! Beside other owners of signals: a table for each interpreter, and one for what is shown for comparison.

use super::order;
use super::table::{Status, Table, Td};
use crate::model::coexistence::{OUTCOMES, kills};
use crate::model::records::Records;
use crate::model::tag;
use crate::text::anchor;
use crate::text::number::{count, grouped};
use sigwalk_record::Coexistence;
use std::collections::BTreeMap;

/// One interpreter.
#[derive(Debug)]
pub struct Beside {
    /// Anchor.
    pub id: String,
    /// Its tag.
    pub interpreter: String,
    /// What we recommend.
    pub ours: Table,
    /// What is shown for comparison.
    pub shown: Table,
}

/// All interpreters, with at most `most` rows a table. Nothing without such records.
pub fn sections(records: &Records, most: usize) -> Vec<Beside> {
    let mut by_tag = BTreeMap::<(Vec<u64>, &str), Vec<&Coexistence>>::new();
    for row in &records.coexistence {
        let tag = row.interpreter.as_str();
        by_tag.entry((tag::version(tag), tag)).or_default().push(row);
    }
    let beside = |((_, tag), rows): ((Vec<u64>, &str), Vec<&Coexistence>)| Beside {
        id: anchor("coexistence", tag),
        interpreter: tag.to_owned(),
        ours: table(
            &rows,
            true,
            most,
            format!(
                "Walks of the recommended ways beside another owner of signals on {tag}: trials, and 95 % bound of deaths"
            ),
        ),
        shown: table(
            &rows,
            false,
            most,
            format!(
                "Shown for comparison on {tag}, not recommended: deaths here are no defect of a walker above"
            ),
        ),
    };
    by_tag.into_iter().map(beside).collect()
}

fn table(rows: &[&Coexistence], ours: bool, most: usize, caption: String) -> Table {
    let mut cells = BTreeMap::<(&str, &str), BTreeMap<&str, &Coexistence>>::new();
    for row in rows.iter().filter(|row| row.ours == ours) {
        cells.entry((&row.other, &row.order)).or_default().insert(&row.walker, row);
    }
    let walkers = order::walkers(cells.values().flat_map(|cells| cells.keys().copied()));
    let mut head = vec!["other owner", "installed"];
    head.extend(&walkers);
    let mut table = Table::new(caption, head.len(), &head);
    for ((other, order), by_walker) in cells {
        let mut tds = vec![Td::text(order.replace('-', " "))];
        tds.extend(walkers.iter().map(|walker| by_walker.get(walker).map_or_else(absent, |row| td(row))));
        table.row("", Td::text(other), tds);
    }
    table.cut(most);
    table
}

fn absent() -> Td {
    Td::text("not run").status(Status::Absent)
}

fn td(row: &Coexistence) -> Td {
    let survived_as = OUTCOMES.iter().filter(|(name, _, of)| *name != "kills" && of(row) > 0);
    let mut lines: Vec<String> = survived_as
        .map(|(name, glyph, of)| format!("{glyph} {name} {}/{}", grouped(of(row)), grouped(row.n)))
        .collect();
    let glyph = if row.kills > 0 { "✕" } else { "○" };
    lines.push(format!("{glyph} kills {}", count(kills(row))));
    // Of trials that came so far: a death is told once.
    let survived = row.n - row.kills.min(row.n);
    for (k, what) in [(row.restored, "not put back"), (row.reached, "bad access not handed on")] {
        if k < survived {
            lines.push(format!("✗ {what} {}/{}", grouped(survived - k), grouped(survived)));
        }
    }
    let status = match () {
        () if row.kills > 0 => Status::Crash,
        () if row.restored.min(row.reached) < survived => Status::Bad,
        () if row.loses_recovery > 0 => Status::Detected,
        () => Status::Good,
    };
    Td { lines, class: status.class(), small: row.note.clone(), ..Td::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kills: u64, restored: u64, loses: u64) -> Coexistence {
        Coexistence {
            n: 200,
            kills,
            restored,
            reached: restored,
            loses_recovery: loses,
            recovers: 200 - kills - loses,
            ..Coexistence::default()
        }
    }

    #[test]
    fn a_cell_says_outcome_bound_and_what_was_left_wrong() {
        assert_eq!(td(&row(0, 200, 0)).lines, ["✓ recovers 200/200", "○ kills 0/200 ≤ 1.49 %"]);
        let mixed = td(&row(0, 190, 200));
        assert_eq!(mixed.lines[0], "◐ loses recovery 200/200");
        assert_eq!(mixed.lines[2..], ["✗ not put back 10/200", "✗ bad access not handed on 10/200"]);
        assert_eq!(mixed.class, Status::Bad.class());
        let dead = td(&row(200, 0, 0));
        assert_eq!(dead.lines, ["✕ kills 200/200 [98.1 %, 100 %]"]);
        assert_eq!(dead.class, Status::Crash.class());
    }
}

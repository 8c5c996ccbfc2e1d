//! Stepping: walks at every instruction boundary of a window, and where their answer was no legal stack.

use super::order;
use super::table::{Status, Table, Td, Th};
use crate::model::Model;
use crate::model::cell::CellStats;
use crate::model::stepping::KINDS;
use crate::plot::Mark;
use crate::text::number::grouped;
use std::cmp::Ordering;

/// How a mark of a strip looks in a table.
pub fn status(mark: Mark) -> Status {
    match mark {
        Mark::Fault => Status::Crash,
        Mark::Silent => Status::Silent,
        Mark::Detected => Status::Detected,
    }
}

/// What a cell met, and at which instructions; at most `most` rows each.
pub fn tables(model: &Model, most: usize) -> (Table, Table) {
    let mut cells: Vec<&CellStats> =
        model.records.cells.values().filter(|cell| cell.stepping.boundaries > 0).collect();
    cells.sort_by_key(|cell| {
        (&cell.cell.interpreter, cell.target_label(), order::rank(&cell.cell.walker), &cell.cell.id)
    });
    (sums(&cells, most), sites(&cells, most))
}

fn sums(cells: &[&CellStats], most: usize) -> Table {
    let mut head = vec!["walker", "interpreter", "target", "trials", "boundaries", "no thread state"];
    head.extend(["splice", "wrong line", "prefix", "stale", "a load failed", "truncated or rejected"]);
    let mut table =
        Table::new("Boundaries stepped, and walks there by what they met, summed over trials", 3, &head);
    let group = |text: &str, span| Th { text: text.to_owned(), span, num: false };
    table.groups =
        vec![group("", 6), group("silent", 4), group("would have been a crash", 1), group("detected", 1)];
    for cell in cells {
        let mut row = vec![
            Td::text(cell.cell.interpreter.clone()),
            Td::text(cell.target_with_ids()).small(cell.params()),
            Td::num(grouped(cell.n())),
            Td::num(grouped(cell.stepping.boundaries)),
            Td::num(grouped(cell.stepping.without_state)),
        ];
        row.extend(cell.stepping.kinds.iter().enumerate().map(|(kind, count)| {
            let status = match kind.cmp(&(KINDS.len() - 1)) {
                Ordering::Less => Status::Silent,
                Ordering::Equal => Status::Crash,
                Ordering::Greater => Status::Detected,
            };
            let td = Td::num(grouped(*count));
            if *count == 0 { td } else { td.status(status) }
        }));
        table.row("", Td::text(cell.cell.walker.clone()), row);
    }
    table.cut(most);
    table
}

fn sites(cells: &[&CellStats], most: usize) -> Table {
    let head = ["instruction about to run", "what", "cell", "boundaries"];
    let mut table = Table::new("Instructions before which the answer was no legal stack", 3, &head);
    let mut beyond = 0;
    for cell in cells {
        for (what, site, count) in cell.stepping.sorted() {
            table.row(
                "",
                Td::code(site),
                vec![
                    Td::text(what.replace('_', " ")),
                    Td::text(cell.cell.id.clone()),
                    Td::num(grouped(count)),
                ],
            );
        }
        beyond += cell.stepping.beyond;
    }
    table.cut(most);
    if beyond > 0 {
        table.note.push_str(&format!(" {} boundaries were at further sites.", grouped(beyond)));
    }
    table
}

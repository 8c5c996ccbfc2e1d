//! Text tables of fixed columns, as core developers paste them.

use super::visible::{clipped, one_line};

/// Characters of a cell. The evidence of a claim, the longest that stands in one, takes half of them.
const MOST: usize = 1500;

/// A table; the first `left` columns are text, the others numbers.
#[derive(Debug)]
pub struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this head, which may hold names of records, too.
    pub fn new(left: usize, head: &[&str]) -> Self {
        Self { left, rows: vec![head.iter().map(|cell| harmless(cell)).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| harmless(cell)).collect());
    }

    /// Whether there is nothing but the head.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// At most `budget` characters, in a fence; says how many rows were left out.
    pub fn fenced(&self, budget: usize) -> String {
        match self.lines(budget) {
            // Names so long that the head alone would fill the comment.
            (None, left_out) => left_out,
            (Some(table), left_out) => format!("```text\n{table}```\n{left_out}"),
        }
    }

    /// The same without a fence: for a terminal.
    pub fn plain(&self, budget: usize) -> String {
        let (table, left_out) = self.lines(budget);
        format!("{}{left_out}", table.unwrap_or_default())
    }

    /// Its lines, of which the head is the first, and what was left out.
    fn lines(&self, budget: usize) -> (Option<String>, String) {
        let columns = self.rows[0].len();
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &[String]| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column < self.left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let (mut out, mut used, mut shown) = (String::new(), 0, 0);
        for row in &self.rows {
            let line = line(row);
            used += line.chars().count() + 1;
            if used > budget {
                break;
            }
            out.push_str(&line);
            out.push('\n');
            shown += 1;
        }
        match self.rows.len() - shown {
            0 => (Some(out), String::new()),
            _ if shown == 0 => (None, format!("{} rows are in summary.json.\n", self.rows.len() - 1)),
            rows => (Some(out), format!("{rows} more rows are in summary.json.\n")),
        }
    }
}

/// A backtick is replaced, so that no value can end the fence around the table.
fn harmless(cell: &str) -> String {
    one_line(&clipped(cell, MOST)).replace('`', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_head_nor_row_ends_the_fence() {
        let mut table = Table::new(2, &["a```\n# b", "c"]);
        table.row(vec!["```".into(), "\n".into()]);
        assert_eq!(table.fenced(999), "```text\na'''\\u000a# b  c\n'''            \\u000a\n```\n");
    }

    #[test]
    fn a_head_that_does_not_fit_leaves_its_rows_to_the_json() {
        let long = "x".repeat(70_000);
        let mut table = Table::new(1, &[&long, "n"]);
        table.row(vec![long.clone(), "1".into()]);
        assert_eq!(table.fenced(1000), "1 rows are in summary.json.\n");
        assert!(table.fenced(4000).contains("more bytes)"));
    }
}

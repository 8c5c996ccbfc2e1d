//! Text tables of fixed columns, as core developers paste them.

use super::visible::one_line;

/// A table; the first `left` columns are text, the others numbers.
#[derive(Debug)]
pub struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this head.
    pub fn new(left: usize, head: &[&str]) -> Self {
        Self { left, rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// Adds a row. A backtick is replaced, so that no value can end the fence around the table.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| one_line(cell).replace('`', "'")).collect());
    }

    /// Whether there is nothing but the head.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// At most `budget` characters, in a fence; says how many rows were left out.
    pub fn fenced(&self, budget: usize) -> String {
        let (table, left_out) = self.lines(budget);
        format!("```text\n{table}```\n{left_out}")
    }

    /// The same without a fence: for a terminal.
    pub fn plain(&self, budget: usize) -> String {
        let (table, left_out) = self.lines(budget);
        format!("{table}{left_out}")
    }

    fn lines(&self, budget: usize) -> (String, String) {
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
            if used > budget && shown > 0 {
                break;
            }
            out.push_str(&line);
            out.push('\n');
            shown += 1;
        }
        let left_out = match self.rows.len() - shown {
            0 => String::new(),
            rows => format!("{rows} more rows are in summary.json.\n"),
        };
        (out, left_out)
    }
}

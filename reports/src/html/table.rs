//! Tables as the template draws them: no logic is left to the template.

use crate::model::cell::Count;
use crate::text::number;

/// A cell.
#[derive(Debug, Default)]
pub struct Td {
    /// Lines of text.
    pub lines: Vec<String>,
    /// Smaller text below them.
    pub small: String,
    /// Anchors to link to, with their labels.
    pub links: Vec<Link>,
    /// Class of the style sheet: a status or nothing.
    pub class: &'static str,
    /// Right-aligned.
    pub num: bool,
    /// A glyph that says what the colour says.
    pub glyph: &'static str,
    /// Set in monospace.
    pub code: bool,
    /// Anchor; empty for none.
    pub id: String,
    /// What else there is to say, opened by who wants it.
    pub more: Vec<String>,
    /// Of what: the name of what is opened.
    pub about: &'static str,
    /// Shares of a whole, drawn as one bar above the text.
    pub bar: Vec<Segment>,
}

/// A part of a bar, in percent of its width.
#[derive(Debug)]
pub struct Segment {
    /// Class of the style sheet.
    pub class: &'static str,
    /// Left end.
    pub from: String,
    /// Length.
    pub length: String,
}

/// A link within the page.
#[derive(Debug)]
pub struct Link {
    /// Id it goes to.
    pub anchor: String,
    /// What it is called.
    pub label: String,
}

impl Td {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()], ..Self::default() }
    }

    /// A number, right-aligned.
    pub fn num(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()], num: true, ..Self::default() }
    }

    /// k/n with its limits below; coloured when the event was seen.
    pub fn count(count: Count, status: Status) -> Self {
        let td = Self::num(number::fraction(count)).small(number::limits(count));
        if count.k == 0 { td } else { td.status(status) }
    }

    /// Text in monospace.
    pub fn code(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()], code: true, ..Self::default() }
    }

    /// The same with smaller text below.
    pub fn small(mut self, text: impl Into<String>) -> Self {
        self.small = text.into();
        self
    }

    /// The same with an anchor.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The same with a bar of these parts of `n`.
    pub fn bar(mut self, n: u64, parts: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        let mut before = 0;
        for (class, k) in parts {
            let percent = |k: u64| format!("{:.2}", k as f64 * 100.0 / n.max(1) as f64);
            if k > 0 {
                self.bar.push(Segment { class, from: percent(before), length: percent(k) });
            }
            before += k;
        }
        self
    }

    /// The same with a status.
    pub fn status(mut self, status: Status) -> Self {
        (self.class, self.glyph) = status.look();
        self
    }
}

/// What a cell says at a glance: colour and glyph together, never colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A process died.
    Crash,
    /// A walk did not end.
    Hang,
    /// Wrong without saying so.
    Silent,
    /// Wrong or cut, and said so.
    Detected,
    /// Nothing of the kind, in n > 0.
    Zero,
    /// Not run.
    Absent,
    /// Agreement.
    Good,
    /// Contradiction.
    Bad,
    /// Some of both.
    Mixed,
}

impl Status {
    /// Its colour alone, where the text carries the glyph.
    pub fn class(self) -> &'static str {
        self.look().0
    }

    fn look(self) -> (&'static str, &'static str) {
        match self {
            Status::Crash => ("s-crash", "✕"),
            Status::Hang => ("s-hang", "∞"),
            Status::Silent => ("s-silent", "≠"),
            Status::Detected => ("s-detected", "◐"),
            Status::Zero => ("s-zero", "○"),
            Status::Absent => ("s-absent", "–"),
            Status::Good => ("s-good", "✓"),
            Status::Bad => ("s-crash", "✗"),
            Status::Mixed => ("s-silent", "±"),
        }
    }
}

/// A head cell.
#[derive(Debug)]
pub struct Th {
    /// Text.
    pub text: String,
    /// Columns it spans.
    pub span: usize,
    /// Whether numbers stand below it.
    pub num: bool,
}

/// A row.
#[derive(Debug)]
pub struct Tr {
    /// Anchor; empty for none.
    pub id: String,
    /// Head of the row.
    pub head: Td,
    /// The other cells.
    pub cells: Vec<Td>,
}

/// A table.
#[derive(Debug, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Groups over the head, or nothing.
    pub groups: Vec<Th>,
    /// Head of the columns, that of the row heads included.
    pub head: Vec<Th>,
    /// Rows.
    pub rows: Vec<Tr>,
    /// Said below, e.g. how many rows were left out.
    pub note: String,
}

impl Table {
    /// A table whose first `text` columns hold text and the others numbers.
    pub fn new(caption: impl Into<String>, text: usize, head: &[&str]) -> Self {
        let head = head
            .iter()
            .enumerate()
            .map(|(index, text_)| Th { text: (*text_).to_owned(), span: 1, num: index >= text })
            .collect();
        Self { caption: caption.into(), head, ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, id: impl Into<String>, head: Td, cells: Vec<Td>) {
        self.rows.push(Tr { id: id.into(), head, cells });
    }

    /// Whether it is shown without being asked for: a longer one is opened by who wants it.
    pub fn is_short(&self) -> bool {
        self.rows.len() <= 30
    }

    /// Keeps the first `most` rows and says so.
    pub fn cut(&mut self, most: usize) {
        if self.rows.len() > most {
            self.note = format!("{} more rows are in summary.json.", self.rows.len() - most);
            self.rows.truncate(most);
        }
    }
}

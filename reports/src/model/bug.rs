//! Known bugs: a cell that declares one, and what its trials make of it.

use super::cell::{CellStats, Count};
use super::records::Records;
use crate::text::number::significant;
use sigwalk_record::{Bug, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// A cell of a known bug.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The cell.
    pub cell: &'a CellStats,
    /// What it declares.
    pub bug: &'a Bug,
}

/// What a cell says of its bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Seen on an interpreter that has it.
    Reproduced,
    /// Seen, and no version is known that has it not.
    StillThere,
    /// Seen where it is said to be mended, or never to have been.
    SeenThoughFixed,
    /// Not seen, and not to be seen: mended, or never there.
    Gone,
    /// Not seen where it should be.
    NotSeen,
    /// Nothing was measured.
    NotRun,
}

impl Word {
    /// As reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Word::Reproduced => "reproduced",
            Word::StillThere => "still there",
            Word::SeenThoughFixed => "seen though fixed",
            Word::Gone => "gone",
            Word::NotSeen => "not seen",
            Word::NotRun => "not run",
        }
    }
}

/// One bug and one way to show it.
#[derive(Debug)]
pub struct Row<'a> {
    /// The bug.
    pub bug: &'a Bug,
    /// Its cell without the interpreter.
    pub how: &'a str,
    /// Across the interpreters; nothing where it was not declared.
    pub shown: Vec<Option<Shown<'a>>>,
}

/// Interpreters across, bugs down.
#[derive(Debug)]
pub struct Matrix<'a> {
    /// Tags in the order of versions.
    pub tags: Vec<&'a str>,
    /// By bug, then by how it is shown.
    pub rows: Vec<Row<'a>>,
}

/// All cells that declare a bug.
pub fn matrix(records: &Records) -> Matrix<'_> {
    let mut tags = Vec::new();
    let mut rows = BTreeMap::<(&str, &str), Vec<Shown<'_>>>::new();
    for cell in records.cells.values() {
        if let Some(bug) = &cell.cell.bug {
            tags.push(cell.cell.interpreter.as_str());
            let id = &cell.cell.id;
            let how = id.split_once('/').map_or(id.as_str(), |(_, how)| how);
            rows.entry((&bug.id, how)).or_default().push(Shown { cell, bug });
        }
    }
    tags.sort_by_key(|tag| version(tag));
    tags.dedup();
    let of_tag = |shown: &[Shown<'_>], tag| shown.iter().position(|one| one.cell.cell.interpreter == tag);
    let rows = rows
        .into_iter()
        .map(|((_, how), all)| Row {
            bug: all[0].bug,
            how,
            shown: tags.iter().map(|&tag| of_tag(&all, tag).map(|at| all[at])).collect(),
        })
        .collect();
    Matrix { tags, rows }
}

/// Numbers of a tag, so that 3.9 comes before 3.13.
fn version(tag: &str) -> (Vec<u32>, &str) {
    let plain = tag.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(tag.len());
    (tag[..plain].split('.').filter_map(|number| number.parse().ok()).collect(), tag)
}

impl Matrix<'_> {
    /// (bugs that were seen on an interpreter that has them, bugs).
    pub fn seen(&self) -> (usize, usize) {
        let was_seen = |shown: &Shown<'_>| matches!(shown.word(), Word::Reproduced | Word::StillThere);
        let seen: BTreeSet<&str> = self
            .rows
            .iter()
            .filter(|row| row.shown.iter().flatten().any(was_seen))
            .map(|row| row.bug.id.as_str())
            .collect();
        (seen.len(), self.rows.iter().map(|row| row.bug.id.as_str()).collect::<BTreeSet<_>>().len())
    }
}

/// A bug that no release is known to be without, or that its fix does not cover, or that a report was written about.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The bug.
    pub bug: &'a Bug,
    /// Where it was seen, by version, each way to show it for itself.
    pub seen: Vec<(&'a str, Count)>,
}

/// All of them, in the order of the bugs.
pub fn findings<'a>(matrix: &Matrix<'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::<Finding<'a>>::new();
    for row in &matrix.rows {
        let seen: Vec<_> = row.shown.iter().flatten().filter(|shown| shown.still()).copied().collect();
        if seen.is_empty() && row.bug.finding.is_empty() {
            continue;
        }
        let seen = seen.iter().map(|shown| (shown.cell.cell.interpreter.as_str(), shown.count()));
        match findings.last_mut().filter(|last| last.bug.id == row.bug.id) {
            Some(last) => last.seen.extend(seen),
            None => findings.push(Finding { bug: row.bug, seen: seen.collect() }),
        }
    }
    findings
}

impl Shown<'_> {
    /// Whether it was seen where no release mends it.
    fn still(&self) -> bool {
        matches!(self.word(), Word::StillThere | Word::SeenThoughFixed)
    }

    /// Trials that showed the bug.
    pub fn count(&self) -> Count {
        let of = |outcome| self.cell.outcomes.get(outcome).copied().unwrap_or(0);
        Count { k: self.bug.hit.iter().map(of).sum(), n: self.cell.n() }
    }

    /// The judgement.
    pub fn word(&self) -> Word {
        match (self.bug.stands, self.count()) {
            (_, Count { n: 0, .. }) => Word::NotRun,
            (Standing::Fixed, Count { k: 0, .. }) => Word::Gone,
            (_, Count { k: 0, .. }) => Word::NotSeen,
            (Standing::Affected, _) => Word::Reproduced,
            (Standing::Open, _) => Word::StillThere,
            (Standing::Fixed, _) => Word::SeenThoughFixed,
        }
    }

    /// Why nothing was measured, where that is known.
    pub fn why_not(&self) -> &str {
        match self.cell.cell.not_available.as_str() {
            "" => self.cell.harness_note.as_deref().unwrap_or("no trial in these records"),
            why => why,
        }
    }

    /// `0.42 s`: the time of all trials up to the first that showed the bug.
    pub fn first_hit(&self) -> Option<String> {
        self.cell.first_hit_ms.map(|ms| format!("{} s", significant(ms / 1000.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn interpreters_stand_by_their_numbers() {
        let mut tags = ["3.15.0", "3.13.15", "3.13.5d", "3.13.5", "3.9.18"];
        tags.sort_by_key(|tag| version(tag));
        assert_eq!(tags, ["3.9.18", "3.13.5", "3.13.5d", "3.13.15", "3.15.0"]);
    }
}

//! The catalogue: what is known to go wrong when a CPython stack is walked, each with what stands for it here, or with the
//! reason why nothing does. A row that a target stands for names no target: targets name their rows.
//!
//! | prefix | what | where it was collected |
//! |---|---|---|
//! | S | scenarios: windows in which a thread's frames or its state are not what they seem | CPython's source and builds |
//! | F, T, W, P | CPython's issues: faulthandler, tracemalloc, frame walking, profilers inside the process | bugs.python.org, GitHub |
//! | PR-R | CPython's issues: readers of another process | GitHub |
//! | R | what walkers and profilers outside of CPython ran into | their trackers |

use crate::target::{self, Target};

mod issues;
mod scenarios;
mod walkers;

/// One row.
#[derive(Debug)]
pub struct Row {
    /// `S1`, `PR-R2`.
    pub id: &'static str,
    /// In a few words.
    pub about: &'static str,
    /// What stands for it besides targets.
    pub covers: &'static [Cover],
    /// Why nothing stands for it; empty where something does.
    pub left_out: &'static str,
}

/// What stands for a row, where it is no target.
#[derive(Debug)]
pub enum Cover {
    /// File, from the root, and function of a test.
    Test(&'static str, &'static str),
    /// A program of the workload `program`, by its name as a target.
    Program(&'static str),
    /// A field that `stress mutate` changes.
    Field(&'static str),
    /// A script.
    Script(&'static str),
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Row> {
    [scenarios::ALL, issues::ALL, walkers::ALL].into_iter().flatten()
}

impl Row {
    /// What stands for it besides targets.
    const fn by(id: &'static str, about: &'static str, covers: &'static [Cover]) -> Row {
        Row { id, about, covers, left_out: "" }
    }

    /// A row that nothing stands for.
    const fn out(id: &'static str, about: &'static str, why: &'static str) -> Row {
        Row { id, about, covers: &[], left_out: why }
    }

    /// Targets that stand for it.
    pub fn targets(&self) -> impl Iterator<Item = &'static Target> {
        target::all().filter(|target| target.ids.contains(&self.id))
    }

    /// Where it is found, in words.
    #[must_use]
    pub fn covered_by(&self) -> Vec<String> {
        let others = self.covers.iter().map(|cover| match cover {
            Cover::Test(file, name) => format!("test {name} ({file})"),
            Cover::Program(name) => format!("program {name}"),
            Cover::Field(name) => format!("mutate {name}"),
            Cover::Script(path) => (*path).to_owned(),
        });
        self.targets().map(|target| format!("target {}", target.name)).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::fields;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_row_of_the_catalogue_is_here_once() {
        let expected: BTreeSet<String> =
            [("S", 20), ("F", 19), ("T", 7), ("W", 8), ("P", 7), ("R", 16), ("PR-R", 3)]
                .into_iter()
                .flat_map(|(prefix, last)| (1..=last).map(move |number| format!("{prefix}{number}")))
                .collect();
        let ids: Vec<String> = all().map(|row| row.id.to_owned()).collect();
        assert_eq!(ids.len(), expected.len());
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn every_row_is_covered_or_says_why_not_and_never_both() {
        for row in all() {
            let covered = !row.covered_by().is_empty();
            assert_ne!(covered, !row.left_out.is_empty(), "{}: {:?}", row.id, row.covered_by());
        }
        for target in target::all() {
            for id in target.ids {
                assert!(all().any(|row| row.id == *id), "{} stands for {id}, which is no row", target.name);
            }
        }
    }

    #[test]
    fn what_covers_a_row_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for cover in all().flat_map(|row| row.covers) {
            match cover {
                Cover::Test(file, name) => {
                    let text = std::fs::read_to_string(root.join(file))
                        .unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert!(text.contains(&format!("fn {name}(")), "{file} has no {name}");
                }
                Cover::Script(path) => assert!(root.join(path).exists(), "{path}"),
                Cover::Field(name) => {
                    assert!(fields::ALL.iter().any(|field| field.name() == *name), "{name}")
                }
                Cover::Program(name) => assert!(target::named(name).is_some(), "no target runs {name}"),
            }
        }
    }
}

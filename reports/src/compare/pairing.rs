//! What is compared with what.

use crate::failure::Failure;
use crate::model::cell::CellStats;
use crate::model::records::Records;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// `OLD=NEW`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Its name in the base.
    pub old: String,
    /// Its name in the new runs.
    pub new: String,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((old, new)) if !old.is_empty() && !new.is_empty() => {
                Ok(Self { old: old.to_owned(), new: new.to_owned() })
            }
            _ => Err("give OLD=NEW, the name in BASE and the name in NEW".to_owned()),
        }
    }
}

/// Names that differ between the two sides. Where some are given, only those are compared.
#[derive(Debug, Clone, Default)]
pub struct Renames {
    /// Tags of interpreters.
    pub interpreters: Vec<Rename>,
    /// Walkers; costs know them as subjects.
    pub walkers: Vec<Rename>,
}

/// Pairs of tags: those named; else those of the same name; else, where each side has one tag only, these.
pub fn tags(base: &Records, new: &Records, renames: &Renames) -> Result<Vec<[String; 2]>, Failure> {
    let known = |records: &Records| records.builds.keys().cloned().collect::<Vec<_>>();
    let (of_base, of_new) = (known(base), known(new));
    for rename in &renames.interpreters {
        for (name, known, side) in [(&rename.old, &of_base, "BASE"), (&rename.new, &of_new, "NEW")] {
            if !known.contains(name) {
                return Err(Failure::usage(format!(
                    "--interpreter {}={}: {side} has no {name}; it has {}",
                    rename.old,
                    rename.new,
                    known.join(", ")
                )));
            }
        }
    }
    if !renames.interpreters.is_empty() {
        return Ok(renames
            .interpreters
            .iter()
            .map(|rename| [rename.old.clone(), rename.new.clone()])
            .collect());
    }
    if let ([old], [new]) = (of_base.as_slice(), of_new.as_slice()) {
        return Ok(vec![[old.clone(), new.clone()]]);
    }
    let common: Vec<_> = of_base.iter().filter(|tag| of_new.contains(tag)).collect();
    if common.is_empty() {
        return Err(Failure::usage(format!(
            "BASE has interpreters {}, NEW has {}: none of the same name; pair them with --interpreter OLD=NEW",
            of_base.join(", "),
            of_new.join(", ")
        )));
    }
    Ok(common.into_iter().map(|tag| [tag.clone(), tag.clone()]).collect())
}

/// The name in NEW of what is called `name` in BASE; `None` where it is not compared.
pub fn renamed<'a>(renames: &'a [Rename], name: &'a str) -> Option<&'a str> {
    match renames {
        [] => Some(name),
        _ => renames.iter().find(|rename| rename.old == name).map(|rename| rename.new.as_str()),
    }
}

/// As walkers are called where costs are measured.
pub fn as_subjects(walkers: &[Rename]) -> Vec<Rename> {
    let subject = |name: &str| name.replace('-', "_");
    walkers.iter().map(|walker| Rename { old: subject(&walker.old), new: subject(&walker.new) }).collect()
}

/// Cells with their counterparts.
pub struct Paired<'a> {
    /// Base, new.
    pub pairs: Vec<[&'a CellStats; 2]>,
    /// Cells of base and of new without one, of those that were to be compared.
    pub alone: [usize; 2],
}

type Key<'a> = (&'a str, &'a str, &'a str, &'a str, &'a BTreeMap<String, String>);

fn key<'a>(cell: &'a CellStats, walker: &'a str) -> Key<'a> {
    let declared = &cell.cell;
    (&declared.workload, walker, &declared.target, &declared.fault, &declared.params)
}

/// Pairs of cells that differ in nothing but the interpreter and, where asked for, the walker.
pub fn cells<'a>(
    base: &'a Records,
    new: &'a Records,
    tags: &[[String; 2]],
    renames: &'a Renames,
) -> Result<Paired<'a>, Failure> {
    let has_run = |cell: &&CellStats| cell.cell.not_available.is_empty();
    let (mut pairs, mut alone) = (Vec::new(), [0, 0]);
    let met: [BTreeSet<&str>; 2] = [base, new].map(walkers_and_subjects);
    for rename in &renames.walkers {
        for (name, met, side) in [(&rename.old, &met[0], "BASE"), (&rename.new, &met[1], "NEW")] {
            if !met.contains(name.as_str()) && !met.contains(name.replace('-', "_").as_str()) {
                return Err(Failure::usage(format!(
                    "--walker {}={}: {side} has no walker {name}; `report text` shows which there are",
                    rename.old, rename.new
                )));
            }
        }
    }
    for [old_tag, new_tag] in tags {
        let of = |records: &'a Records, tag: &str| {
            let cells = records.cells.values().filter(has_run);
            cells.filter(|cell| cell.cell.interpreter == *tag).collect::<Vec<_>>()
        };
        let is_meant = |cell: &CellStats| {
            let walkers = &renames.walkers;
            walkers.is_empty() || walkers.iter().any(|rename| rename.new == cell.cell.walker)
        };
        let mut rest: BTreeMap<Key<'_>, &CellStats> = of(new, new_tag)
            .into_iter()
            .filter(|cell| is_meant(cell))
            .map(|cell| (key(cell, &cell.cell.walker), cell))
            .collect();
        for cell in of(base, old_tag) {
            let Some(walker) = renamed(&renames.walkers, &cell.cell.walker) else { continue };
            match rest.remove(&key(cell, walker)) {
                Some(counterpart) => pairs.push([cell, counterpart]),
                None => alone[0] += 1,
            }
        }
        alone[1] += rest.len();
    }
    Ok(Paired { pairs, alone })
}

fn walkers_and_subjects(records: &Records) -> BTreeSet<&str> {
    let subjects = records.cost.ladder.keys().map(|key| key.subject.as_str());
    records.cells.values().map(|cell| cell.cell.walker.as_str()).chain(subjects).collect()
}

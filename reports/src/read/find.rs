//! Finding run directories and reading their manifests.

use super::lines::unknown;
use super::surrogates;
use crate::failure::Failure;
use sigwalk_record::{Manifest, Unread};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a manifest stands beside.
const ROWS: [&str; 11] = [
    "trials.jsonl",
    "mutations.jsonl",
    "checks.jsonl",
    "injections.jsonl",
    "freed.jsonl",
    "cost.jsonl",
    "counts.jsonl",
    "contract.jsonl",
    "coexistence.jsonl",
    "lifetimes.jsonl",
    "allocations.jsonl",
];

/// A run directory and its manifest.
#[derive(Debug)]
pub struct Found {
    /// As the user can type it.
    pub dir: PathBuf,
    /// What was declared.
    pub manifest: Manifest,
}

impl Found {
    /// What the order of runs in a report depends on.
    pub fn order(&self) -> (&str, &str, &Path) {
        (&self.manifest.interpreter.tag, &self.manifest.campaign.name, &self.dir)
    }
}

/// Every run directory in or below `dirs`, each once, even when it is named twice.
pub fn runs(dirs: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for dir in dirs {
        match std::fs::metadata(dir) {
            Ok(data) if data.is_dir() => descend(dir, &mut seen, &mut found)?,
            Ok(_) => {
                return Err(Failure::usage(format!(
                    "{}: not a directory; name the run directory that holds it",
                    dir.display()
                )));
            }
            Err(error) => {
                return Err(Failure::usage(format!(
                    "{}: {}; name a run directory or a parent of some",
                    dir.display(),
                    plain(&error)
                )));
            }
        }
    }
    Ok(found)
}

fn descend(dir: &Path, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<Found>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("{}: {}; make it readable", dir.display(), plain(&error)))
    };
    // Canonical paths also end a cycle of symbolic links.
    if !seen.insert(dir.canonicalize().map_err(unreadable)?) {
        return Ok(());
    }
    let path = dir.join("manifest.json");
    if path.exists() {
        found.push(Found { dir: dir.to_path_buf(), manifest: manifest(&path)? });
    } else if let Some(rows) = ROWS.iter().map(|name| dir.join(name)).find(|rows| rows.is_file()) {
        // Passed over, they would be missing from every n, and nobody would know.
        return Err(Failure::incompatible(format!(
            "{}: no manifest.json beside it; restore the manifest or leave this directory out",
            rows.display()
        )));
    }
    let mut below = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        below.push(entry.map_err(unreadable)?.path());
    }
    below.sort();
    below.into_iter().filter(|path| path.is_dir()).try_for_each(|path| descend(&path, seen, found))
}

fn manifest(path: &Path) -> Result<Manifest, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::incompatible(format!("{shown}: {}; restore it or leave this directory out", plain(&error)))
    })?;
    parse(path, &text)
}

/// The manifest in `text`. `path` is what errors call it.
pub fn parse(path: &Path, text: &str) -> Result<Manifest, Failure> {
    let shown = path.display();
    sigwalk_record::read(&surrogates::mended(text)).map_err(|unread| match unread {
        Unread::Text(error) | Unread::Shape(error) => damaged(path, &error),
        Unread::Schema(schema) => Failure::incompatible(format!("{shown}:1: {}", unknown(schema))),
        Unread::NoSchema => Failure::incompatible(format!(
            "{shown}:1: no schema; is it a manifest of sigwalk? leave this directory out"
        )),
    })
}

fn damaged(path: &Path, error: &serde_json::Error) -> Failure {
    Failure::incompatible(format!(
        "{}:{}: {error}; restore the manifest or leave this directory out",
        path.display(),
        error.line()
    ))
}

/// The reason without "(os error 2)".
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

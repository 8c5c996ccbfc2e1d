//! The tallies of guided fuzzing: every `*.json` of a directory, one a fuzzer process, added up.

use super::find::plain;
use super::surrogates;
use crate::failure::Failure;
use crate::model::fuzzed::{File, Fuzzed};
use std::path::{Path, PathBuf};

/// Version of the files that is understood.
const SCHEMA: u32 = 1;

/// More of anything than a fuzzer can count.
const MOST: u64 = 1 << 48;

/// Reads the directory.
///
/// # Errors
/// When it is missing (2) or holds something else (5).
pub fn read(dir: &Path) -> Result<Fuzzed, Failure> {
    let shown = dir.display();
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!(
            "{shown}: {}; name the directory of the fuzzer's tallies, e.g. fuzz/stats",
            plain(&error)
        ))
    };
    let mut paths = Vec::<PathBuf>::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut fuzzed = Fuzzed { dir: Some(shown.to_string()), ..Fuzzed::default() };
    for path in &paths {
        fuzzed.add(file(path)?);
    }
    Ok(fuzzed)
}

fn file(path: &Path) -> Result<File, Failure> {
    let refuse = |line: usize, reason: String| {
        Failure::incompatible(format!(
            "{}:{line}: {reason}; restore the file or take it away",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(1, plain(&error)))?;
    let text = surrogates::mended(&text);
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| refuse(error.line(), error.to_string()))?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        Some(schema) => {
            return Err(Failure::incompatible(format!(
                "{}:1: schema {schema}, this report reads schema {SCHEMA}; use the report of the version that wrote it",
                path.display()
            )));
        }
        None => return Err(refuse(1, "no schema; no tally of the fuzz target walk".to_owned())),
    }
    // From the text again, not from the value: errors then carry the line.
    let file: File =
        serde_json::from_slice(&text).map_err(|error| refuse(error.line(), error.to_string()))?;
    let of_walks = file.walks.iter().flat_map(|row| [row.walks, row.would_crash, row.recovered, row.hang]);
    let of_rows = file.rows.iter().flat_map(|row| [row.would_crash, row.hang]);
    let counts = of_walks.chain(of_rows).chain([file.executions]);
    match counts.max() {
        Some(most) if most > MOST => Err(refuse(1, format!("{most} is more than a fuzzer can count"))),
        _ => Ok(file),
    }
}

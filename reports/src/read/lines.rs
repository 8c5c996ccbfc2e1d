//! JSON lines, streamed. A damaged last line is what a killed writer leaves and is dropped; any other damage is refused.

use super::find::plain;
use super::surrogates;
use crate::failure::Failure;
use sigwalk_record::{OLDEST, Record, SCHEMA, Unread};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// No record is near this long; a file without newlines must not be read into memory whole.
const LONGEST: u64 = 4 << 20;

/// What became of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows handed on.
    pub rows: u64,
    /// The number of the last line, when it was cut short and dropped.
    pub dropped: Option<u64>,
}

/// A failure at a line.
pub fn at(path: &Path, line: u64, reason: impl std::fmt::Display) -> Failure {
    Failure::incompatible(format!("{}:{line}: {reason}", path.display()))
}

/// Hands every row of the file to `take`. `Ok(None)` when there is no such file.
pub fn each<T: Record>(
    path: &Path,
    take: impl FnMut(u64, T) -> Result<(), Failure>,
) -> Result<Option<Done>, Failure> {
    match File::open(path) {
        Ok(file) => each_of(path, BufReader::with_capacity(1 << 18, file), take).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::incompatible(format!("{}: {}; make it readable", path.display(), plain(error)))
}

/// [`each`] of a file that is open. `path` is what errors call it.
pub fn each_of<T: Record>(
    path: &Path,
    mut file: impl BufRead,
    mut take: impl FnMut(u64, T) -> Result<(), Failure>,
) -> Result<Done, Failure> {
    let unreadable = |error| unreadable(path, &error);
    let (mut line, mut number, mut done) = (Vec::new(), 0, Done::default());
    loop {
        line.clear();
        number += 1;
        if file.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            return Ok(done);
        }
        let last = file.fill_buf().map_err(unreadable)?.is_empty();
        if last && line.last() != Some(&b'\n') {
            return Ok(Done { dropped: Some(number), ..done });
        }
        match parse(&line) {
            Ok(row) => take(number, row)?,
            Err(Damage::Cut(_)) if last => return Ok(Done { dropped: Some(number), ..done }),
            Err(Damage::Cut(reason) | Damage::Whole(reason)) => return Err(at(path, number, reason)),
        }
        done.rows += 1;
    }
}

enum Damage {
    /// No JSON: at the end of a file, a line that was cut short.
    Cut(String),
    /// JSON, but not a record that can be believed.
    Whole(String),
}

/// A row. Only one that cannot be read is looked at for halves of surrogate pairs: they are rare, and rows are many.
fn parse<T: Record>(line: &[u8]) -> Result<T, Damage> {
    typed(line).or_else(|damage| match surrogates::shown(line) {
        Some(mended) => typed(&mended),
        None => Err(damage),
    })
}

fn typed<T: Record>(line: &[u8]) -> Result<T, Damage> {
    const RESTORE: &str = "restore the file, or leave this run directory out";
    sigwalk_record::read(line).map_err(|unread| match unread {
        Unread::Text(error) => Damage::Cut(format!("not a record ({}); {RESTORE}", reason(&error))),
        Unread::Shape(error) => Damage::Whole(format!("not a record ({}); {RESTORE}", reason(&error))),
        Unread::NoSchema => Damage::Whole(format!("no schema; {RESTORE}")),
        Unread::Schema(schema) => Damage::Whole(unknown(schema)),
    })
}

/// What is said of a version that is not known.
pub fn unknown(schema: u64) -> String {
    format!(
        "schema {schema}, this report reads schema {OLDEST} to {SCHEMA}; use the report of the version that wrote it"
    )
}

/// serde_json counts lines within what it was given, which is always line 1 here: only the column is of use.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let bare = text.split(" at line ").next().unwrap_or_default();
    // A row that was brought to this version has no columns any more.
    if error.column() == 0 { bare.to_owned() } else { format!("{bare}, column {}", error.column()) }
}

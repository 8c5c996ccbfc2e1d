//! The body of the target `records`: any bytes as a file of a run directory, through the code that `report` reads it with.

mod halves;
mod reading;

use crate::violation;
use arbitrary::{Arbitrary, Unstructured};
use reading::{find, lines};
use serde::Serialize;
use serde_json::Value;
use sigwalk_record::{
    Allocated, Check, Coexistence, Contract, Cost, Count, Freed, Injection, Lifetime, Manifest, Mutation,
    Record, SCHEMA, Trial, exit,
};
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::path::Path;

/// An input.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Input<'a> {
    /// Which file of [`FILES`], modulo their number.
    pub file: u8,
    /// The file.
    pub bytes: &'a [u8],
}

/// Files of a run directory.
pub const FILES: [&str; 12] = [
    "trials.jsonl",
    "mutations.jsonl",
    "checks.jsonl",
    "injections.jsonl",
    "freed.jsonl",
    "cost.jsonl",
    "counts.jsonl",
    "manifest.json",
    "contract.jsonl",
    "coexistence.jsonl",
    "lifetimes.jsonl",
    "allocations.jsonl",
];

/// Runs the bytes of an input.
pub fn run_bytes(bytes: &[u8]) {
    if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) {
        run(&input);
    }
}

/// Runs one input.
pub fn run(input: &Input<'_>) {
    let bytes = input.bytes;
    match FILES[usize::from(input.file) % FILES.len()] {
        "trials.jsonl" => rows::<Trial>(bytes),
        "mutations.jsonl" => rows::<Mutation>(bytes),
        "checks.jsonl" => rows::<Check>(bytes),
        "injections.jsonl" => rows::<Injection>(bytes),
        "freed.jsonl" => rows::<Freed>(bytes),
        "cost.jsonl" => rows::<Cost>(bytes),
        "counts.jsonl" => rows::<Count>(bytes),
        "contract.jsonl" => rows::<Contract>(bytes),
        "coexistence.jsonl" => rows::<Coexistence>(bytes),
        "lifetimes.jsonl" => rows::<Lifetime>(bytes),
        "allocations.jsonl" => rows::<Allocated>(bytes),
        _ => manifest(bytes),
    }
}

/// Path in messages.
const PATH: &str = "runs/1/rows.jsonl";

trait Row: Serialize + Record + PartialEq + Debug {}
impl<T: Serialize + Record + PartialEq + Debug> Row for T {}

fn rows<T: Row>(bytes: &[u8]) {
    let mut taken = Vec::new();
    let found = lines::each_of(Path::new(PATH), bytes, |line, row: T| {
        again(&row);
        taken.push(line);
        Ok(())
    });
    let (expected, end) = reference::<T>(bytes);
    if taken != expected {
        violation::record_file_is_not_read_line_by_line(&format!(
            "rows of lines {taken:?}, not {expected:?}"
        ));
    }
    match (found, end) {
        (Ok(done), End::Whole) if done.dropped.is_none() && done.rows == taken.len() as u64 => {}
        (Ok(done), End::CutAt(line) | End::NoJson(line))
            if done.dropped == Some(line) && done.rows == taken.len() as u64 => {}
        (Err(failure), End::DamagedAt(line) | End::NoJson(line)) => {
            message(failure.code, &failure.message, line)
        }
        (found, end) => {
            violation::record_file_is_not_read_line_by_line(&format!("{found:?}, and the file is {end:?}"))
        }
    }
}

/// How a file ends, by its lines, numbered from 1.
#[derive(Debug)]
enum End {
    Whole,
    /// The last line was not written to its end.
    CutAt(u64),
    /// The last line was written to its end, but is no JSON: it may pass for cut, or for damaged where that is seen before its end.
    NoJson(u64),
    DamagedAt(u64),
}

/// The numbers of the lines that hold a row, up to the first that should, and does not.
fn reference<T: Row>(bytes: &[u8]) -> (Vec<u64>, End) {
    let mut rows = Vec::new();
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for (line, number) in lines.iter().zip(1..) {
        let last = number == lines.len() as u64;
        if last && !line.ends_with(b"\n") {
            return (rows, End::CutAt(number));
        }
        if is_row::<T>(line) || is_row::<T>(&halves::as_text(line)) {
            rows.push(number);
        } else if last && serde_json::from_slice::<Value>(line).is_err() {
            return (rows, End::NoJson(number));
        } else {
            return (rows, End::DamagedAt(number));
        }
    }
    (rows, End::Whole)
}

/// Whether it is a row of a version that is read. One without a `model` may say `class`, as mutations of version 1 did.
fn is_row<T: Row>(line: &[u8]) -> bool {
    let known = |row: T, versions: RangeInclusive<u64>| {
        serde_json::to_value(row)
            .is_ok_and(|row| row["schema"].as_u64().is_some_and(|is| versions.contains(&is)))
    };
    match serde_json::from_slice::<T>(line) {
        Ok(row) => known(row, 1..=u64::from(SCHEMA)),
        Err(_) => {
            let Ok(Value::Object(mut row)) = serde_json::from_slice(line) else { return false };
            let Some(class) = row.remove("class").filter(|_| !row.contains_key("model")) else {
                return false;
            };
            row.insert("model".into(), class);
            serde_json::from_value(Value::Object(row)).is_ok_and(|row| known(row, 1..=1))
        }
    }
}

/// A row that was believed can be written and read again.
fn again<T: Row>(row: &T) {
    let text = serde_json::to_string(row).unwrap_or_else(|error| {
        violation::record_changes_when_it_is_written(&format!("{row:?}"), &error.to_string())
    });
    match serde_json::from_str::<T>(&text) {
        Ok(read) if read == *row => {}
        read => violation::record_changes_when_it_is_written(&format!("{row:?}"), &format!("{read:?}")),
    }
}

fn manifest(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match find::parse(Path::new(PATH), text) {
        Ok(manifest) => again::<Manifest>(&manifest),
        Err(failure) => {
            let line =
                failure.message.strip_prefix(PATH).and_then(|rest| rest.split(':').nth(1)?.parse().ok());
            // An empty file ends in its line 0, says serde_json.
            let within = line.filter(|line| *line <= text.matches('\n').count() as u64 + 1);
            message(failure.code, &failure.message, within.unwrap_or(1));
        }
    }
}

/// A message is one that a person can act upon.
fn message(code: u8, text: &str, line: u64) {
    let remedies = ["restore", "use the report", "leave this directory out"];
    let right = text.starts_with(&format!("{PATH}:{line}: "))
        && i32::from(code) == exit::INCOMPATIBLE
        && remedies.iter().any(|remedy| text.contains(remedy));
    if !right {
        violation::record_error_does_not_say_where(text, line);
    }
}

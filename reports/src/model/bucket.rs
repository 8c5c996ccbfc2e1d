//! Buckets: crashes and hangs judged the same by a title that keeps the function and drops addresses, offsets and versions.

use crate::text::{fnv1a, shell};
use sigwalk_record::{Cell, Outcome, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A site that holds a random number must not fill the memory of the reporter: further titles are only counted.
const MOST: usize = 300;

/// One bucket.
#[derive(Debug)]
pub struct Bucket {
    /// Signal, phase and place.
    pub title: String,
    /// Stable anchor: hash of the title.
    pub id: String,
    /// Trials.
    pub count: u64,
    /// Trials by tag of the interpreter.
    pub builds: BTreeMap<String, u64>,
    /// Cells that showed it.
    pub cells: BTreeSet<String>,
    /// Whether it is the walker's.
    pub in_walk: bool,
    /// Run directory of the first trial.
    pub dir: String,
    /// Index of the first trial.
    pub trial: u64,
    /// Seed of the first trial.
    pub seed: String,
}

/// All buckets.
#[derive(Debug, Default)]
pub struct Buckets {
    known: BTreeMap<String, Bucket>,
    /// Trials whose title came after the last one kept.
    pub beyond: u64,
}

impl Buckets {
    /// Counts a trial, if it died or stood still.
    pub fn add(&mut self, cell: &Cell, trial: &Trial, dir: &Path) {
        let title = match trial.outcome {
            Outcome::Crash => {
                let crash = trial.crash.as_ref();
                let signal =
                    crash.map_or_else(|| "unknown signal".to_owned(), |crash| signal_name(crash.signal));
                let site = crash.and_then(|crash| crash.site.as_deref());
                let place = site.map_or_else(|| "at an unknown site".to_owned(), place);
                format!("{signal} in {} {place}", trial.phase.name())
            }
            Outcome::Hang => format!("hang in {} of {}", trial.phase.name(), cell.walker),
            _ => return,
        };
        if self.known.len() >= MOST && !self.known.contains_key(&title) {
            self.beyond += 1;
            return;
        }
        let bucket = self.known.entry(title.clone()).or_insert_with(|| Bucket {
            id: format!("bucket-{:012x}", fnv1a(&title) >> 16),
            title,
            count: 0,
            builds: BTreeMap::new(),
            cells: BTreeSet::new(),
            in_walk: trial.phase.is_walking(),
            dir: dir.display().to_string(),
            trial: trial.trial,
            seed: trial.seed.clone(),
        });
        bucket.count += 1;
        *bucket.builds.entry(cell.interpreter.clone()).or_default() += 1;
        bucket.cells.insert(cell.id.clone());
    }

    /// The walker's before the target's, then most frequent first.
    pub fn sorted(&self) -> Vec<&Bucket> {
        let mut all: Vec<&Bucket> = self.known.values().collect();
        all.sort_by(|a, b| b.in_walk.cmp(&a.in_walk).then(b.count.cmp(&a.count)).then(a.title.cmp(&b.title)));
        all
    }
}

impl Bucket {
    /// The command that runs its first trial again.
    pub fn replay(&self) -> String {
        replay(&self.dir, self.trial)
    }
}

/// The command that runs a trial of a run directory again.
pub fn replay(dir: &str, trial: u64) -> String {
    format!("stress replay {} {trial}", shell::quoted(dir))
}

/// `stress+0x1b (in a::b+0x3f9)` → `at a::b (stress)`; `libpython3.13.so.1.0+0x2d (near X+0x4)` → `near X (libpython)`.
fn place(site: &str) -> String {
    let symbol = site.split_once(" (").and_then(|(module, rest)| Some((module, rest.strip_suffix(')')?)));
    let Some((image, symbol)) = symbol else { return format!("at {}", module(&masked(site))) };
    let (how, symbol) = match symbol.strip_prefix("near ") {
        Some(symbol) => ("near", symbol),
        None => ("at", symbol.strip_prefix("in ").unwrap_or(symbol)),
    };
    format!(
        "{how} {} ({})",
        masked(without_hash(without_offset(symbol))),
        module(&masked(without_offset(image)))
    )
}

/// `f+0x3f9` → `f`
fn without_offset(text: &str) -> &str {
    match text.rsplit_once("+0x") {
        Some((name, digits)) if digits.chars().all(|c| c.is_ascii_hexdigit()) => name,
        _ => text,
    }
}

/// The hash that Rust's older mangling appends changes with every build: `a::b::h0123456789abcdef` → `a::b`
fn without_hash(symbol: &str) -> &str {
    match symbol.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()) => name,
        _ => symbol,
    }
}

/// `libpython3.13.so.1.0` → `libpython`: the interpreter has a column of its own.
fn module(text: &str) -> String {
    let Some(rest) = text.strip_prefix("libpython") else { return text.to_owned() };
    let version = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
    format!("libpython{}", &rest[version..])
}

/// `0x1f3a` → `0x…`
fn masked(site: &str) -> String {
    let mut out = String::with_capacity(site.len());
    let mut rest = site;
    while let Some(at) = rest.find("0x") {
        out.push_str(&rest[..at]);
        let digits = rest[at + 2..].chars().take_while(char::is_ascii_hexdigit).count();
        out.push_str(if digits == 0 { "0x" } else { "0x…" });
        rest = &rest[at + 2 + digits..];
    }
    out.push_str(rest);
    out
}

fn signal_name(signal: i32) -> String {
    match signal {
        4 => "SIGILL".into(),
        5 => "SIGTRAP".into(),
        6 => "SIGABRT".into(),
        7 => "SIGBUS".into(),
        8 => "SIGFPE".into(),
        9 => "SIGKILL".into(),
        11 => "SIGSEGV".into(),
        31 => "SIGSYS".into(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_keeps_the_function() {
        for (site, expected) in [
            (
                "stress+0x1bed19 (in sigwalk::walk::pr_b1::next_complete+0x3f9)",
                "at sigwalk::walk::pr_b1::next_complete (stress)",
            ),
            ("stress+0x1 (in a::b::h0123456789abcdef+0x0)", "at a::b (stress)"),
            ("libpython3.13.so.1.0+0x2d (near _Py_X+0x420)", "near _Py_X (libpython)"),
            ("libpython3.13d.so.1.0+0x2d (in f+0x4)", "at f (libpython)"),
            ("libpython3.15.so.1.0+0x2f00", "at libpython+0x…"),
            ("stress+0x1 (in <f as g>::h (x)+0x1)", "at <f as g>::h (x) (stress)"),
            ("plain (", "at plain ("),
        ] {
            assert_eq!(place(site), expected);
        }
    }

    #[test]
    fn titles_lose_their_addresses_only() {
        assert_eq!(masked("libpython3.13.so.1.0+0x1a2b (PyX+0x12)"), "libpython3.13.so.1.0+0x… (PyX+0x…)");
        assert_eq!(masked("0xzz"), "0xzz");
        assert_eq!(masked("plain"), "plain");
    }
}

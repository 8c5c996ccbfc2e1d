//! Buckets: crashes and hangs judged the same by a title from which addresses are masked.

use crate::text::fnv1a;
use sigwalk_record::{Cell, Outcome, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A site that holds a random number must not fill the memory of the reporter: further titles are only counted.
const MOST: usize = 300;

/// One bucket.
#[derive(Debug)]
pub struct Bucket {
    /// Signal, phase and site, addresses masked.
    pub title: String,
    /// Stable anchor: hash of the title.
    pub id: String,
    /// Trials.
    pub count: u64,
    /// Tags of the interpreters that showed it.
    pub builds: BTreeSet<String>,
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
                let site = crash.and_then(|crash| crash.site.as_deref()).unwrap_or("site unknown");
                format!("{signal} in {} at {}", trial.phase.name(), masked(site))
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
            builds: BTreeSet::new(),
            cells: BTreeSet::new(),
            in_walk: trial.phase.is_walking(),
            dir: dir.display().to_string(),
            trial: trial.trial,
            seed: trial.seed.clone(),
        });
        bucket.count += 1;
        bucket.builds.insert(cell.interpreter.clone());
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
        format!("stress replay {} {}", quoted(&self.dir), self.trial)
    }
}

/// For a POSIX shell: a directory name must not become a second command.
fn quoted(text: &str) -> String {
    let plain =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=:@%".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
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
    fn titles_lose_their_addresses_only() {
        assert_eq!(masked("libpython3.13.so.1.0+0x1a2b (PyX+0x12)"), "libpython3.13.so.1.0+0x… (PyX+0x…)");
        assert_eq!(masked("0xzz"), "0xzz");
        assert_eq!(masked("plain"), "plain");
    }

    #[test]
    fn a_directory_name_is_one_word_of_the_command() {
        assert_eq!(quoted("runs/a-1"), "runs/a-1");
        assert_eq!(quoted("a b; rm"), "'a b; rm'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}

//! What has been counted so far, kept beside the records: a campaign that was killed goes on from there with `--resume`.

use super::counters::{Counters, Totals};
use super::lines::Lines;
use crate::failure::Failure;
use crate::records::replace;
use serde::{Deserialize, Serialize};
use sigwalk_record::{Freed, Injection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE: &str = "checkpoint.json";

/// A run goes on for this long before it is written down again.
const PERIOD: Duration = Duration::from_secs(1);

/// Stacks that are done, and what they gave.
#[derive(Debug, Default)]
pub struct Done {
    /// Their numbers.
    pub stacks: BTreeSet<u64>,
    /// Their counts.
    pub totals: Totals,
    /// Their lines.
    pub lines: Lines,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    campaign: String,
    interpreter: String,
    commit: String,
    stacks: BTreeSet<u64>,
    counts: Vec<(usize, u64)>,
    freed: Vec<Freed>,
    injections: Vec<Injection>,
}

/// Where a run is written down while it goes on.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    campaign: String,
    interpreter: String,
    commit: String,
    written: Instant,
}

impl Checkpoint {
    /// In a run directory. The same campaign on the same build of both may go on.
    pub fn new(directory: &Path, campaign: &str, interpreter: &str, commit: &str) -> Checkpoint {
        Checkpoint {
            path: directory.join(FILE),
            campaign: campaign.into(),
            interpreter: interpreter.into(),
            commit: commit.into(),
            written: Instant::now(),
        }
    }

    /// What is there already.
    ///
    /// # Errors
    /// It is damaged, or of something else.
    pub fn read(&self, counters: &Counters) -> Result<Done, Failure> {
        let refuse =
            |why: &str| Failure::incompatible(format!("{}: {why}; give another --out", self.path.display()));
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Done::default()),
            Err(error) => return Err(refuse(&error.to_string())),
        };
        let kept: Kept = serde_json::from_str(&text).map_err(|error| refuse(&error.to_string()))?;
        if (&kept.campaign, &kept.interpreter, &kept.commit)
            != (&self.campaign, &self.interpreter, &self.commit)
        {
            return Err(refuse("of another campaign, interpreter or build"));
        }
        let totals = Totals::from_sparse(&kept.counts, counters).ok_or_else(|| refuse("damaged"))?;
        Ok(Done { stacks: kept.stacks, totals, lines: Lines::of(kept.freed, kept.injections) })
    }

    /// Writes down what is there, every second, or `now`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, done: &Done, now: bool) -> Result<(), Failure> {
        if !now && self.written.elapsed() < PERIOD {
            return Ok(());
        }
        self.written = Instant::now();
        let kept = Kept {
            campaign: self.campaign.clone(),
            interpreter: self.interpreter.clone(),
            commit: self.commit.clone(),
            stacks: done.stacks.clone(),
            counts: done.totals.sparse(),
            freed: done.lines.freed(),
            injections: done.lines.injections(&self.interpreter),
        };
        let text = serde_json::to_string(&kept).map_err(|error| Failure::internal(error.to_string()))?;
        replace(&self.path, &text)
    }

    /// All is in the records.
    pub fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

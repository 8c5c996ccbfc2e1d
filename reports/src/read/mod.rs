//! Reading: run directories in, one [`Records`] out. Trials are streamed and aggregated, never kept.

mod builds;
mod find;
mod fuzzed;
mod ingest;
mod lines;
mod measured;
mod mutated;
mod seen;
mod surrogates;

use crate::failure::Failure;
use crate::model::records::Records;
use crate::progress::Progress;
use sigwalk_record::{Campaign, Cell, Trial};
use std::path::{Path, PathBuf};

/// Whoever wants the trials themselves: they are shown while they are read, and are gone after that.
pub trait Watch {
    /// A trial that was believed, with its campaign and its cell.
    ///
    /// # Errors
    /// Whatever ends the reading.
    fn trial(&mut self, campaign: &Campaign, cell: &Cell, trial: &Trial) -> Result<(), Failure>;
}

/// Reads every run directory in or below `dirs`, and the tallies of the fuzzer in `fuzz`.
///
/// # Errors
/// A directory that is missing (2), nothing in it (4), damaged or incompatible records (5).
pub fn read(
    dirs: &[PathBuf],
    fuzz: Option<&Path>,
    progress: &mut Progress,
    watch: Option<&mut dyn Watch>,
) -> Result<Records, Failure> {
    into(ingest::Ingest::new(progress, watch), dirs, fuzz)
}

/// The same, and 16 bytes of every trial besides, so that two runs can be compared trial by trial.
///
/// # Errors
/// As [`read`].
pub fn read_for_comparison(
    dirs: &[PathBuf],
    fuzz: Option<&Path>,
    progress: &mut Progress,
    watch: Option<&mut dyn Watch>,
) -> Result<Records, Failure> {
    into(ingest::Ingest::new(progress, watch).for_comparison(), dirs, fuzz)
}

fn into(
    mut ingest: ingest::Ingest<'_, '_>,
    dirs: &[PathBuf],
    fuzz: Option<&Path>,
) -> Result<Records, Failure> {
    let tallies = fuzz.map(fuzzed::read).transpose()?;
    let mut runs = find::runs(dirs)?;
    // Whatever order the directories were named in, the report is the same.
    runs.sort_by(|a, b| a.order().cmp(&b.order()));
    for run in &runs {
        ingest.manifest(run)?;
    }
    for run in &runs {
        ingest.rows(run)?;
    }
    let mut records = ingest.finish(dirs)?;
    if let Some(tallies) = tallies {
        if tallies.files == 0 {
            let dir = tallies.dir.as_deref().unwrap_or_default();
            records
                .notices
                .push(format!("{dir}: no tally of the fuzzer; cargo +nightly fuzz run walk writes them"));
        }
        records.fuzzed = tallies;
    }
    Ok(records)
}

//! Reading: run directories in, one [`Records`] out. Trials are streamed and aggregated, never kept.

mod builds;
mod find;
mod ingest;
mod lines;
mod seen;

use crate::failure::Failure;
use crate::model::records::Records;
use std::path::PathBuf;

/// Reads every run directory in or below `dirs`.
///
/// # Errors
/// A directory that is missing (2), nothing in it (4), damaged or incompatible records (5).
pub fn read(dirs: &[PathBuf]) -> Result<Records, Failure> {
    let mut runs = find::runs(dirs)?;
    // Whatever order the directories were named in, the report is the same.
    runs.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut ingest = ingest::Ingest::default();
    for run in &runs {
        ingest.manifest(run)?;
    }
    for run in &runs {
        ingest.rows(run)?;
    }
    ingest.finish(dirs)
}

//! The commands: each reads, judges, and writes in its own way.

pub mod build;
pub mod compare;
pub mod export;
pub mod schema;
pub mod text;

use crate::cli::Input;
use crate::compare::{Comparison, Renames};
use crate::failure::Failure;
use crate::model::Model;
use crate::progress::Progress;
use crate::read::{self, Watch};
use crate::text::visible::line;
use std::io::Write;
use std::path::PathBuf;

/// Reads and judges, and says what a reader must be told.
///
/// # Errors
/// Of the records.
pub fn judged(
    input: &Input,
    baseline: Option<&PathBuf>,
    progress: &mut Progress,
    watch: Option<&mut dyn Watch>,
) -> Result<Model, Failure> {
    let base = baseline.map(|dir| compare::side("baseline", dir, progress)).transpose()?;
    let reading = if base.is_some() { read::read_for_comparison } else { read::read };
    let records = reading(&input.dirs, input.fuzz.as_deref(), progress, watch)?;
    progress.step("judging")?;
    let comparison = base.map(|base| Comparison::new(&base, &records, &Renames::default())).transpose()?;
    let model = Model { comparison, ..Model::judge(records) };
    for notice in &model.records.notices {
        eprintln!("report: {}", line(notice));
    }
    Ok(model)
}

/// Prints to standard output. A reader that went away (`report text … | head`) is no error.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::machine(format!("standard output: {error}; send it somewhere that can be written")))
        }
        _ => Ok(()),
    }
}

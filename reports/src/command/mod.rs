//! The commands: each reads, judges, and writes in its own way.

pub mod build;
pub mod export;
pub mod schema;
pub mod text;

use crate::cli::Input;
use crate::failure::Failure;
use crate::model::Model;
use crate::progress::Progress;
use crate::read::{self, Watch};
use crate::text::visible::line;
use std::io::Write;

/// Reads and judges, and says what a reader must be told.
///
/// # Errors
/// Of the records.
pub fn judged(
    input: &Input,
    progress: &mut Progress,
    watch: Option<&mut dyn Watch>,
) -> Result<Model, Failure> {
    let records = read::read(&input.dirs, input.fuzz.as_deref(), progress, watch)?;
    progress.step("judging")?;
    let model = Model::judge(records);
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

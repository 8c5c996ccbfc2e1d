//! `report text`: the summary on standard output.

use super::{judged, print};
use crate::cli::Text;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{json, text};

/// Prints.
///
/// # Errors
/// Of the records.
pub fn run(arguments: &Text) -> Result<(), Failure> {
    let mut progress = Progress::new(arguments.input.quiet);
    let model = judged(&arguments.input, None, &mut progress, None)?;
    drop(progress);
    print(&if arguments.json { json::summary(&model)? } else { text::summary(&model) })
}

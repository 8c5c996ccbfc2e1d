//! `report schema`: what records and summaries look like, for programs that read or write them.

use super::print;
use crate::cli::Schema;
use crate::failure::Failure;
use crate::schema::{KINDS, schema};

/// Prints the schema, or the names of all.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(arguments: &Schema) -> Result<(), Failure> {
    match &arguments.kind {
        Some(kind) => print(&schema(kind)),
        None => print(&KINDS.map(|kind| kind.to_owned() + "\n").concat()),
    }
}

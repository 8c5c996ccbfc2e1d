//! `report compare`: two runs against each other.

use super::print;
use crate::cli::Compare;
use crate::compare::{Comparison, Gate, Renames};
use crate::failure::Failure;
use crate::model::records::Records;
use crate::progress::Progress;
use crate::text::visible::line;
use crate::{interrupt, json, read, text};
use sigwalk_record::exit;
use std::path::PathBuf;

/// Compares; the exit code.
///
/// # Errors
/// Of the records.
pub fn run(arguments: &Compare) -> Result<u8, Failure> {
    interrupt::prepare()?;
    let mut progress = Progress::new(arguments.quiet);
    let base = side("BASE", &arguments.base, &mut progress)?;
    let new = side("NEW", &arguments.new, &mut progress)?;
    progress.step("comparing")?;
    let renames = Renames { interpreters: arguments.interpreter.clone(), walkers: arguments.walker.clone() };
    let comparison = Comparison::new(&base, &new, &renames)?;
    drop(progress);
    let gate = arguments.gate.map(|percent| Gate::new(&comparison, percent));
    if arguments.json {
        print(&json::comparison(&comparison, gate.as_ref())?)?;
    } else {
        print(&text::compare::comparison(&comparison))?;
        if let Some(gate) = &gate {
            print(&format!("{}\n", gate.line()))?;
        }
    }
    let code = if gate.is_none_or(|gate| gate.holds()) { exit::OK } else { exit::FINDINGS };
    u8::try_from(code).map_err(Failure::internal)
}

/// One of the two, with what a reader must be told of it.
///
/// # Errors
/// Of the records.
pub fn side(name: &str, dir: &PathBuf, progress: &mut Progress) -> Result<Records, Failure> {
    let records = read::read_for_comparison(std::slice::from_ref(dir), None, progress, None)?;
    for notice in &records.notices {
        eprintln!("report: {name}: {}", line(notice));
    }
    Ok(records)
}

//! `stress allocations`

use super::{Session, become_build_for};
use crate::allocations::{self, PROGRAMS};
use crate::cli::Allocations;
use crate::failure::Failure;
use crate::forked::in_child;
use crate::records::RunDir;
use sigwalk_embed::own_frames;
use sigwalk_record::{Kind, exit};

/// Records the traces, one process a program.
///
/// # Errors
/// The interpreter has no oracle, the directory, or a program that failed.
pub fn run(arguments: &Allocations) -> Result<i32, Failure> {
    become_build_for(arguments.python.as_deref())?;
    own_frames::available().map_err(Failure::missing)?;
    let session = Session::start()?;
    let (live, tag) = (session.live, session.interpreter.tag.clone());
    let text = format!("allocations\nprograms: {}\n", PROGRAMS.join(", "));
    let manifest = session.manifest(Kind::Allocations, "allocations", text);
    let mut records = RunDir::create(&arguments.out, manifest)?;
    let programs = allocations::programs()?;
    for program in PROGRAMS {
        let lines = in_child(program, || {
            let rows = allocations::trace(live, &tag, &programs, program)?;
            let mut lines = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut lines, &row).map_err(|error| error.to_string())?;
                lines.push(b'\n');
            }
            Ok(lines)
        })?;
        eprintln!("allocations on {tag}: {program}");
        records.append_bytes(&lines)?;
    }
    records.finish(true)?;
    println!("{}: records", arguments.out.display());
    Ok(exit::OK)
}

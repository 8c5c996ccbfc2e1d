//! `report export`: one of the things that stand beside the page, alone.

use super::{build, judged};
use crate::beside::{csv, jsonl, pyperf};
use crate::cli::{Export, Format};
use crate::failure::Failure;
use crate::output::Target;
use crate::progress::Progress;
use crate::{html, interrupt, json};
use std::io::BufWriter;

/// Exports.
///
/// # Errors
/// Of the records and of the output; nothing of what was asked for is in the records (4).
pub fn run(arguments: &Export) -> Result<(), Failure> {
    interrupt::prepare()?;
    let target = match arguments.format {
        Format::Figures => Target::directory(&arguments.out)?,
        _ => Target::file(&arguments.out)?,
    };
    let name = target.page_name();
    let mut progress = Progress::new(arguments.input.quiet);
    let mut staged = target.stage();
    let input = &arguments.input;
    let found = match arguments.format {
        Format::Csv => {
            let mut trials = csv::Trials::new(staged.open(name)?)?;
            judged(input, None, &mut progress, Some(&mut trials))?;
            let rows = trials.rows;
            let file = trials.finish()?;
            staged.close(name, file)?;
            rows > 0
        }
        Format::Jsonl => {
            let mut lines = jsonl::Lines::new(BufWriter::with_capacity(1 << 18, staged.open(name)?));
            judged(input, None, &mut progress, Some(&mut lines))?;
            let rows = lines.rows;
            let file = lines.finish()?;
            staged.close(name, file)?;
            rows > 0
        }
        Format::Pyperf => {
            let suite = pyperf::suite(&judged(input, None, &mut progress, None)?)?;
            staged.add(name, suite.as_deref().unwrap_or_default().as_bytes())?;
            suite.is_some()
        }
        Format::Json => {
            staged.add(name, json::summary(&judged(input, None, &mut progress, None)?)?.as_bytes())?;
            true
        }
        Format::Figures => {
            let page = html::page(&judged(input, None, &mut progress, None)?, "")?;
            build::figures(&mut staged, "", &page)?;
            !staged.is_empty()
        }
    };
    if !found {
        return Err(Failure::nothing_ran(format!(
            "the records hold nothing for {}; name run directories that do",
            arguments.format.holds()
        )));
    }
    staged.commit().map(drop)
}

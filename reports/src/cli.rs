//! The command line.

use crate::failure::Failure;
use crate::{html, json, model, output, read, text};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  report build runs/smoke --out smoke.html          one page, with summary.md and summary.json beside it
  report build runs/ --out out/index.html --title \"Nightly\"
                                                    every run directory below runs/ in one report
  report build runs/ --fuzz fuzz/stats --out r.html would-be crashes that the fuzzer met, beside the rates
  report text runs/smoke                            the text table, to paste into a review comment

A run directory holds manifest.json and one of trials.jsonl, mutations.jsonl, cost.jsonl; beside mutations.jsonl may
stand checks.jsonl, injections.jsonl and freed.jsonl.

Exit codes: 0 done; 1 defect of report; 2 wrong command line; 4 nothing ran; 5 records that are damaged or do not
belong together; 6 the output cannot be written.";

/// Turns records of sigwalk into a report.
#[derive(Debug, Parser)]
#[command(name = "report", version, after_long_help = EXAMPLES, after_help = "More, with examples: report --help")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write one self-contained HTML page, and summary.md and summary.json beside it.
    #[command(after_long_help = EXAMPLES)]
    Build {
        /// Run directories, or parents of run directories.
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,
        /// The page to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Title of the page.
        #[arg(long, default_value = "Signal-safe stack walking of CPython")]
        title: String,
        /// Tallies of the fuzz target walk: counts that stand apart and are no rates.
        #[arg(long, value_name = "DIR")]
        fuzz: Option<PathBuf>,
    },
    /// Print the text summary (the same as summary.md) to standard output.
    #[command(after_long_help = EXAMPLES)]
    Text {
        /// Run directories, or parents of run directories.
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,
        /// Tallies of the fuzz target walk: counts that stand apart and are no rates.
        #[arg(long, value_name = "DIR")]
        fuzz: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// Whatever stopped it, ready to print.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let (dirs, fuzz, build) = match cli.command {
        Command::Build { dirs, out, title, fuzz } => (dirs, fuzz, Some((out, title))),
        Command::Text { dirs, fuzz } => (dirs, fuzz, None),
    };
    // A bad --out is found before minutes of reading, not after.
    let target =
        build.map(|(out, title)| output::Target::new(&out).map(|target| (target, title))).transpose()?;
    let model = model::Model::judge(read::read(&dirs, fuzz.as_deref())?);
    for notice in &model.records.notices {
        eprintln!("report: {}", text::visible::line(notice));
    }
    let summary = text::summary(&model);
    let Some((target, title)) = target else { return print(&summary) };
    let page = html::page(&model, &title)?;
    target.write(&[
        (target.page_name(), page.as_str()),
        ("summary.md", summary.as_str()),
        ("summary.json", json::summary(&model)?.as_str()),
    ])?;
    print(&format!(
        "{}: {}\n",
        text::visible::one_line(&target.page_path().display().to_string()),
        text::visible::line(&model.verdict.line)
    ))
}

/// A reader that went away (`report text … | head`) is no error.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::machine(format!("standard output: {error}; send it somewhere that can be written")))
        }
        _ => Ok(()),
    }
}

//! The command line.

use crate::compare::{Comparison, Gate, Rename, Renames};
use crate::failure::Failure;
use crate::model::records::Records;
use crate::{html, json, model, output, read, text};
use clap::{Parser, Subcommand};
use sigwalk_record::exit;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  report build runs/smoke --out smoke.html          one page, with summary.md and summary.json beside it
  report build runs/ --out out/index.html --title \"Nightly\"
                                                    every run directory below runs/ in one report
  report build runs/ --fuzz fuzz/stats --out r.html would-be crashes that the fuzzer met, beside the rates
  report text runs/smoke                            the text table, to paste into a review comment
  report compare runs/main runs/patch               what differs between two runs, on the same interpreters
  report build runs/patch --baseline runs/main --out r.html
                                                    the same as a section of the page

A run directory holds manifest.json and one of trials.jsonl, mutations.jsonl, cost.jsonl; beside mutations.jsonl may
stand checks.jsonl, injections.jsonl and freed.jsonl.

Exit codes: 0 done; 1 defect of report; 2 wrong command line; 3 worse than `compare --gate` allows; 4 nothing ran; 5 records that are damaged or do not
belong together; 6 the output cannot be written.";

const COMPARE_EXAMPLES: &str = "\
Examples:
  report compare runs/main runs/patch                            the same interpreters, two commits
  report compare runs runs --interpreter 3.13.5=3.13.15          two interpreters of one run
  report compare runs runs --walker pr-b1=pr-b1-hops             two walkers of one run
  report compare runs/main runs/patch --gate 10                  for CI: exit code 3 when it got worse

What is tested: the rate of every event of every pair of cells, on the same seeds by McNemar's exact test and on different ones by
Fisher's, adjusted by Holm; and every cost, by permuting whole processes, adjusted over all costs at once. Where nothing
differs, the chance that anything is called different is at most 5 %. A cost must differ by 2 % besides. Mutations are not compared.

With --gate PERCENT the exit code is 3 when
  - a cost is called different and rose by more than PERCENT, or
  - the rate of one of these events is called different and rose, by however little: crash in a frame, in the list of threads or at a
    thread's name; hang in a walk; impossible (silently wrong) stack; contract violation.
Crashes and hangs of the target outside any walk, and what a walker says itself (truncated, rejected, recovered fault), do not count.
The gate does not ask whether the runs can be compared: the banner says so.

Exit codes: 0 done; 1 defect of report; 2 wrong command line; 3 worse than the gate allows; 4 nothing to compare; 5 records that are
damaged or do not belong together; 6 the output cannot be written.";

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
        /// Run directories, or a parent of some, to compare with: a section of the page.
        #[arg(long, value_name = "DIR")]
        baseline: Option<PathBuf>,
    },
    /// Compare two runs: what differs in rates and costs, and whether they can be compared.
    #[command(after_long_help = COMPARE_EXAMPLES)]
    Compare {
        /// A run directory, or a parent of some: what was before.
        #[arg(value_name = "BASE")]
        base: PathBuf,
        /// The same of what is new. May be BASE, with --interpreter or --walker.
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// Compare this interpreter of BASE with that of NEW; may repeat [default: of the same tag; if each has one, these].
        #[arg(long, value_name = "OLD=NEW")]
        interpreter: Vec<Rename>,
        /// Compare this walker of BASE with that of NEW; may repeat [default: each with itself].
        #[arg(long, value_name = "OLD=NEW")]
        walker: Vec<Rename>,
        /// End with exit code 3 when something got worse: see below.
        #[arg(long, value_name = "PERCENT", value_parser = percent)]
        gate: Option<f64>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
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
pub fn run(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        Command::Build { dirs, out, title, fuzz, baseline } => {
            write(&dirs, fuzz.as_deref(), baseline, Some((out, title))).map(|()| 0)
        }
        Command::Text { dirs, fuzz } => write(&dirs, fuzz.as_deref(), None, None).map(|()| 0),
        Command::Compare { base, new, interpreter, walker, gate, json } => {
            compare(base, new, &Renames { interpreters: interpreter, walkers: walker }, gate, json)
        }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent),
        _ => Err("give percent from 0, e.g. 10".to_owned()),
    }
}

/// Two runs against each other; the exit code.
fn compare(
    base: PathBuf,
    new: PathBuf,
    renames: &Renames,
    gate: Option<f64>,
    json: bool,
) -> Result<u8, Failure> {
    let [base, new] = [read::read_for_comparison(&[base], None)?, read::read_for_comparison(&[new], None)?];
    notices("BASE", &base);
    notices("NEW", &new);
    let comparison = Comparison::new(&base, &new, renames)?;
    let gate = gate.map(|percent| Gate::new(&comparison, percent));
    if json {
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

fn notices(side: &str, records: &Records) {
    for notice in &records.notices {
        eprintln!("report: {side}: {}", text::visible::one_line(notice));
    }
}

fn write(
    dirs: &[PathBuf],
    fuzz: Option<&Path>,
    baseline: Option<PathBuf>,
    build: Option<(PathBuf, String)>,
) -> Result<(), Failure> {
    // A bad --out is found before minutes of reading, not after.
    let target =
        build.map(|(out, title)| output::Target::new(&out).map(|target| (target, title))).transpose()?;
    let model = match baseline {
        None => model::Model::judge(read::read(dirs, fuzz)?),
        Some(baseline) => {
            let base = read::read_for_comparison(&[baseline], None)?;
            notices("baseline", &base);
            let new = read::read_for_comparison(dirs, fuzz)?;
            let comparison = Some(Comparison::new(&base, &new, &Renames::default())?);
            model::Model { comparison, ..model::Model::judge(new) }
        }
    };
    for notice in &model.records.notices {
        eprintln!("report: {}", text::visible::one_line(notice));
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
        text::visible::one_line(&model.verdict.line)
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

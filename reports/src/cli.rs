//! The command line.

use crate::command::{build, compare, export, print, schema, text};
use crate::compare::Rename;
use crate::failure::Failure;
use crate::schema::KINDS;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sigwalk_record::exit;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  report build runs/smoke --out smoke.html          one page, and beside it summary.md, summary.json, trials.csv,
                                                    cost.pyperf.json and figures/
  report build runs/ --out out/index.html --title \"Nightly\"
                                                    every run directory below runs/ in one report
  report build runs/ --fuzz fuzz/stats --out r.html would-be crashes that the fuzzer met, beside the rates
  report compare runs/main runs/patch               what differs between two runs, on the same interpreters
  report build runs/patch --baseline runs/main --out r.html
                                                    the same as a section of the page
  report text runs/smoke                            the text table, to paste into a review comment
  report text runs/smoke --json | jq .verdict       the same for a program
  report export runs/ --format pyperf --out b.json  then: python3 -m pyperf compare_to a.json b.json
  report schema trial                               the JSON schema of a line of trials.jsonl
  report completions bash > /etc/bash_completion.d/report
  report man > report.1

A run directory holds manifest.json and one of trials.jsonl, mutations.jsonl, cost.jsonl; beside mutations.jsonl may
stand checks.jsonl, injections.jsonl and freed.jsonl. Records of every earlier version are read.

Exit codes: 0 done; 1 defect of report; 2 wrong command line; 3 worse than `compare --gate` allows; 4 nothing ran; 5 records
that are damaged or do not belong together; 6 the output cannot be written; 130 interrupted, and nothing written.";

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
damaged or do not belong together; 6 the output cannot be written; 130 interrupted.";

/// Turns records of sigwalk into a report.
#[derive(Debug, Parser)]
#[command(name = "report", version, after_long_help = EXAMPLES, after_help = "More, with examples: report --help")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write one self-contained HTML page, and summaries, tables and figures beside it.
    #[command(after_long_help = EXAMPLES)]
    Build(Build),
    /// Compare two runs: what differs in rates and costs, and whether they can be compared.
    #[command(after_long_help = COMPARE_EXAMPLES)]
    Compare(Compare),
    /// Print the text summary (the same as summary.md) to standard output.
    #[command(after_long_help = EXAMPLES)]
    Text(Text),
    /// Write one of the things that stand beside the page, alone.
    #[command(after_long_help = EXAMPLES)]
    Export(Export),
    /// Print the JSON schema of a record or of summary.json; without a name, the names.
    #[command(after_long_help = EXAMPLES)]
    Schema(Schema),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// What is read.
#[derive(Debug, Args)]
pub struct Input {
    /// Run directories, or parents of run directories.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Tallies of the fuzz target walk: counts that stand apart and are no rates.
    #[arg(long, value_name = "DIR")]
    pub fuzz: Option<PathBuf>,
    /// No progress on standard error. Notices and errors stay.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `report build`.
#[derive(Debug, Args)]
pub struct Build {
    /// What is read.
    #[command(flatten)]
    pub input: Input,
    /// The page to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Title of the page.
    #[arg(long, default_value = "Signal-safe stack walking of CPython")]
    pub title: String,
    /// Run directories, or a parent of some, to compare with: a section of the page.
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// Print the verdict and the paths of what was written as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `report compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// A run directory, or a parent of some: what was before.
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// The same of what is new. May be BASE, with --interpreter or --walker.
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Compare this interpreter of BASE with that of NEW; may repeat [default: of the same tag; if each has one, these].
    #[arg(long, value_name = "OLD=NEW")]
    pub interpreter: Vec<Rename>,
    /// Compare this walker of BASE with that of NEW; may repeat [default: each with itself].
    #[arg(long, value_name = "OLD=NEW")]
    pub walker: Vec<Rename>,
    /// End with exit code 3 when something got worse: see below.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub gate: Option<f64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// No progress on standard error. Notices and errors stay.
    #[arg(long, short)]
    pub quiet: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent),
        _ => Err("give percent from 0, e.g. 10".to_owned()),
    }
}

/// Arguments of `report text`.
#[derive(Debug, Args)]
pub struct Text {
    /// What is read.
    #[command(flatten)]
    pub input: Input,
    /// Print summary.json instead.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `report export`.
#[derive(Debug, Args)]
pub struct Export {
    /// What is read.
    #[command(flatten)]
    pub input: Input,
    /// What to write.
    #[arg(long, value_enum)]
    pub format: Format,
    /// The file to write; of figures, the directory.
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
}

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Trials as a table, one row each.
    Csv,
    /// Trials as JSON lines of today's version.
    Jsonl,
    /// Costs, for python3 -m pyperf.
    Pyperf,
    /// summary.json.
    Json,
    /// Every figure of the page, as SVG and as PNG.
    Figures,
}

impl Format {
    /// What it is made of.
    pub fn holds(self) -> &'static str {
        match self {
            Format::Csv | Format::Jsonl => "a table of trials",
            Format::Pyperf => "pyperf: no cost that was timed",
            Format::Json => "a summary",
            Format::Figures => "a figure",
        }
    }
}

/// Arguments of `report schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// What it is the schema of.
    #[arg(value_parser = KINDS)]
    pub kind: Option<String>,
}

/// Runs the command; the exit code.
///
/// # Errors
/// Whatever stopped it, ready to print.
pub fn run(cli: &Cli) -> Result<u8, Failure> {
    match &cli.command {
        Command::Compare(arguments) => return compare::run(arguments),
        Command::Build(arguments) => build::run(arguments),
        Command::Text(arguments) => text::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "report", &mut out);
            print(&String::from_utf8_lossy(&out))
        }
        Command::Man => {
            let mut out = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut out).map_err(Failure::internal)?;
            print(&String::from_utf8_lossy(&out))
        }
    }?;
    u8::try_from(exit::OK).map_err(Failure::internal)
}

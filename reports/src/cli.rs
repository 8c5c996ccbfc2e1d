//! The command line.

use crate::command::{build, export, print, schema, text};
use crate::failure::Failure;
use crate::schema::KINDS;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  report build runs/smoke --out smoke.html          one page, and beside it summary.md, summary.json, trials.csv,
                                                    cost.pyperf.json and figures/
  report build runs/ --out out/index.html --title \"Nightly\"
                                                    every run directory below runs/ in one report
  report build runs/ --fuzz fuzz/stats --out r.html would-be crashes that the fuzzer met, beside the rates
  report text runs/smoke                            the text table, to paste into a review comment
  report text runs/smoke --json | jq .verdict       the same for a program
  report export runs/ --format pyperf --out b.json  then: python3 -m pyperf compare_to a.json b.json
  report schema trial                               the JSON schema of a line of trials.jsonl
  report completions bash > /etc/bash_completion.d/report
  report man > report.1

A run directory holds manifest.json and one of trials.jsonl, mutations.jsonl, cost.jsonl; beside mutations.jsonl may
stand checks.jsonl, injections.jsonl and freed.jsonl. Records of every earlier version are read.

Exit codes: 0 done; 1 defect of report; 2 wrong command line; 4 nothing ran; 5 records that are damaged or do not
belong together; 6 the output cannot be written; 130 interrupted, and nothing written.";

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
    #[command(flatten)]
    pub input: Input,
    /// The page to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Title of the page.
    #[arg(long, default_value = "Signal-safe stack walking of CPython")]
    pub title: String,
    /// Print the verdict and the paths of what was written as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `report text`.
#[derive(Debug, Args)]
pub struct Text {
    #[command(flatten)]
    pub input: Input,
    /// Print summary.json instead.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `report export`.
#[derive(Debug, Args)]
pub struct Export {
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

/// Runs the command.
///
/// # Errors
/// Whatever stopped it, ready to print.
pub fn run(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
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
    }
}

//! The command line.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Trials of signal-safe stack walkers against a real CPython: signals, other threads, mutated memory.
#[derive(Debug, Parser)]
#[command(
    name = "stress",
    version,
    after_long_help = "Exit codes: 0 ok, 1 internal, 2 usage, 3 findings (mutate: our model differs from CPython's code), 4 \
                       nothing ran, 5 incompatible records, 6 the machine lacks a capability, 7 the walked process exited, \
                       130 interrupted (finished trials are kept).\n\nExamples:\n  stress list\n  stress run \
                       campaigns/smoke.toml --out runs/smoke\n  stress run campaigns/crashes.toml --python 3.15 --out \
                       runs/crashes-3.15\n  stress replay runs/smoke 17\n  stress mutate --out runs/mutate\n  stress \
                       doctor\n  stress walk 1234"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a campaign: every trial a fresh process, every record a line in OUT/trials.jsonl
    #[command(after_help = "Example:\n  stress run campaigns/smoke.toml --out runs/smoke --jobs 2")]
    Run(Run),
    /// Run one trial of a finished run again, with the same seed
    #[command(after_help = "Example:\n  stress replay runs/smoke 17")]
    Replay(Replay),
    /// Put the shards of one campaign together: every trial once, in order
    #[command(
        after_help = "Example:\n  stress run campaigns/full.toml --shard 1/2 --out runs/a\n  stress run \
                      campaigns/full.toml --shard 2/2 --out runs/b\n  stress merge runs/a runs/b --out runs/full"
    )]
    Merge(Merge),
    /// Change words of real frames and code objects in place, walk, compare, restore
    #[command(after_help = "Example:\n  stress mutate --stacks 1000 --walks 1000 --out runs/mutate")]
    Mutate(Mutate),
    /// Show walkers, targets, workloads, fields and value classes
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what this machine and this interpreter allow, and what would disturb a campaign
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the stacks of a running CPython process, 3.11 to 3.15, from outside and without stopping it
    #[command(after_long_help = WALK_HELP)]
    Walk(Walk),
}

const WALK_HELP: &str = "Every thread state of every interpreter in the process is walked with the strict policy, and \
walked again until a walk is complete. What is printed of a thread without a complete walk is its last one, with the \
reason why it ended.\n\nThe interpreter may be another version than the one that stress was built for, and be in a \
container.\n\nExit codes: 0 printed, 2 no such process or no Python in it, 4 Python runs no thread there (not started \
yet, or finalised), 6 the process cannot be read (rights, another architecture, a CPython that is not known), 7 it \
exited while it was walked.\n\nExamples:\n  stress walk 1234\n  stress walk 1234 --json";

/// `stress walk`
#[derive(Debug, clap::Args)]
pub struct Walk {
    /// Process
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pub pid: i32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Walks of a thread at most, until one is complete
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,
}

/// `stress run`
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Campaign file
    pub campaign: PathBuf,
    /// Directory for the records; must not hold a run, unless --resume
    #[arg(long, default_value = "runs/latest")]
    pub out: PathBuf,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
    /// Only trials i with i ≡ K − 1 modulo N
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub shard: Option<(u64, u64)>,
    /// Go on with the run in OUT: trials that have a record are not run again
    #[arg(long)]
    pub resume: bool,
    /// Trials at once [default: number of cores]
    #[arg(long)]
    pub jobs: Option<usize>,
}

/// `stress replay`
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// Directory of the run
    pub directory: PathBuf,
    /// Index of the trial
    pub trial: u64,
    /// How often: where timing decides, one repetition says little
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub times: u64,
}

/// `stress merge`
#[derive(Debug, clap::Args)]
pub struct Merge {
    /// Directories of the shards: one campaign, one interpreter, one build, one machine
    #[arg(required = true, value_name = "DIR")]
    pub directories: Vec<PathBuf>,
    /// Directory for the records; must not hold a run
    #[arg(long)]
    pub out: PathBuf,
    /// Merge although trials are missing: the result says that it is not complete
    #[arg(long)]
    pub partial: bool,
}

/// `stress mutate`
#[derive(Debug, clap::Args)]
pub struct Mutate {
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/mutate")]
    pub out: PathBuf,
    /// Independent stacks
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub stacks: u64,
    /// Mutations on each stack; each is walked by every walker
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub walks: u64,
    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match parsed {
        Some((k, n)) if 1 <= k && k <= n => Ok((k, n)),
        _ => Err("give K/N with 1 ≤ K ≤ N, e.g. 2/4".into()),
    }
}

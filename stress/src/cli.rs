//! The command line.

use crate::coexist::Plant;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Trials of signal-safe stack walkers against a real CPython: signals, allocator hooks, single steps, other threads,
/// mutated memory.
#[derive(Debug, Parser)]
#[command(
    name = "stress",
    version,
    after_long_help = "Exit codes: 0 ok, 1 internal, 2 usage, 3 findings (run: an outcome that the campaign's `some` or `never` does not \
                       allow; mutate: our model differs from CPython's code; soak: a crash, a hang or another result; coexist: a way of ours killed, or left a signal to the wrong one), \
                       4 nothing ran, 5 damaged or incompatible records, 6 the machine lacks a capability, 7 the walked process exited, \
                       130 interrupted (finished trials are kept).\n\nExamples:\n  stress list\n  stress run \
                       campaigns/smoke.toml --out runs/smoke\n  stress run campaigns/crashes.toml --python 3.15 --out \
                       runs/crashes-3.15\n  stress replay runs/smoke 17\n  stress mutate campaigns/heuristics-quick.toml\n  stress \
                       doctor\n  stress walk 1234\n  stress soak -- -m test test_generators\n  stress coexist"
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
    #[command(after_long_help = RUN_HELP)]
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
    #[command(
        after_help = "Examples:\n  stress mutate campaigns/heuristics.toml --jobs 2 --out runs/heuristics\n  stress mutate campaigns/heuristics.toml --stack 17 --draw 233"
    )]
    Mutate(Mutate),
    /// Show walkers, workloads, targets, faults, the catalogue of what goes wrong, fields and fault models
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
    /// Run any Python program under a storm of signals, each of which walks, and compare its results with those without
    #[command(after_long_help = SOAK_HELP)]
    Soak(Soak),
    /// Watch what walks touch that they promised not to: allocation, locks, reference counts, errno, the GIL, …
    #[command(after_long_help = CONTRACT_HELP)]
    Contract(Contract),
    /// Walk beside other owners of signals, in both orders of installation, and be uninstalled
    #[command(after_long_help = COEXIST_HELP)]
    Coexist(Coexist),
    /// Measure what becomes of a borrowed code pointer between the walk and its use, by delay, under code churn
    #[command(after_long_help = LIFETIME_HELP)]
    Lifetime(Lifetime),
    /// Record what programs allocate, exactly: each block's size and the interpreter's own stack
    #[command(
        after_help = "The report simulates sampled profiles over these traces, with each walker's measured errors.\n\nExit codes: 0 ok, 1 a program \
                      failed, 2 usage, 6 the interpreter's internal headers are not installed.\n\nExamples:\n  stress allocations --out \
                      runs/allocations\n  stress allocations --python 3.15 --out runs/allocations-3.15"
    )]
    Allocations(Allocations),
    /// The program of a soak, in its own process
    #[command(hide = true)]
    SoakProgram(SoakProgram),
    /// What forks the processes of `mutate`
    #[command(hide = true)]
    MutateNursery,
}

const RUN_HELP: &str = "A campaign that steps its targets (workloads step and interleave) goes on without address randomisation and, \
unless PYTHONHASHSEED is set, with hash seed 0: a window is then the same in every run.\n\nA run of all trials is held against the \
campaign's `some` and `never`; a run of a shard is not.\n\nExit codes: 0 ok, 2 the campaign or the command line is wrong, 3 some \
trial's outcome was one of `never`, or no trial's was one of `some`, 4 the shard has no trial, 5 OUT holds another run (--resume), \
6 the machine lacks a capability, or there is no build for --python, 130 interrupted (finished trials are kept).\n\nExamples:\n  \
stress run campaigns/smoke.toml --out runs/smoke --jobs 2\n  stress run campaigns/known-bugs.toml --python 3.13.5 --out \
runs/bugs-3.13.5\n  stress run campaigns/step.toml --python 3.15 --out runs/step\n  stress run campaigns/full.toml --shard 1/2 \
--out runs/a --resume";

const SOAK_HELP: &str = "The program runs twice without signals, then once with them, RUNS times. Each run is a process of its \
own in which CPython itself starts from the command line (Py_BytesMain). What differs between runs without signals is \
called unstable and not judged. With `-m test` the results of every test are compared, else exit status only.\n\nThe \
signal is SIGURG, from a timer of the process, from before CPython is initialised until it is finalised, in forked \
children too. Programs that the program executes (`subprocess`, `-m test -j`) run without.\n\nA soak judges crashes, hangs \
and changed results. It does not judge stacks: nobody knows the program's call graph.\n\nExit codes: 0 the same results, 3 a \
crash, a hang or another result, 4 nothing was measured, 130 interrupted (finished runs are kept).\n\nExamples:\n  stress soak -- \
-m json.tool big.json\n  stress soak --python 3.15 --out runs/soak -- -m test test_generators test_threading\n  stress soak \
--walker guarded,none -- -m test test_signal    # none: the signals alone\n\nTests of Debian's interpreters: \
scripts/pythons --testsuite 3.15";

const LIFETIME_HELP: &str = "Programs make functions and lose them; walks from the allocator's hooks keep pointers to those functions' code, \
and each is looked at again after a delay of 0 ns to 1 s, by loads that may fail. What it leads to then (its object, freed memory, somebody \
else's, another function) is known from the interpreter's own calls. A trial is a process and takes about 3 s; there are four programs.\n\n\
Exit codes: 0 ok, 1 a trial died, 2 usage, 6 the machine lacks a capability, 130 interrupted (finished trials are kept).\n\nExamples:\n  \
stress lifetime --out runs/lifetime\n  stress lifetime --trials 3 --python 3.15 --out runs/lifetime-3.15";

/// `stress allocations`
#[derive(Debug, clap::Args)]
pub struct Allocations {
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/allocations")]
    pub out: PathBuf,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
}

/// `stress lifetime`
#[derive(Debug, clap::Args)]
pub struct Lifetime {
    /// Processes of each program
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub trials: u64,
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/lifetime")]
    pub out: PathBuf,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
    /// Seed of the gaps between walks
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `stress soak`
#[derive(Debug, clap::Args)]
pub struct Soak {
    /// What python3 would get: a script, -c, -m …
    #[arg(required = true, last = true, value_name = "ARGS")]
    pub arguments: Vec<OsString>,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
    /// Walkers, with commas between; `none` sends the signals and walks nothing
    #[arg(long, default_value = "guarded", value_delimiter = ',')]
    pub walker: Vec<String>,
    /// Signals per second of wall time, on average; gaps are exponentially distributed
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    pub hz: u64,
    /// Stormed runs of each walker
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// Seconds that a run may take
    #[arg(long, default_value_t = 1800, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/soak")]
    pub out: PathBuf,
    /// Name of the program in records and reports [default: its arguments, cut]
    #[arg(long)]
    pub name: Option<String>,
    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

const COEXIST_HELP: &str = "Each trial is a process in which another component and we are installed, a signal's handler walks a \
Python stack with one word that leads to a bad address, then the same stack undamaged, and we are uninstalled. Before and after \
that, a bad access in a process of its own must reach the other component.\n\nRows that are not ours are shown for comparison: \
guarded-unasked does not ask whether its loads are protected, guarded-sigprof is made to walk by SIGPROF. They are expected to \
kill.\n\nExit codes: 0 ok, 1 a trial could not be judged, 3 one of ours killed, or did not leave the signals as they were, 4 no cell \
has all of --only, 130 interrupted (finished cells are kept).\n\nExamples:\n  stress coexist --out runs/coexist\n  stress \
coexist --python 3.15 --trials 20 --out runs/coexist-3.15\n  stress coexist --only other=faulthandler,walker=adaptive --out \
runs/one\n\n`stress list` has the other components.";

/// `stress coexist`
#[derive(Debug, clap::Args)]
pub struct Coexist {
    /// Trials of each cell
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub trials: u64,
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/coexist")]
    pub out: PathBuf,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
    /// Only these cells, with commas between: other=…, order=we-first or they-first, walker=…
    #[arg(long, value_delimiter = ',', value_name = "KEY=NAME")]
    pub only: Vec<String>,
    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A defect made on purpose, which the run has to find
    #[arg(long, hide = true)]
    pub plant: Option<Plant>,
}

/// What `stress soak` starts.
#[derive(Debug, clap::Args)]
pub struct SoakProgram {
    /// File descriptor of the shared page; without it there is no storm
    #[arg(long)]
    pub page: Option<i32>,
    /// Where a thread keeps its thread state, from `tls::slots`
    #[arg(long, allow_hyphen_values = true)]
    pub bound: Option<isize>,
    /// Walker
    #[arg(long, default_value = "none")]
    pub walker: String,
    /// Mean gap in nanoseconds
    #[arg(long, default_value_t = 0)]
    pub gap: u64,
    /// Seed
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// What python3 would get
    #[arg(last = true)]
    pub arguments: Vec<OsString>,
}

const CONTRACT_HELP: &str = "Each subject walks in an allocator's hook, in a timer's signal handler and in the handler of a crash, \
each time under three looks in processes of their own: calls of the C library (a preloaded library counts), with registers and depth of stack; \
stores (the interpreter's memory is write-protected); system calls (by tracing).\n\nSubjects are the walkers of this process, CPython's own \
functions (PyUnstable_DumpTraceback, PyTraceMalloc_Track, PyThreadState_GetFrame, …), and walkers with a planted violation each, which \
must be seen.\n\nExit codes: 0 ok, 3 a walker of ours violates the contract, or a planted violation was not seen, 6 the machine lacks a \
capability, 130 interrupted (finished rows are kept).\n\nExamples:\n  stress contract --out runs/contract\n  stress contract --python 3.15 --walks \
1000 --out runs/contract-3.15\n  stress contract --subject guarded --subject PyTraceMalloc_Track --out runs/two";

/// `stress contract`
#[derive(Debug, clap::Args)]
pub struct Contract {
    /// Walks of each subject in each context, under each look
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub walks: u64,
    /// Only this subject; may repeat
    #[arg(long)]
    pub subject: Vec<String>,
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/contract")]
    pub out: PathBuf,
    /// Interpreter, by version or tag: runs the `stress` that was built for it (.builds/TAG/stress)
    #[arg(long)]
    pub python: Option<String>,
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
    /// Go on with the run in OUT, by the same build on the same machine: trials that have a record are not run again
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
    /// Campaign file: stacks, faults, and who walks
    #[arg(value_name = "CAMPAIGN")]
    pub campaign: PathBuf,
    /// Directory for the records; must not hold a run
    #[arg(long, default_value = "runs/mutate")]
    pub out: PathBuf,
    /// Go on with a run that was interrupted or killed
    #[arg(long)]
    pub resume: bool,
    /// Stacks at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub jobs: u64,
    /// Only this stack again, and what each draw gave; nothing is recorded
    #[arg(long, value_name = "STACK")]
    pub stack: Option<u64>,
    /// Of the stack that is done again, only this draw, from 1
    #[arg(long, value_name = "DRAW", requires = "stack")]
    pub draw: Option<u64>,
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

//! What each verb does.

mod allocations;
mod coexist;
mod contract;
mod doctor;
mod lifetime;
mod list;
mod merge;
mod replay;
mod run;
mod soak;
mod walk;

use crate::cli::{Arguments, Verb};
use crate::exact;
use crate::failure::Failure;
use crate::hash;
use crate::mutate;
use crate::records::now;
use sigwalk_embed::{Live, Options};
use sigwalk_record::{Campaign, Environment, Interpreter, Kind, Manifest, SCHEMA};
use std::path::PathBuf;

/// Runs the verb; the exit code.
///
/// # Errors
/// What the verb says.
pub fn run(arguments: Arguments) -> Result<i32, Failure> {
    match arguments.verb {
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Replay(arguments) => replay::run(&arguments),
        Verb::Merge(arguments) => merge::run(&arguments),
        Verb::Mutate(arguments) => mutate::run(&arguments),
        Verb::List { json } => list::run(json),
        Verb::Doctor { json } => doctor::run(json),
        Verb::Walk(arguments) => walk::run(&arguments),
        Verb::Soak(arguments) => soak::run(&arguments),
        Verb::Contract(arguments) => contract::run(&arguments),
        Verb::Coexist(arguments) => coexist::run(&arguments),
        Verb::MutateNursery => mutate::nursery(),
        Verb::Allocations(arguments) => allocations::run(&arguments),
        Verb::Lifetime(arguments) => lifetime::run(&arguments),
        Verb::SoakProgram(arguments) => crate::soak::child::run(&arguments),
    }
}

/// The interpreter of this process, started, and what records say of it and of the machine.
pub struct Session {
    /// For handlers.
    pub live: &'static Live,
    /// The build.
    pub interpreter: Interpreter,
    /// The machine.
    pub environment: Environment,
}

impl Session {
    /// Starts Python in this process.
    ///
    /// # Errors
    /// It does not start, or its layout is not known.
    pub fn start() -> Result<Session, Failure> {
        Ok(Session {
            live: start_python()?,
            interpreter: sigwalk_embed::interpreter()?,
            environment: sigwalk_embed::environment(),
        })
    }
}

impl Session {
    /// The manifest of a run of this session that is no campaign of trials: `text` says what was asked for.
    pub fn manifest(self, kind: Kind, name: &str, text: String) -> Manifest {
        Manifest {
            schema: SCHEMA,
            kind,
            campaign: Campaign { name: name.into(), id: format!("{:016x}", hash::text(&text)), text },
            cells: Vec::new(),
            interpreter: self.interpreter,
            environment: self.environment,
            shard: None,
            complete: false,
            started: now(),
            ended: String::new(),
        }
    }
}

/// Starts Python in this process, and finds what handlers need of it.
///
/// # Errors
/// As [`Session::start`].
pub fn start_python() -> Result<&'static Live, Failure> {
    sigwalk_embed::initialize(Options { hash_seed: exact::hash_seed(), ..Options::default() })?;
    Ok(Box::leak(Box::new(Live::find()?)))
}

/// Goes on as the `stress` that was built for the interpreter `wanted`, when this one was not: `scripts/evaluate` keeps
/// one binary an interpreter, in `.builds/TAG/stress`.
///
/// # Errors
/// There is none.
pub fn become_build_for(wanted: Option<&str>) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    let Some(wanted) = wanted else { return Ok(()) };
    // A binary serves every allocator: PYTHONMALLOC is in the tag of records, and in no name of a build.
    let own = sigwalk_embed::interpreter()?.tag;
    let own = own.split_once('-').map_or(own.as_str(), |(build, _)| build);
    if wanted == own || own.starts_with(&format!("{wanted}.")) {
        return Ok(());
    }
    let builds = PathBuf::from(".builds");
    let matches = |tag: &str| tag == wanted || tag.starts_with(&format!("{wanted}."));
    let mut tags: Vec<String> = std::fs::read_dir(&builds)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|tag| matches(tag) && builds.join(tag).join("stress").exists())
        .collect();
    tags.sort_by_key(|tag| tag.len());
    let Some(tag) = tags.pop() else {
        return Err(Failure::missing(format!(
            "this stress was built for CPython {own}, and .builds/ has none for {wanted}; scripts/evaluate --python {wanted} builds one"
        )));
    };
    let error =
        std::process::Command::new(builds.join(&tag).join("stress")).args(std::env::args_os().skip(1)).exec();
    Err(Failure::internal(format!(".builds/{tag}/stress: {error}")))
}

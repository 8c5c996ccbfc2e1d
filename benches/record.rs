//! Our own records: every timed batch, written as a run directory when all is done.

use crate::clock;
use crate::failure::Failure;
use crate::planted::{self, Plant};
use crate::settings::{Settings, measuring};
use serde::Serialize;
use sigwalk_embed::{environment, interpreter};
use sigwalk_record::{Campaign, Cost, Count, Environment, Interpreter, Kind, Manifest, SCHEMA, Sample, exit};
use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Names the directory to write to.
pub const DIRECTORY_VARIABLE: &str = "SIGWALK_COST_DIR";

/// Collects rows and writes them.
#[derive(Debug)]
pub struct Recorder {
    interpreter: Interpreter,
    environment: Environment,
    settings: Settings,
    plant: Option<String>,
    started: String,
    /// `None` in a run that does not measure.
    target: Option<Target>,
    rows: Vec<Cost>,
    counts: Vec<Count>,
}

#[derive(Debug)]
struct Target {
    directory: PathBuf,
    overwrite: bool,
}

impl Recorder {
    /// Decides where to write *before* anything is timed: minutes of measuring must not end in a refusal.
    ///
    /// # Errors
    /// The directory that was asked for holds records already.
    pub fn new(settings: Settings, plant: Option<&Plant>) -> Result<Self, Failure> {
        let interpreter = interpreter()?;
        let target = if measuring() { Some(Target::choose(&interpreter.tag)?) } else { None };
        let mut environment = environment();
        let plant = plant.map(Plant::to_string);
        environment.other.extend(plant.clone().map(|plant| (planted::VARIABLE.to_owned(), plant)));
        let started = clock::now();
        Ok(Recorder {
            interpreter,
            environment,
            settings,
            plant,
            started,
            target,
            rows: Vec::new(),
            counts: Vec::new(),
        })
    }

    /// Whether batches are kept.
    #[must_use]
    pub fn measuring(&self) -> bool {
        self.target.is_some()
    }

    /// Tag of the interpreter.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.interpreter.tag
    }

    /// Adds a row; `batches` may begin with those of the warm-up.
    pub fn add(&mut self, row: Cost, batches: &[Sample]) {
        let samples = without_warm_up(batches);
        if self.measuring() && !samples.is_empty() {
            let interpreter = self.interpreter.tag.clone();
            self.rows.push(Cost { schema: SCHEMA, interpreter, samples: samples.to_vec(), ..row });
        }
    }

    /// Adds what was counted.
    pub fn count(&mut self, row: Count) {
        self.counts.push(Count { schema: SCHEMA, interpreter: self.interpreter.tag.clone(), ..row });
    }

    /// Writes the run directory and says where.
    ///
    /// # Errors
    /// Nothing ran, or the directory cannot be written.
    pub fn finish(self) -> Result<(), Failure> {
        let Some(target) = &self.target else { return Ok(()) };
        if self.rows.is_empty() {
            let message =
                "nothing was measured; `cargo bench -- --list` shows the names that a filter can match";
            return Err(Failure { code: exit::NOTHING_RAN, message: message.to_owned() });
        }
        let shown = target.directory.display();
        self.write(target).map_err(|error| {
            Failure::usage(format!(
                "{shown} cannot be written: {error}; name another in {DIRECTORY_VARIABLE}"
            ))
        })?;
        println!("sigwalk: {} rows of cost for CPython {} in {shown}", self.rows.len(), self.interpreter.tag);
        Ok(())
    }

    fn write(&self, target: &Target) -> std::io::Result<()> {
        fs::create_dir_all(&target.directory)?;
        let open = |name| match target.overwrite {
            true => File::create(target.directory.join(name)),
            false => File::create_new(target.directory.join(name)),
        };
        write_lines(open("cost.jsonl")?, &self.rows)?;
        write_lines(open("counts.jsonl")?, &self.counts)?;
        let mut text = self.settings.text();
        if let Some(plant) = &self.plant {
            text.push_str(&format!("{} = {plant:?}\n", planted::VARIABLE));
        }
        let manifest = Manifest {
            schema: SCHEMA,
            kind: Kind::Cost,
            campaign: Campaign { name: "cost".to_owned(), id: hash(&text), text },
            interpreter: self.interpreter.clone(),
            environment: self.environment.clone(),
            cells: Vec::new(),
            shard: None,
            complete: true,
            started: self.started.clone(),
            ended: clock::now(),
        };
        // Last: a reader that finds a manifest finds whole records.
        let mut file = BufWriter::new(open("manifest.json")?);
        serde_json::to_writer_pretty(&mut file, &manifest)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}

fn write_lines(file: File, rows: &[impl Serialize]) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    for row in rows {
        serde_json::to_writer(&mut file, row)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

impl Target {
    fn choose(tag: &str) -> Result<Self, Failure> {
        let Some(asked) = env::var_os(DIRECTORY_VARIABLE).filter(|value| !value.is_empty()) else {
            let directory = target_directory().join("sigwalk-cost").join(tag);
            return Ok(Target { directory, overwrite: true });
        };
        let directory = workspace_root().join(asked);
        if let Some(name) =
            ["cost.jsonl", "counts.jsonl", "manifest.json"].iter().find(|name| directory.join(name).exists())
        {
            let shown = directory.display();
            return Err(Failure::usage(format!(
                "{shown} holds {name} already; name a new directory in {DIRECTORY_VARIABLE}"
            )));
        }
        Ok(Target { directory, overwrite: false })
    }
}

/// Cargo runs a bench in the directory of its package, and a user means the one of the workspace.
fn workspace_root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.as_deref().and_then(Path::parent).map_or_else(PathBuf::new, Path::to_owned)
}

/// Cargo's target directory, which it marks by a file; this program is somewhere inside.
#[must_use]
pub fn target_directory() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let marked = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
    marked.map_or_else(|| workspace_root().join("target"), Path::to_owned)
}

/// Warm-up batches double in size, those that count are all of one size (flat sampling): the last run of equal ones.
fn without_warm_up(batches: &[Sample]) -> &[Sample] {
    let Some(last) = batches.last() else { return batches };
    let differs = |batch: &Sample| batch.iters != last.iters;
    &batches[batches.iter().rposition(differs).map_or(0, |index| index + 1)..]
}

/// FNV-1a, 64 bits: names a set of parameters, no more.
fn hash(text: &str) -> String {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::{Sample, hash, without_warm_up};

    #[test]
    fn warm_up_is_left_out() {
        let batches = [1, 2, 4, 8, 7, 7, 7].map(|iters| Sample { iters, ns: iters });
        assert_eq!(without_warm_up(&batches), &batches[4..]);
        assert_eq!(without_warm_up(&[]), &[]);
    }

    #[test]
    fn hash_is_fnv_1a() {
        assert_eq!(hash(""), "cbf29ce484222325");
        assert_eq!(hash("a"), "af63dc4c8601ec8c");
    }
}

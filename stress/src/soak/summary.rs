//! What a soak says: `soak.json` beside the records, and a few lines for the terminal.

use super::junit::module_of;
use super::process::Ended;
use super::shared::Shared;
use super::verdict::{Change, Plain, Seen, Verdict};
use crate::failure::Failure;
use serde::Serialize;
use sigwalk_record::{Outcome, Tallies};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

/// One run without a storm.
#[derive(Debug, Serialize)]
struct Calm {
    end: String,
    wall_seconds: f64,
    cpu_seconds: f64,
    tests: Option<usize>,
}

/// One run with a storm.
#[derive(Debug, Serialize)]
pub struct Stormed {
    trial: u64,
    walker: String,
    outcome: Outcome,
    end: String,
    note: Option<String>,
    wall_seconds: f64,
    /// Of the program and of children that it waited for; those that it executed are not stormed and count, too.
    cpu_seconds: f64,
    signals: u64,
    walks: u64,
    walks_per_wall_second: f64,
    walks_per_cpu_second: f64,
    frames: u64,
    tallies: Tallies,
    samples: Samples,
    /// The program and its forked children.
    processes_stormed: u64,
    /// Walks while another component owned SIGSEGV.
    walks_unprotected: u64,
    /// Tests that it ran, whose results without a storm are always the same.
    tests: usize,
    tests_same: usize,
    modules: usize,
    modules_same: usize,
    /// Information only: programs print times and addresses.
    stdout_same: bool,
    changes: Vec<Change>,
    #[serde(skip)]
    finding: bool,
}

/// What became of the samples that the handlers pushed, one a walk.
#[derive(Debug, Serialize)]
struct Samples {
    produced: u64,
    /// Taken by us while the program ran.
    carried: u64,
    overwritten: u64,
    lost: u64,
    /// Left half-way by processes that were killed, or still in the ring when the last of them was.
    left: u64,
    /// Among those carried: stacks that differ in a code object or an instruction.
    stacks: usize,
}

impl Samples {
    fn new(ended: &Ended, shared: &Shared) -> Samples {
        let counts = shared.page.samples.counts();
        Samples {
            produced: counts.produced,
            carried: counts.consumed,
            overwritten: counts.overwritten,
            lost: counts.lost,
            left: counts.waiting + counts.writing,
            stacks: ended.samples.stacks(),
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Stormed {
    /// From a run and its verdict.
    pub fn new(
        trial: u64,
        walker: &str,
        ended: &Ended,
        seen: &Seen,
        shared: &Shared,
        verdict: Verdict,
        plain: &Plain,
    ) -> Self {
        let unstable = plain.unstable();
        let changed: BTreeSet<&str> = verdict.changes.iter().map(|change| change.test.as_str()).collect();
        let ran = seen.tests.iter().flatten().map(|(test, _)| test.as_str());
        let judged: Vec<&str> =
            ran.filter(|test| !unstable.contains(test) || changed.contains(test)).collect();
        let modules: BTreeSet<&str> = judged.iter().filter_map(|test| module_of(test)).collect();
        let modules_changed: BTreeSet<&str> = changed.iter().filter_map(|test| module_of(test)).collect();
        let walks = shared.page.walks.load(Relaxed);
        let (wall, cpu) = (ended.wall.as_secs_f64(), ended.cpu.as_secs_f64());
        Stormed {
            trial,
            walker: walker.to_owned(),
            outcome: verdict.outcome,
            end: ended.end.to_string(),
            wall_seconds: rounded(wall),
            cpu_seconds: rounded(cpu),
            signals: shared.signals.load(Relaxed),
            walks,
            walks_per_wall_second: (walks as f64 / wall).round(),
            walks_per_cpu_second: (walks as f64 / cpu.max(0.001)).round(),
            frames: shared.page.frames.load(Relaxed),
            tallies: shared.page.tallies(),
            samples: Samples::new(ended, shared),
            processes_stormed: shared.processes.load(Relaxed),
            walks_unprotected: shared.unprotected.load(Relaxed),
            tests: judged.len(),
            tests_same: judged.iter().filter(|test| !changed.contains(*test)).count(),
            modules: modules.len(),
            modules_same: modules.difference(&modules_changed).count(),
            stdout_same: plain.runs.iter().any(|run| run.stdout == seen.stdout),
            finding: verdict.is_finding(),
            note: verdict.note,
            changes: verdict.changes,
        }
    }
}

/// `soak.json`
#[derive(Debug, Serialize)]
pub struct Report {
    arguments: Vec<String>,
    /// Tag of the interpreter.
    pub interpreter: String,
    hz: u64,
    without: Vec<Calm>,
    with: Vec<Stormed>,
}

impl Report {
    /// Of nothing yet.
    pub fn new(arguments: &[OsString], interpreter: String, hz: u64) -> Self {
        let arguments = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Report { arguments, interpreter, hz, without: Vec::new(), with: Vec::new() }
    }

    /// A run without a storm.
    pub fn add_plain(&mut self, ended: &Ended, seen: &Seen) {
        self.without.push(Calm {
            end: ended.end.to_string(),
            wall_seconds: rounded(ended.wall.as_secs_f64()),
            cpu_seconds: rounded(ended.cpu.as_secs_f64()),
            tests: seen.tests.as_ref().map(|tests| tests.len()),
        });
    }

    /// A run with a storm.
    pub fn add_stormed(&mut self, run: Stormed) {
        self.with.push(run);
    }

    /// Runs in which the storm did something to the program.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.with.iter().filter(|run| run.finding).count()
    }

    /// Runs that measured something.
    #[must_use]
    pub fn measured(&self) -> usize {
        self.with.iter().filter(|run| run.outcome != Outcome::HarnessError).count()
    }

    /// Writes `soak.json` to `directory`; the text for the terminal.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&self, plain: &Plain, directory: &Path) -> Result<String, Failure> {
        let unstable = plain.unstable();
        let mut value = serde_json::to_value(self).map_err(|error| Failure::internal(error.to_string()))?;
        value["unstable"] = unstable.iter().copied().collect();
        let path = directory.join("soak.json");
        std::fs::write(&path, format!("{value:#}\n"))
            .map_err(|error| Failure::missing(format!("{}: {error}", path.display())))?;
        Ok(self.text(&unstable))
    }

    fn text(&self, unstable: &BTreeSet<&str>) -> String {
        let mut text = String::new();
        for run in &self.without {
            let tests = run.tests.map_or_else(String::new, |tests| format!(", {tests} tests"));
            // Writing into a String cannot fail.
            let _ = writeln!(text, "without storm: {} after {:.1} s{tests}", run.end, run.wall_seconds);
        }
        for test in unstable {
            let _ = writeln!(text, "unstable without a storm: {test}");
        }
        for run in &self.with {
            let _ = write!(
                text,
                "{}: {}, {} after {:.1} s; {} walks, {} a second of wall time, {} of CPU time",
                run.walker,
                run.outcome.name(),
                run.end,
                run.wall_seconds,
                run.walks,
                run.walks_per_wall_second,
                run.walks_per_cpu_second
            );
            if run.tests > 0 {
                let _ = write!(
                    text,
                    "; the same results in {}/{} modules, {}/{} tests",
                    run.modules_same, run.modules, run.tests_same, run.tests
                );
            }
            let Samples { produced, carried, overwritten, lost, left, stacks } = run.samples;
            if produced > 0 {
                let _ = write!(
                    text,
                    "; {carried} samples carried out of handlers ({stacks} different stacks), {overwritten} overwritten"
                );
                for (count, what) in [(lost, "lost"), (left, "left in the ring")] {
                    if count > 0 {
                        let _ = write!(text, ", {count} {what}");
                    }
                }
            }
            text.push('\n');
            if let Some(note) =
                run.note.as_ref().filter(|_| run.finding || run.outcome == Outcome::HarnessError)
            {
                let _ = writeln!(text, "  {note}");
            }
            for change in &run.changes {
                let _ = writeln!(text, "  {}: {}, was {}", change.test, change.with, change.without);
            }
        }
        text
    }
}

//! `stress soak`

use super::{Session, become_build_for};
use crate::cli::Soak;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::records::{RunDir, now};
use crate::soak::process::{End, Ended, Program, Storm};
use crate::soak::shared::Shared;
use crate::soak::summary::{Report, Stormed};
use crate::soak::verdict::{self, Plain, Seen, Verdict, judge};
use crate::soak::{NONE, junit, subject};
use crate::{hash, interrupt};
use sigwalk_embed::tls;
use sigwalk_record::{Campaign, Cell, Kind, Manifest, Outcome, SCHEMA, Trial, exit};
use std::ffi::OsString;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Runs without a storm before anything is judged: what differs between two is not the storm's doing.
const PLAIN: usize = 2;

/// More of them when a stormed run differs, to see whether that happens without a storm too.
const CONFIRM: usize = 2;

/// Runs a soak.
///
/// # Errors
/// The command line, the interpreter, the directory; a program that does not end in time without a storm.
pub fn run(arguments: &Soak) -> Result<i32, Failure> {
    for walker in &arguments.walker {
        subject(walker).map_err(Failure::usage)?;
    }
    become_build_for(arguments.python.as_deref())?;
    let session = Session::start()?;
    let bound = tls::slots().and_then(|slots| slots.bound);
    let manifest = manifest(arguments, session);
    let report = Report::new(&arguments.arguments, manifest.interpreter.tag.clone(), arguments.hz);
    let (name, cells, id) =
        (manifest.campaign.name.clone(), manifest.cells.clone(), hash::text(&manifest.campaign.text));
    let records = RunDir::create(&arguments.out, manifest)?;
    let logs = arguments.out.join("logs");
    std::fs::create_dir_all(&logs)
        .map_err(|error| Failure::missing(format!("{}: {error}", logs.display())))?;
    if junit::runs_elsewhere(&arguments.arguments) {
        eprintln!(
            "the test runner is asked for processes of its own, which are not stormed; leave -j and --fast-ci out"
        );
    }
    interrupt::prepare();
    // The program may change its directory.
    let logs = std::path::absolute(&logs).map_err(|error| Failure::internal(error.to_string()))?;
    let all = arguments.runs * (1 + cells.len() as u64) + PLAIN as u64 - 1;
    let mut soak = Running {
        arguments,
        program: Program {
            arguments: &arguments.arguments,
            timeout: Duration::from_secs(arguments.timeout),
            logs,
        },
        place: junit::place(&arguments.arguments),
        plain: Plain::default(),
        progress: Progress::new(format!("{name} on {}", report.interpreter), all),
        report,
        records,
    };
    let whole = soak.rounds(&cells, id, bound)?;
    let Running { records, report, plain, progress, .. } = soak;
    let summary = report.finish(&plain, &arguments.out)?;
    progress.finish("");
    records.finish(whole)?;
    print!("{summary}");
    println!("{}: records, soak.json, logs/", arguments.out.display());
    Ok(match () {
        () if !whole => exit::INTERRUPTED,
        () if report.findings() > 0 => exit::FINDINGS,
        () if report.measured() == 0 => exit::NOTHING_RAN,
        () => exit::OK,
    })
}

struct Running<'a> {
    arguments: &'a Soak,
    program: Program<'a>,
    /// Where an option for the file of results goes.
    place: Option<usize>,
    plain: Plain,
    report: Report,
    records: RunDir,
    progress: Progress,
}

impl Running<'_> {
    /// `false` when it was interrupted.
    fn rounds(&mut self, cells: &[Cell], id: u64, bound: Option<isize>) -> Result<bool, Failure> {
        for round in 0..self.arguments.runs {
            for _ in 0..if round == 0 { PLAIN } else { 1 } {
                if !self.without()? {
                    return Ok(false);
                }
            }
            for (index, cell) in cells.iter().enumerate() {
                let trial = round * cells.len() as u64 + index as u64;
                let storm = Storm {
                    walker: &cell.walker,
                    gap_ns: 1_000_000_000 / self.arguments.hz,
                    seed: hash::seed(id, trial),
                    bound,
                };
                if !self.with(trial, cell, &storm)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn without(&mut self) -> Result<bool, Failure> {
        let name = format!("plain-{}", self.plain.runs.len());
        let Some((ended, seen, _)) = self.once(&name, None)? else { return Ok(false) };
        if let End::Late(_) = ended.end {
            return Err(Failure::usage(format!(
                "the program did not end in {} s without a storm; give a longer --timeout",
                self.arguments.timeout
            )));
        }
        self.progress.step(&format!("without storm: {} after {:.1} s", ended.end, ended.wall.as_secs_f64()));
        self.report.add_plain(&ended, &seen);
        self.plain.runs.push(seen);
        Ok(true)
    }

    fn with(&mut self, trial: u64, cell: &Cell, storm: &Storm<'_>) -> Result<bool, Failure> {
        let name = format!("storm-{trial}");
        let Some((ended, seen, shared)) = self.once(&name, Some(storm))? else { return Ok(false) };
        let mut verdict = judge(&self.plain, &seen, shared, storm.walker);
        // Timing alone changes some programs, now and then.
        let mut whole = true;
        for _ in 0..CONFIRM {
            if !verdict.is_finding() || verdict.phase.is_walking() {
                break;
            }
            whole = self.without()?;
            if !whole {
                verdict.add_note("interrupted before more runs without a storm");
                break;
            }
            verdict = judge(&self.plain, &seen, shared, storm.walker);
        }
        if whole && verdict.is_finding() && !verdict.phase.is_walking() && storm.walker != NONE {
            // The control: what the signals do when nobody walks.
            match self.once(&format!("control-{trial}"), Some(&Storm { walker: NONE, ..*storm }))? {
                Some((_, signals, _)) => verdict.add_note(verdict::control(&self.plain, &seen, &signals)),
                None => whole = false,
            }
        }
        if let Err(why) = ended.samples.check(&shared.page) {
            if !verdict.is_finding() {
                verdict.outcome = Outcome::HarnessError;
            }
            verdict.add_note(&why);
        }
        self.records.append(&record(trial, cell, storm.seed, &ended, shared, &verdict))?;
        let walks = shared.page.walks.load(Relaxed);
        let rate = walks as f64 / ended.wall.as_secs_f64();
        self.progress.step(&format!(
            "{}: {}, {walks} walks, {rate:.0}/s",
            cell.walker,
            verdict.outcome.name()
        ));
        self.report.add_stormed(Stormed::new(
            trial,
            &cell.walker,
            &ended,
            &seen,
            shared,
            verdict,
            &self.plain,
        ));
        Ok(whole)
    }

    fn once(
        &self,
        name: &str,
        storm: Option<&Storm<'_>>,
    ) -> Result<Option<(Ended, Seen, &'static Shared)>, Failure> {
        let file = self.program.logs.join(name).with_extension("xml");
        let extra = match self.place {
            Some(at) => (at, vec![OsString::from("--junit-xml"), file.clone().into()]),
            None => (0, Vec::new()),
        };
        let ended = self.program.run(name, (extra.0, &extra.1), storm)?;
        Ok(ended.map(|(ended, shared)| {
            let tests = self.place.and_then(|_| junit::read(&file).ok());
            let stdout =
                std::fs::read(self.program.logs.join(name).with_extension("out")).unwrap_or_default();
            let stdout = hash::text(&String::from_utf8_lossy(&stdout));
            let seen = Seen { end: ended.end, tests, stdout };
            (ended, seen, shared)
        }))
    }
}

fn manifest(arguments: &Soak, session: Session) -> Manifest {
    let words: Vec<String> =
        arguments.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let command = words.join(" ");
    let name = arguments.name.clone().unwrap_or_else(|| shortened(&command));
    // What a soak was asked for takes the place of a campaign file.
    let text = format!(
        "soak: {command}\nwalkers: {}\nhz: {}\nruns: {}\nseed: {}\n",
        arguments.walker.join(", "),
        arguments.hz,
        arguments.runs,
        arguments.seed
    );
    let tag = session.interpreter.tag.clone();
    let cells = arguments.walker.iter().map(|walker| Cell {
        id: format!("{tag}/soak/{name}/{walker}"),
        interpreter: tag.clone(),
        workload: "soak".into(),
        walker: walker.clone(),
        target: name.clone(),
        n: arguments.runs,
        params: [("command".into(), command.clone()), ("hz".into(), arguments.hz.to_string())].into(),
        judged: false,
        ..Cell::default()
    });
    Manifest {
        schema: SCHEMA,
        kind: Kind::Trials,
        campaign: Campaign { name: format!("soak {name}"), id: format!("{:016x}", hash::text(&text)), text },
        cells: cells.collect(),
        interpreter: session.interpreter,
        environment: session.environment,
        shard: None,
        complete: false,
        started: now(),
        ended: String::new(),
    }
}

/// A name for reports, without what separates the parts of a cell's id.
fn shortened(command: &str) -> String {
    const MOST: usize = 40;
    let plain: String =
        command.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).take(MOST).collect();
    if command.chars().count() > MOST { format!("{}…", plain.trim_end()) } else { plain }
}

fn record(trial: u64, cell: &Cell, seed: u64, ended: &Ended, shared: &Shared, verdict: &Verdict) -> Trial {
    let page = &shared.page;
    let unprotected = shared.unprotected.load(Relaxed);
    let mut notes: Vec<String> = verdict.note.iter().cloned().collect();
    if unprotected > 0 && verdict.outcome != Outcome::HarnessError {
        notes.push(format!("another component owned SIGSEGV or SIGBUS in {unprotected} walks"));
    }
    Trial {
        schema: SCHEMA,
        trial,
        cell: cell.id.clone(),
        seed: format!("{seed:016x}"),
        outcome: verdict.outcome,
        phase: verdict.phase,
        walks: page.walks.load(Relaxed),
        frames: page.frames.load(Relaxed),
        tallies: page.tallies(),
        crash: verdict.crash.clone(),
        millis: (ended.wall.as_secs_f64() * 1e4).round() / 10.0,
        boundaries: 0,
        illegal: Vec::new(),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

//! `stress lifetime`

use super::{Session, become_build_for};
use crate::cli::Lifetime as Arguments;
use crate::failure::Failure;
use crate::lifetime::process::{self, Found};
use crate::lifetime::{CHURNS, Churn, DELAYS, TECHNIQUES};
use crate::progress::Progress;
use crate::records::RunDir;
use crate::{hash, interrupt, subject};
use sigwalk_record::{Kind, Lifetime, SCHEMA, exit};
use std::time::Duration;

/// Who walks: the walker whose bad loads are errors.
const WALKER: &str = "guarded";

/// How long a trial keeps pointers; it then waits for the last of them to be used.
const LENGTH: Duration = Duration::from_millis(1500);

/// Measures what becomes of borrowed code pointers.
///
/// # Errors
/// The command line, the interpreter, the directory; a trial that died.
pub fn run(arguments: &Arguments) -> Result<i32, Failure> {
    become_build_for(arguments.python.as_deref())?;
    let session = Session::start()?;
    let (live, tag) = (session.live, session.interpreter.tag.clone());
    let walker = subject::ours(WALKER).expect("a registered walker");
    let text = format!(
        "lifetime\nwalker: {WALKER}\ntrials: {}\nseed: {}\nmilliseconds: {}\n",
        arguments.trials,
        arguments.seed,
        LENGTH.as_millis()
    );
    let id = hash::text(&text);
    let manifest = session.manifest(Kind::Lifetimes, "lifetime", text);
    let mut records = RunDir::create(&arguments.out, manifest)?;
    let programs = process::programs()?;
    interrupt::prepare();
    let mut progress = Progress::new(format!("lifetime on {tag}"), arguments.trials * CHURNS.len() as u64);
    let mut found: [Vec<Found>; CHURNS.len()] = Default::default();
    // By turns, so that a busy moment of the machine falls into all of them.
    'trials: for round in 0..arguments.trials {
        for (churn, found) in CHURNS.iter().zip(&mut found) {
            if interrupt::asked() {
                break 'trials;
            }
            let seed = hash::seed(id, round);
            found.push(process::run(live, walker, &programs, churn, LENGTH, seed)?);
            progress.step(churn.name);
        }
    }
    let whole = found.iter().all(|found| found.len() as u64 == arguments.trials);
    for (churn, found) in CHURNS.iter().zip(&found) {
        for (index, technique) in TECHNIQUES.iter().enumerate() {
            let why_not = process::not_available(technique, live);
            if !why_not.is_empty() {
                records.append(&Lifetime { not_available: why_not.into(), ..row(&tag, churn, technique) })?;
                continue;
            }
            for (delay, nanoseconds) in DELAYS.iter().enumerate().filter(|_| !found.is_empty()) {
                let row = Lifetime { delay_ns: *nanoseconds, ..row(&tag, churn, technique) };
                records.append(&filled(row, index, delay, found))?;
            }
        }
    }
    progress.finish("");
    records.finish(whole)?;
    println!("{}: records", arguments.out.display());
    Ok(if whole { exit::OK } else { exit::INTERRUPTED })
}

fn row(tag: &str, churn: &Churn, technique: &str) -> Lifetime {
    Lifetime {
        schema: SCHEMA,
        interpreter: tag.into(),
        churn: churn.about.into(),
        technique: technique.into(),
        ..Lifetime::default()
    }
}

/// The row of one technique and delay, over all trials.
fn filled(row: Lifetime, technique: usize, delay: usize, found: &[Found]) -> Lifetime {
    let of = || found.iter().map(|found| &found.delays[delay]);
    let fate = |fate: usize| of().map(|uses| uses.fates[fate]).sum::<u64>();
    let mut passed: Vec<u64> = of().flat_map(|uses| uses.passed.iter().copied()).collect();
    passed.sort_unstable();
    let by_trial: Vec<[u64; 2]> = of()
        .map(|uses| {
            let n = uses.fates.iter().sum();
            [n - uses.fates[0], n]
        })
        .collect();
    let made: f64 = found.iter().map(|found| found.made_per_second).sum();
    Lifetime {
        made_per_second: (made / found.len().max(1) as f64).round() as u64,
        passed_ns: passed.get(passed.len() / 2).copied().unwrap_or_default(),
        trials: found.len() as u64,
        n: by_trial.iter().map(|[_, n]| n).sum(),
        alive: fate(0),
        dead: fate(1),
        recycled: fate(2),
        wrong: fate(3),
        noticed: of().map(|uses| uses.told[technique].0).sum(),
        false_alarms: of().map(|uses| uses.told[technique].1).sum(),
        by_trial,
        ..row
    }
}

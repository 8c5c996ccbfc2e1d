//! `stress run`

use super::{Session, become_build_for};
use crate::campaign::{Campaign, Plan, Turn};
use crate::cli::Run;
use crate::exact;
use crate::expectation;
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::Progress;
use crate::records::{RunDir, now};
use crate::server::Server;
use sigwalk_record::{Kind, Manifest, Outcome, SCHEMA, exit};
use std::collections::{BTreeMap, HashSet};

/// Runs a campaign.
///
/// # Errors
/// The campaign, the interpreter, the directory.
pub fn run(arguments: &Run) -> Result<i32, Failure> {
    become_build_for(arguments.python.as_deref())?;
    // Who cannot be read is named below.
    exact::hold_still(&std::fs::read_to_string(&arguments.campaign).unwrap_or_default())?;
    let session = Session::start()?;
    let campaign = Campaign::read(&arguments.campaign, &session.interpreter.tag)?;
    let manifest = Manifest {
        schema: SCHEMA,
        kind: Kind::Trials,
        campaign: campaign.declared.clone(),
        interpreter: session.interpreter.clone(),
        environment: session.environment.clone(),
        cells: campaign.plans.iter().map(|plan| plan.cell.clone()).collect(),
        shard: arguments.shard,
        complete: false,
        started: now(),
        ended: String::new(),
    };
    let (mut records, finished) = if arguments.resume {
        RunDir::resume(&arguments.out, manifest)?
    } else {
        (RunDir::create(&arguments.out, manifest)?, HashSet::new())
    };
    let (k, n) = arguments.shard.unwrap_or((1, 1));
    let mut trials: Vec<Turn> = campaign.schedule();
    trials.retain(|turn| {
        turn.trial % n == k - 1 && !finished.contains(&turn.trial) && campaign.plans[turn.plan].is_available()
    });
    for plan in campaign.plans.iter().filter(|plan| !plan.is_available()) {
        eprintln!("{}: not available: {}", plan.cell.id, plan.cell.not_available);
    }
    if trials.is_empty() && finished.is_empty() && campaign.plans.iter().any(Plan::is_available) {
        return Err(Failure { code: exit::NOTHING_RAN, message: "the shard has no trial".into() });
    }
    interrupt::prepare();
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let mut progress = Progress::new(
        format!("{} on {}", campaign.declared.name, session.interpreter.tag),
        trials.len() as u64,
    );
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    let whole = Server::new(session.live, &campaign, jobs).run(trials, |trial| {
        *counts.entry(trial.outcome).or_default() += 1;
        let result = records.append(&trial);
        progress.step(&summary(&counts));
        result
    })?;
    // With a shard, the other shards' trials are still owed: merging says when a campaign is whole.
    records.finish(whole && n == 1)?;
    progress.finish(&summary(&counts));
    println!("{}: {}", arguments.out.display(), summary(&counts));
    if !whole {
        return Ok(exit::INTERRUPTED);
    }
    if n > 1 {
        return Ok(exit::OK);
    }
    expectation::judge(&arguments.out.join("trials.jsonl"), &campaign.plans)
}

fn summary(counts: &BTreeMap<Outcome, u64>) -> String {
    let words: Vec<String> =
        counts.iter().rev().map(|(outcome, count)| format!("{} {count}", outcome.name())).collect();
    if words.is_empty() { "nothing left to run".into() } else { words.join(", ") }
}

//! `stress merge`: the shards of one campaign become one run, when every trial is there exactly once.

use crate::campaign::{self, Campaign, Turn};
use crate::cli::Merge;
use crate::expectation;
use crate::failure::Failure;
use crate::hash;
use crate::records::{RunDir, conditions, each_line, read_manifest};
use sigwalk_record::{Environment, Kind, Manifest, Trial, exit};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// A run directory that is merged.
struct Shard {
    lines_path: PathBuf,
    lines: File,
    manifest: Manifest,
}

/// Where the line of a trial is. Lines stay in their files until they are written: a campaign may be larger than memory.
#[derive(Clone, Copy)]
struct Place {
    shard: usize,
    number: u64,
    begins: u64,
    len: usize,
}

/// Merges.
///
/// # Errors
/// What does not belong together, what is there twice, what is missing, what is damaged.
pub fn run(arguments: &Merge) -> Result<i32, Failure> {
    let shards =
        arguments.directories.iter().map(|path| open(path.clone())).collect::<Result<Vec<_>, _>>()?;
    let manifest = together(&shards)?;
    let schedule = campaign::schedule(manifest.cells.iter());
    let mut places: Vec<Option<Place>> = vec![None; schedule.len()];
    for index in 0..shards.len() {
        read(&shards, index, &manifest, &schedule, &mut places)?;
    }
    let missing: Vec<u64> = schedule
        .iter()
        .filter(|turn| manifest.cells[turn.plan].not_available.is_empty())
        .map(|turn| turn.trial)
        .filter(|&trial| places[trial as usize].is_none())
        .collect();
    if !missing.is_empty() {
        let says = describe(&missing, &shards);
        if !arguments.partial {
            return Err(Failure::incompatible(format!(
                "{says}; go on with that run by --resume, name its directory, or give --partial"
            )));
        }
        eprintln!("{says}; the result is not complete");
    }
    let (text, tag) = (manifest.campaign.text.clone(), manifest.interpreter.tag.clone());
    let mut out = RunDir::create(&arguments.out, manifest)?;
    let mut line = Vec::new();
    for place in places.iter().flatten() {
        let shard = &shards[place.shard];
        line.resize(place.len, 0);
        shard.lines.read_exact_at(&mut line, place.begins).map_err(|error| {
            Failure::internal(format!("{}:{}: {error}", shard.lines_path.display(), place.number))
        })?;
        out.append_bytes(&line)?;
    }
    out.finish(missing.is_empty())?;
    println!("{}: {} trials", arguments.out.display(), places.iter().flatten().count());
    // What a shard could not know. A soak's text is no campaign file and expects nothing.
    match Campaign::parse(&text, &tag) {
        Ok(campaign) if missing.is_empty() => {
            expectation::judge(&arguments.out.join("trials.jsonl"), &campaign.plans)
        }
        _ => Ok(exit::OK),
    }
}

fn open(path: PathBuf) -> Result<Shard, Failure> {
    let manifest = read_manifest(&path)?;
    if manifest.kind != Kind::Trials {
        return Err(Failure::incompatible(format!(
            "{} is not a run of trials; leave it out",
            path.display()
        )));
    }
    let lines_path = path.join("trials.jsonl");
    let lines = File::open(&lines_path)
        .map_err(|error| Failure::incompatible(format!("{}: {error}", lines_path.display())))?;
    Ok(Shard { lines_path, lines, manifest })
}

/// The manifest of all, unless they differ in what decides a result. The machine is such: rates where timing decides are those
/// of one machine, and a manifest has room for one.
fn together(shards: &[Shard]) -> Result<Manifest, Failure> {
    let first = &shards[0].manifest;
    for shard in &shards[1..] {
        let (a, b) = (first, &shard.manifest);
        let differ = [
            ("campaign", a.campaign.id.as_str(), b.campaign.id.as_str(), a.campaign == b.campaign),
            ("interpreter", &*a.interpreter.tag, &*b.interpreter.tag, a.interpreter == b.interpreter),
            ("cells", &*a.campaign.name, &*b.campaign.name, a.cells == b.cells),
        ];
        let of_build = build(&a.environment).into_iter().zip(build(&b.environment));
        let of_build = of_build.map(|((name, a), (_, b))| (name, a, b, a == b));
        if let Some((name, was, is, _)) = differ.into_iter().chain(of_build).find(|(.., same)| !same) {
            let detail = if was == is { String::new() } else { format!(" ({is}, not {was})") };
            return Err(Failure::incompatible(format!(
                "{}: another {name}{detail} than {}; merge what was run by one build on one machine",
                shard.lines_path.with_file_name("manifest.json").display(),
                shards[0].lines_path.with_file_name("manifest.json").display()
            )));
        }
    }
    let manifests = || shards.iter().map(|shard| &shard.manifest);
    let mut loads: Vec<&str> = manifests().map(|manifest| manifest.environment.load.as_str()).collect();
    loads.dedup();
    let mut merged = first.clone();
    merged.environment.load = loads.join("; ");
    for (name, value) in manifests().flat_map(|manifest| &manifest.environment.other) {
        let known = merged.environment.other.entry(name.clone()).or_insert_with(|| value.clone());
        if !known.split(" / ").any(|one| one == value) {
            *known = format!("{known} / {value}");
        }
    }
    // RFC 3339 in UTC sorts as text.
    merged.started = manifests().map(|manifest| manifest.started.clone()).min().unwrap_or_default();
    merged.ended = manifests().map(|manifest| manifest.ended.clone()).max().unwrap_or_default();
    (merged.shard, merged.complete) = (None, false);
    Ok(merged)
}

fn build(environment: &Environment) -> [(&'static str, &str); 10] {
    let [placement, variables] = conditions(environment);
    [
        ("placement of addresses", placement),
        ("environment of Python", variables),
        ("commit", environment.commit.as_str()),
        ("build profile", environment.profile.as_str()),
        ("version of the suite", environment.suite_version.as_str()),
        ("rustc", environment.rustc.as_str()),
        ("CPU", environment.cpu.as_str()),
        ("kernel", environment.kernel.as_str()),
        ("distribution", environment.os.as_str()),
        ("C library", environment.libc.as_str()),
    ]
}

/// Where each trial of a shard is, having seen that it is what the campaign planned under its index.
fn read(
    shards: &[Shard],
    index: usize,
    manifest: &Manifest,
    schedule: &[Turn],
    places: &mut [Option<Place>],
) -> Result<(), Failure> {
    let shard = &shards[index];
    let id = u64::from_str_radix(&manifest.campaign.id, 16)
        .map_err(|error| Failure::incompatible(format!("campaign id {:?}: {error}", manifest.campaign.id)))?;
    each_line(&shard.lines_path, &shard.lines, |number, line, begins| {
        let trial: Trial = sigwalk_record::read(line)
            .map_err(|error| format!("{error}; restore the file or leave this directory out"))?;
        let turn = usize::try_from(trial.trial).ok().and_then(|at| schedule.get(at));
        let Some(turn) = turn else {
            let last = schedule.len().saturating_sub(1);
            return Err(format!("the campaign has trials 0 to {last}, not {}", trial.trial));
        };
        let seed = format!("{:016x}", hash::seed(id, turn.round));
        let planned = &manifest.cells[turn.plan].id;
        if trial.cell != *planned || trial.seed != seed {
            return Err(format!(
                "trial {} is of cell {planned} with seed {seed}, not of {:?} with {:?}",
                trial.trial, trial.cell, trial.seed
            ));
        }
        let place = &mut places[trial.trial as usize];
        if let Some(known) = place {
            return Err(format!(
                "trial {} is in {}:{} already; name each shard once",
                trial.trial,
                shards[known.shard].lines_path.display(),
                known.number
            ));
        }
        *place = Some(Place { shard: index, number, begins, len: line.len() });
        Ok(())
    })?;
    Ok(())
}

/// Which trials are missing, by the shard that owes them.
fn describe(missing: &[u64], shards: &[Shard]) -> String {
    let mut of: Vec<Option<u64>> = shards.iter().map(|shard| shard.manifest.shard.map(|(_, n)| n)).collect();
    of.dedup();
    // Runs that were divided in different ways have no common shards to name.
    let [n] = of[..] else { return format!("{} missing", listed(missing)) };
    let n = n.unwrap_or(1);
    let mut owed: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for &trial in missing {
        owed.entry(trial % n + 1).or_default().push(trial);
    }
    let parts: Vec<String> =
        owed.iter().map(|(k, trials)| format!("shard {k}/{n} lacks {}", listed(trials))).collect();
    parts.join(", ")
}

fn listed(trials: &[u64]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = trials.iter().take(SHOWN).map(u64::to_string).collect();
    let more = if trials.len() > SHOWN { ", …" } else { "" };
    let word = if trials.len() == 1 { "trial" } else { "trials" };
    format!("{} {word}: {}{more}", trials.len(), shown.join(", "))
}

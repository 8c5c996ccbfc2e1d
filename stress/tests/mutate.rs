//! Mutation campaigns: the counts, their exactness, and that nothing is lost. On the interpreter that this was built for.

mod common;

use common::Place;
use sigwalk_record::{Check, Freed, Mutation};
use std::fs;
use std::process::Stdio;

const CAMPAIGN: &str = "name = 'test'\nstacks = 30\n[[groups]]\ndraws = 300\n\
                        walkers = ['pr-b1', 'pr-b1-hops', 'guarded', 'syscall', 'remote', 'double', 'chunk-copy']\n";

fn rows(place: &Place, run: &str) -> Vec<Mutation> {
    let text = fs::read_to_string(place.path(run).join("mutations.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Made of words that glibc leaves: a key that it draws at random, and a pointer into an arena that such keys are reached from.
const RANDOM: [&str; 2] = ["tcache-key", "unsorted-bin"];

/// Rows of which one in so many may differ.
///
/// The same faults are drawn in every run. What becomes of a few of them is decided by bits of addresses, and on a machine that is very
/// busy one run in some ten has a few objects elsewhere in the heap (seen: 2 and 3 rows of 2000; why is not known).
const ONE_IN: usize = 50;

/// That two runs drew the same and, but for a few rows, counted the same.
#[track_caller]
fn same(place: &Place, a: &str, b: &str) {
    let of = |run| {
        let mut rows = rows(place, run);
        rows.retain(|row| !RANDOM.contains(&row.model.as_str()));
        rows
    };
    let (a, b) = (of(a), of(b));
    let drawn = |rows: &[Mutation]| -> Vec<(String, String, String, u64)> {
        rows.iter().map(|row| (row.walker.clone(), row.field.clone(), row.model.clone(), row.walks)).collect()
    };
    assert!(drawn(&a) == drawn(&b), "other faults were drawn");
    let differing: Vec<_> = a.iter().zip(&b).filter(|(a, b)| a != b).collect();
    let first = differing.first();
    assert!(differing.len() * ONE_IN < a.len(), "{} of {} rows differ: {first:#?}", differing.len(), a.len());
}

fn sum(rows: &[Mutation], walker: &str, count: fn(&Mutation) -> u64) -> u64 {
    rows.iter().filter(|row| row.walker == walker).map(count).sum()
}

#[test]
fn counts_partition_the_walks_and_the_strict_walkers_never_crash() {
    let place = Place::with(CAMPAIGN);
    place.succeeds(&["mutate", "campaign.toml", "--out", "a"]);
    let rows = rows(&place, "a");
    for walker in ["guarded", "syscall", "remote", "double", "chunk-copy"] {
        assert_eq!(sum(&rows, walker, |row| row.walks), 30 * 300 + 30, "{walker}");
        assert_eq!(sum(&rows, walker, |row| row.would_crash + row.hang), 0, "{walker}");
        assert!(sum(&rows, walker, |row| row.recovered) > 0, "{walker}: no load faulted: nothing was tested");
    }
    for (what, count) in [
        ("bad load", (|row| row.would_crash) as fn(&Mutation) -> u64),
        ("lie", Mutation::silent),
        ("wrong code", |row| row.wrong_code),
        // A chain that never ends is one of entry frames, which 3.11 has not.
        ("endless walk", |row| if row.model == "entry-cycle" { row.hang } else { 0 }),
    ] {
        if what == "endless walk" && !rows.iter().any(|row| row.model == "entry-cycle") {
            continue;
        }
        assert!(sum(&rows, "pr-b1", count) > 0, "pr-b1: no {what}: nothing was tested");
    }
    for row in &rows {
        let parts = row.unharmed + row.noticed + row.recovered + row.would_crash + row.hang + row.silent();
        assert_eq!(parts, row.walks, "{row:?}");
        assert_eq!(row.crash_sites.values().sum::<u64>(), row.would_crash, "{row:?}");
        assert_eq!(row.hang > 0, row.hops > 0, "{row:?}");
    }
    let freed = fs::read_to_string(place.path("a/freed.jsonl")).unwrap();
    let freed: Vec<Freed> = freed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for object in
        ["code object, up to 512 bytes", "generator, its frame", "thread state", "frame that was popped"]
    {
        let of: Vec<&Freed> = freed.iter().filter(|row| row.model == object).collect();
        assert!(!of.is_empty(), "no {object} was freed");
        assert!(
            of.iter().any(|row| row.found != "as when it was alive"),
            "{object}: nothing shows that it was freed"
        );
    }
    place.refuses(&["mutate", "campaign.toml", "--out", "a"], 2, &["holds a run already"]);
    place.refuses(&["mutate", "campaign.toml", "--out", "a", "--resume"], 2, &["whole run"]);
}

#[test]
fn the_same_campaign_draws_the_same_however_many_processes_do() {
    let place = Place::with(CAMPAIGN);
    place.succeeds(&["mutate", "campaign.toml", "--out", "a"]);
    place.succeeds(&["mutate", "campaign.toml", "--out", "b", "--jobs", "3"]);
    same(&place, "a", "b");
}

#[test]
fn a_stack_alone_gives_what_it_gave_in_the_campaign() {
    let place = Place::with(&CAMPAIGN.replace("stacks = 30", "stacks = 1"));
    place.succeeds(&["mutate", "campaign.toml", "--out", "a"]);
    let output = place.stress(&["mutate", "campaign.toml", "--stack", "0"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (mut compared, mut differing) = (0, 0);
    for row in
        rows(&place, "a").iter().filter(|row| !row.is_control() && !RANDOM.contains(&row.model.as_str()))
    {
        let about = format!("{} of frame ", row.field);
        let told = |outcome: &str| {
            let lines = said.lines().filter(|line| {
                line.contains(&format!(": {about}"))
                    && line.contains(&format!(", {}: ", row.model))
                    && line.contains(&format!(": {} {outcome}", row.walker))
            });
            lines.count() as u64
        };
        assert_eq!(told(""), row.walks, "{row:?}");
        compared += 1;
        differing += usize::from((told("would_crash"), told("unharmed")) != (row.would_crash, row.unharmed));
    }
    assert!(differing * ONE_IN < compared, "{differing} of {compared} rows differ");
    // One draw of it, and a stack that is none.
    let output = place.stress(&["mutate", "campaign.toml", "--stack", "0", "--draw", "7"]);
    let one = String::from_utf8_lossy(&output.stdout).into_owned();
    // Field, frame and model; not the address.
    let drawn = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("draw "));
        lines.map(|line| line.split(": 0x").next().unwrap_or_default().to_owned()).collect()
    };
    let seventh: Vec<String> = drawn(&said).into_iter().filter(|line| line.starts_with("draw 7:")).collect();
    assert!(!seventh.is_empty() && drawn(&one) == seventh, "{one}");
    let output = place.stress(&["mutate", "campaign.toml", "--stack", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stacks 0 to 0"));
}

#[test]
fn a_killed_campaign_goes_on() {
    // Long enough for a checkpoint on any machine, and short enough for a test.
    let place = Place::with(&CAMPAIGN.replace("stacks = 30", "stacks = 400").replace("300", "60"));
    place.succeeds(&["mutate", "campaign.toml", "--out", "whole", "--jobs", "2"]);
    let mut command = place.command(&["mutate", "campaign.toml", "--out", "cut", "--jobs", "2"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !place.path("cut/checkpoint.json").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // On a machine that is through within a second nothing was cut.
    if !place.manifest("cut").complete {
        place.succeeds(&["mutate", "campaign.toml", "--out", "cut", "--jobs", "2", "--resume"]);
    }
    same(&place, "whole", "cut");
    assert!(!place.path("cut/checkpoint.json").exists());
}

#[test]
fn what_a_campaign_cannot_mean_is_refused() {
    let place = Place::with("name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nwalkers = ['nobody']\n");
    place.refuses(&["mutate", "campaign.toml"], 2, &["campaign.toml", "no walker \"nobody\"", "guarded"]);
    place.refuses(&["mutate", "none.toml"], 2, &["none.toml", "campaigns/heuristics.toml"]);
}

/// What single checks are worth, where it is known beforehand.
#[test]
fn checks_are_worth_what_they_must_be() {
    let place = Place::with(
        "name = 'test'\nstacks = 6\n[[groups]]\ndraws = 300\nchecks = ['pr-b1', 'pr-b1-hops', 'guarded']\n",
    );
    place.succeeds(&["mutate", "campaign.toml", "--out", "a"]);
    let text = fs::read_to_string(place.path("a/checks.jsonl")).unwrap();
    let rows: Vec<Check> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let only = |family: &str, check: &str, field: &str| -> u64 {
        let of = |row: &&Check| (&*row.family, &*row.check) == (family, check) && row.field.contains(field);
        rows.iter().filter(of).map(|row| row.only.all()).sum()
    };
    assert!(only("guarded", "code-type", "") + only("guarded", "frame-shape", "") > 0);
    assert!(only("pr-b1", "code-type", "") > 0);
    // Behind the outermost frame a pattern of freed memory is the end of the chain: there this check prevents a crash, and
    // leaves the answer right.
    assert!(only("pr-b1", "frame-freed", "frame.previous") > 0);
    for row in &rows {
        assert!(
            row.alone.all() <= row.bare.all() && row.only.all() + row.whole.all() <= row.walks,
            "{row:?}"
        );
    }
    // The strict policy refuses nothing that is healthy.
    for row in rows.iter().filter(|row| row.is_control() && row.family == "guarded") {
        assert_eq!((row.alarms, row.only_alarms), (0, 0), "{row:?}");
    }
}

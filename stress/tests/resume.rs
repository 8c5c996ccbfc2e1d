//! Killed at any moment and resumed, alone or in shards, a campaign's records are those of one run that was left alone.

mod common;

use common::Place;
use sigwalk_record::Trial;

/// The workload, which is exact: each walk is made at a known instruction, and all but the wall clock of its records is decided
/// by the campaign.
const EXACT: (&str, fn(&Trial) -> Trial) = ("step", Trial::timeless);

fn campaign() -> Place {
    Place::with(&format!(
        "name = 'killed'\n[[cells]]\nworkload = '{}'\ntargets = ['call-tree']\nwalkers = ['guarded', 'syscall']\ntrials = 15\npasses = 1\nparams = {{ depth = 1, work = 0 }}\n",
        EXACT.0
    ))
}

/// Runs to the end, with SIGKILL each time when there are so many records.
fn killed_at(place: &Place, run: &str, more: &[&str], kills: &[usize]) {
    let mut arguments = vec!["run", "campaign.toml", "--out", run, "--resume"];
    arguments.extend(more);
    for &lines in kills {
        let before = if lines == 0 { 0 } else { place.lines(run) };
        let mut child = place.started(&arguments, run, lines);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(place.lines(run) >= before.max(lines), "records were lost");
        // It may have come to its end before the kill did: then everything is there.
        assert!(lines == 0 || !place.manifest(run).complete || place.lines(run) == 30);
    }
    place.succeeds(&arguments);
}

#[track_caller]
fn same(place: &Place, run: &str, other: &str) {
    let exact = |run: &str| -> Vec<Trial> {
        let mut trials: Vec<Trial> = place.trials(run).iter().map(EXACT.1).collect();
        trials.sort_by_key(|trial| trial.trial);
        trials
    };
    assert_eq!(exact(run), exact(other));
}

#[test]
fn killed_and_resumed_is_the_same_as_left_alone() {
    let place = campaign();
    place.succeeds(&["run", "campaign.toml", "--out", "alone"]);
    // At 0 records, the kill comes before, during or after the first write of the manifest.
    killed_at(&place, "killed", &[], &[0, 0, 1, 2, 9, 20]);
    same(&place, "killed", "alone");
    assert!(place.manifest("killed").complete);
}

#[test]
fn killed_shards_merge_into_the_same() {
    let place = campaign();
    place.succeeds(&["run", "campaign.toml", "--out", "alone", "--jobs", "1"]);
    killed_at(&place, "a", &["--shard", "1/3"], &[3, 7]);
    killed_at(&place, "b", &["--shard", "2/3"], &[1]);
    killed_at(&place, "c", &["--shard", "3/3", "--jobs", "1"], &[]);
    place.succeeds(&["merge", "c", "a", "b", "--out", "merged"]);
    same(&place, "merged", "alone");
    let merged: Vec<u64> = place.trials("merged").iter().map(|trial| trial.trial).collect();
    assert_eq!(merged, (0..30).collect::<Vec<_>>(), "in order");
    let manifest = place.manifest("merged");
    assert!(manifest.complete && manifest.shard.is_none());
    assert_eq!(manifest.cells, place.manifest("alone").cells);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let place = campaign();
    for shard in ["1/2", "2/2"] {
        place.succeeds(&["run", "campaign.toml", "--out", &shard[..1], "--shard", shard]);
    }
    let merge = ["merge", "1", "2", "--out", "out"];
    place.refuses(&["merge", "1", "--out", "out"], 5, &["shard 2/2 lacks 15 trials: 1, 3, 5", "--partial"]);
    place.refuses(
        &["merge", "1", "1", "2", "--out", "out"],
        5,
        &["1/trials.jsonl:1: trial", "is in 1/trials.jsonl:1"],
    );
    place.refuses(
        &["run", "campaign.toml", "--out", "1", "--resume", "--shard", "2/2"],
        5,
        &["1 is a run of shard 1/2, not of shard 2/2"],
    );
    for (from, to, expected) in [
        ("\"commit\": \"", "\"commit\": \"x", "another commit (x"),
        ("\"profile\": \"", "\"profile\": \"x", "another build profile (x"),
        ("\"placement\": \"", "\"placement\": \"x", "another placement of addresses (x"),
        (
            "\"PYTHON\": \"",
            "\"PYTHON\": \"PYTHONMALLOC=debug ",
            "another environment of Python (PYTHONMALLOC",
        ),
        ("\"version\": \"", "\"version\": \"x", "another interpreter"),
        ("\"name\": \"killed\"", "\"name\": \"other\"", "another campaign"),
        ("\"judged\": true", "\"judged\": false", "another cells"),
    ] {
        let before = std::fs::read_to_string(place.path("2/manifest.json")).unwrap();
        place.edit("2/manifest.json", |text| text.replacen(from, to, 1));
        place.refuses(&merge, 5, &["2/manifest.json: ", expected]);
        place.edit("2/manifest.json", |_| before);
    }
    let good = std::fs::read_to_string(place.path("2/trials.jsonl")).unwrap();
    let third = good.lines().nth(2).unwrap().to_owned();
    for (bad, expected) in [
        ("{".to_owned(), "2/trials.jsonl:3: not a record (EOF while parsing"),
        (third.replacen("\"seed\":\"", "\"seed\":\"0", 1), "2/trials.jsonl:3: trial"),
        (
            third.replacen("/guarded", "/pr-b1", 1).replacen("/syscall", "/pr-b1", 1),
            "2/trials.jsonl:3: trial",
        ),
        (third.replacen("\"schema\":2", "\"schema\":9", 1), "2/trials.jsonl:3: schema 9"),
    ] {
        place.edit("2/trials.jsonl", |text| text.replace(&third, &bad));
        place.refuses(&merge, 5, &[expected]);
        place.edit("2/trials.jsonl", |_| good.clone());
    }
    assert!(!place.path("out").exists(), "what is refused leaves nothing behind");

    // Shards of version 1 are merged as they are: every line says its version.
    for (file, is, was) in [
        ("manifest.json", "\"schema\": 2", "\"schema\": 1"),
        ("trials.jsonl", "\"schema\":2", "\"schema\":1"),
    ] {
        for shard in ["1", "2"] {
            place.edit(&format!("{shard}/{file}"), |text| text.replace(is, was));
        }
    }
    place.succeeds(&["merge", "1", "2", "--out", "old"]);
    assert_eq!(place.trials("old").len(), 30);
    for (file, is, was) in [
        ("manifest.json", "\"schema\": 2", "\"schema\": 1"),
        ("trials.jsonl", "\"schema\":2", "\"schema\":1"),
    ] {
        for shard in ["1", "2"] {
            place.edit(&format!("{shard}/{file}"), |text| text.replace(was, is));
        }
    }

    // A line that a kill cut short is a trial that is missing.
    place.edit("2/trials.jsonl", |text| text[..text.len() - 9].to_owned());
    place.refuses(&merge, 5, &["shard 2/2 lacks 1 trial: "]);
    place.succeeds(&["merge", "1", "2", "--out", "out", "--partial"]);
    assert!(!place.manifest("out").complete && place.trials("out").len() == 29);
    place.succeeds(&["run", "campaign.toml", "--out", "2", "--resume", "--shard", "2/2"]);
    place.refuses(&merge, 2, &["out holds a run already"]);
    place.succeeds(&["merge", "1", "2", "--out", "whole"]);
}

/// A shard cannot know what the others found: merging asks.
#[test]
fn what_the_campaign_expects_is_asked_of_the_merged_run() {
    let place = campaign();
    place.edit("campaign.toml", |text| text + "some = ['hang']\n");
    place.succeeds(&["run", "campaign.toml", "--out", "a", "--shard", "1/2"]);
    place.succeeds(&["run", "campaign.toml", "--out", "b", "--shard", "2/2"]);
    let merged = place.stress(&["merge", "a", "b", "--out", "merged"]);
    let said = String::from_utf8_lossy(&merged.stderr).into_owned();
    assert_eq!(merged.status.code(), Some(3), "{said}");
    assert!(said.contains("step/call-tree/syscall: no trial was hang"), "{said}");
}

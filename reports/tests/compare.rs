//! `report compare`, and the section of a page with a baseline.

mod common;

use common::{cell, crashed, environment, manifest, report, timed, trial, write};
use serde_json::Value;
use sigwalk_record::*;
use std::path::Path;

/// A run of `n` trials in each cell, the same seeds in each; `dies` says which.
fn trials(dir: &Path, tag: &str, cells: Vec<Cell>, n: u64, dies: impl Fn(&Cell, u64) -> bool) {
    let mut rows = Vec::new();
    for round in 0..n {
        for cell in &cells {
            let index = rows.len() as u64;
            let row = match dies(cell, round) {
                true => crashed(index, &cell.id, Phase::Walk, "stress+0x1 (in f+0x1)"),
                false => trial(index, &cell.id, Outcome::Complete, Phase::Done),
            };
            rows.push(Trial { seed: format!("{round:016x}"), ..row });
        }
    }
    write(dir, &manifest(Kind::Trials, tag, cells), &rows);
}

/// Processes of benches, each a run directory, the first a minute before the second; all of their costs differ a little.
fn benches(dir: &Path, side: u64, processes: u64, guarded: f64, change: impl Fn(&mut Manifest)) {
    for process in 0..processes {
        let noise = |row: u64| 1.0 + ((process * 7 + row * 5 + side * 3) % 11) as f64 / 1000.0;
        let rows: Vec<Cost> =
            [("floor", 1.0, 1), ("guarded", guarded, 2), ("pr_b1", 2.2, 3), ("raw", 1.4, 4)]
                .map(|(subject, ns, row)| timed("3.15.0", subject, What::Code, 100, ns * noise(row)))
                .into();
        let mut manifest = manifest(Kind::Cost, "3.15.0", vec![]);
        manifest.started = format!("2026-01-02T03:{:02}:05Z", 2 * process + side);
        change(&mut manifest);
        write(&dir.join(format!("cost-{process}")), &manifest, &rows);
    }
}

fn compare(dir: &Path, arguments: &[&str]) -> Value {
    let output = report(dir).arg("compare").args(arguments).arg("--json").assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

fn text(dir: &Path, arguments: &[&str], code: i32) -> String {
    let output = report(dir).arg("compare").args(arguments).assert().code(code);
    String::from_utf8(output.get_output().stdout.clone()).unwrap()
}

fn differing<'a>(document: &'a Value, what: &str) -> Vec<&'a Value> {
    document["compare"][what].as_array().unwrap().iter().filter(|row| row["differs"] == true).collect()
}

fn reasons(document: &Value) -> String {
    let reasons = document["compare"]["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_rate_that_rose_is_found_with_its_trials_and_gates() {
    let dir = tempfile::tempdir().unwrap();
    let cells = || {
        vec![cell("3.15.0", "signal", "calls", "pr-b1", 400), cell("3.15.0", "other", "calls", "pr-b1", 400)]
    };
    trials(&dir.path().join("base"), "3.15.0", cells(), 400, |_, round| round == 7);
    trials(&dir.path().join("new run"), "3.15.0", cells(), 400, |cell, round| {
        cell.workload == "signal" && round % 20 == 7 || cell.workload == "other" && round == 9
    });
    let found = compare(dir.path(), &["base", "new run"]);
    let rows = differing(&found, "rates");
    let [row] = rows[..] else { panic!("{rows:?}") };
    assert_eq!((&row["event"], &row["workload"]), (&"crash_frame".into(), &"signal".into()));
    assert_eq!((&row["base"]["k"], &row["new"]["k"], &row["new"]["n"]), (&1.into(), &20.into(), &400.into()));
    // Round 7 is in both: 19 pairs differ, all the same way. One test of the two could have shown it.
    assert_eq!((&row["only"], &row["test"]), (&serde_json::json!([0, 19]), &"mcnemar_pairs_by_name".into()));
    assert!((row["p"].as_f64().unwrap() * 2.0_f64.powi(18) - 1.0).abs() < 1e-9);
    assert_eq!(
        (found["compare"]["rate_tests"].as_u64(), row["adjusted"].as_f64()),
        (Some(1), row["p"].as_f64())
    );
    assert_eq!(row["trials"][0]["seed"], "000000000000001b");
    assert_eq!(row["trials"][0]["replay"], "stress replay 'new run' 54");
    assert_eq!(found["compare"]["comparable"], true);
    // The gate is about what got worse, and never without being asked.
    let worse = text(dir.path(), &["base", "new run", "--gate", "5"], 3);
    assert!(worse.ends_with("gate: 1 rate of crashes, hangs, wrong stacks or contract violations rose, 0 costs rose by more than 5 %\n"), "{worse}");
    assert!(
        worse.contains("1/400") && worse.contains("20/400") && worse.contains("stress replay 'new run' 54")
    );
    text(dir.path(), &["base", "new run"], 0);
    let better = text(dir.path(), &["new run", "base", "--gate", "5"], 0);
    assert!(better.contains("crash frame") && better.ends_with("gate: nothing got worse by more than 5 %\n"));
}

#[test]
fn a_run_against_itself_has_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    common::sample(dir.path());
    let found = compare(dir.path(), &["runs", "runs"]);
    assert!(differing(&found, "rates").is_empty() && differing(&found, "costs").is_empty());
    assert_eq!(found["compare"]["environment"], serde_json::json!([]));
    assert_eq!(found["compare"]["interpreters"].as_array().unwrap().len(), 2);
    assert!(found["compare"]["costs"].as_array().unwrap().iter().all(|row| row["ratio"] == 1.0));
    text(dir.path(), &["runs", "runs", "--gate", "0"], 0);
}

#[test]
fn walkers_and_interpreters_of_one_run_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    for (tag, deaths) in [("3.13.5", 40), ("3.13.15", 0)] {
        let cells = ["pr-b1", "guarded"].map(|walker| cell(tag, "signal", "calls", walker, 100)).into();
        trials(&dir.path().join("runs").join(tag), tag, cells, 100, |cell, round| {
            cell.walker == "pr-b1" && round < deaths
        });
    }
    let interpreters = compare(dir.path(), &["runs", "runs", "--interpreter", "3.13.5=3.13.15"]);
    let rows = differing(&interpreters, "rates");
    let [row] = rows[..] else { panic!("{rows:?}") };
    assert_eq!(row["interpreters"], serde_json::json!(["3.13.5", "3.13.15"]));
    assert_eq!(row["walkers"], serde_json::json!(["pr-b1", "pr-b1"]));
    let fields = interpreters["compare"]["environment"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["field"] == "freed-pointer patterns"));
    let walkers = compare(dir.path(), &["runs", "runs", "--walker", "pr-b1=guarded"]);
    let rows = differing(&walkers, "rates");
    let [row] = rows[..] else { panic!("{rows:?}") };
    assert_eq!(row["walkers"], serde_json::json!(["pr-b1", "guarded"]));
    assert_eq!((&row["base"]["k"], &row["new"]["k"]), (&40.into(), &0.into()));
    for (arguments, says) in [
        (["--walker", "pr-b2=guarded"], "BASE has no walker pr-b2"),
        (["--interpreter", "3.13.5=3.14.0"], "NEW has no 3.14.0; it has 3.13.15, 3.13.5"),
        (["--walker", "pr-b1"], "give OLD=NEW"),
        (["--gate", "x"], "give percent from 0, e.g. 10"),
    ] {
        let output = report(dir.path()).args(["compare", "runs", "runs"]).args(arguments).assert().code(2);
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn other_seeds_are_two_samples_and_what_is_over_bounds_nothing_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let cells = || vec![cell("3.15.0", "signal", "calls", "pr-b1", 100)];
    trials(&dir.path().join("base"), "3.15.0", cells(), 100, |_, _| false);
    let mut rows: Vec<Trial> = (0..100)
        .map(|index| match index {
            0..20 => crashed(index, &cells()[0].id, Phase::Walk, "stress+0x1 (in f+0x1)"),
            _ => trial(index, &cells()[0].id, Outcome::Complete, Phase::Done),
        })
        .collect();
    for row in &mut rows {
        row.seed = format!("f{:015x}", row.trial);
        row.tallies.rejected = 1;
    }
    let mut other = manifest(Kind::Trials, "3.15.0", cells());
    other.campaign.id = "00000000000000bb".into();
    write(&dir.path().join("new"), &other, &rows);
    let found = compare(dir.path(), &["base", "new"]);
    let events: Vec<_> =
        differing(&found, "rates").iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["rejected", "crash_frame"]);
    for row in differing(&found, "rates") {
        assert_eq!(row["test"], "fisher");
    }
    let rejected = differing(&found, "rates")[0];
    assert_eq!((&rejected["new"]["n"], &rejected["left_out"]), (&80.into(), &20.into()));
    assert!(reasons(&found).contains("different campaigns of trials"));
    assert_eq!(found["compare"]["comparable"], false);
}

#[test]
fn a_slower_subject_is_found_alone() {
    let dir = tempfile::tempdir().unwrap();
    benches(&dir.path().join("base"), 0, 6, 3.0, |_| ());
    benches(&dir.path().join("new"), 1, 6, 3.6, |_| ());
    let found = compare(dir.path(), &["base", "new"]);
    let rows = differing(&found, "costs");
    let [row] = rows[..] else { panic!("{rows:?}") };
    assert_eq!(
        (&row["subjects"], &row["processes"]),
        (&serde_json::json!(["guarded", "guarded"]), &serde_json::json!([6, 6]))
    );
    assert!((row["ratio"].as_f64().unwrap() - 1.2).abs() < 0.02);
    assert!(row["low"].as_f64().unwrap() > 1.15 && row["high"].as_f64().unwrap() < 1.25, "{row}");
    assert_eq!(found["compare"]["assignments"], 924);
    assert!((row["adjusted"].as_f64().unwrap() - 2.0 / 924.0).abs() < 1e-9, "{row}");
    text(dir.path(), &["base", "new", "--gate", "25"], 0);
    let slower = text(dir.path(), &["base", "new", "--gate", "10%"], 3);
    assert!(slower.contains("1.20× slower") && slower.contains("Geometric means"), "{slower}");
    text(dir.path(), &["new", "base", "--gate", "10"], 0);
    // Subjects are the walkers' names in another spelling.
    let walkers = compare(dir.path(), &["base", "base", "--walker", "pr-b1=guarded"]);
    assert_eq!(walkers["compare"]["costs"][0]["subjects"], serde_json::json!(["pr_b1", "guarded"]));
}

#[test]
fn what_makes_runs_incomparable_is_said_first() {
    let dir = tempfile::tempdir().unwrap();
    benches(&dir.path().join("base"), 0, 3, 3.0, |_| ());
    benches(&dir.path().join("new"), 1, 3, 3.0, |manifest| {
        manifest.environment = Environment {
            cpu: "Other <CPU>".into(),
            profile: "debug".into(),
            commit: "fedcba".into(),
            load: "5.00 1.00 1.00".into(),
            ..environment()
        };
        manifest.environment.other.insert("SIGWALK_PLANT_SLOW".into(), "guarded:20".into());
        manifest.started = "2027-01-02T03:04:05Z".into();
        manifest.complete = false;
        manifest.campaign.id = "other".into();
    });
    let found = compare(dir.path(), &["base", "new"]);
    let said = reasons(&found);
    for reason in [
        "different machines (CPU)",
        "different profiles",
        "SIGWALK_PLANT_SLOW was set on one side",
        "NEW has 3 runs unfinished",
        "different settings of the benches",
        "different sources (commit)",
        "the benches of BASE all ran before those of NEW",
        "too few processes",
    ] {
        assert!(said.contains(reason), "{reason:?} is missing: {said}");
    }
    let shown = text(dir.path(), &["base", "new"], 0);
    let at = |needle: &str| shown.find(needle).unwrap_or_else(|| panic!("{needle:?} is missing: {shown}"));
    assert!(at("Environment differences") < at("NOT COMPARABLE") && at("NOT COMPARABLE") < at("note: "));
    assert!(at("guarded:20") < at("NOT COMPARABLE"));
    // The same on the page, escaped.
    report(dir.path()).args(["build", "new", "--baseline", "base", "--out", "r.html"]).assert().success();
    let page = std::fs::read_to_string(dir.path().join("r.html")).unwrap();
    assert!(page.contains("<section id=\"compare\">") && page.contains("href=\"#compare\""));
    assert!(page.contains("Other &#60;CPU&#62;") || page.contains("Other &lt;CPU&gt;"));
    assert!(page.contains("<strong>Not comparable:</strong> measured on different machines (CPU)"));
    let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    assert_eq!(summary["compare"]["comparable"], false);
    assert!(read("summary.md").contains("### Compared with the baseline"));
    // Without one there is no such section.
    report(dir.path()).args(["build", "new", "--out", "r.html"]).assert().success();
    assert!(!read("r.html").contains("#compare") && !read("summary.json").contains("\"compare\""));
}

/// Windows that are stepped whole are the same in every trial: one observation, never a test.
#[test]
fn repetitions_of_one_observation_are_not_tested() {
    let dir = tempfile::tempdir().unwrap();
    let cells = || vec![cell("3.15.0", "step", "calls", "pr-b1", 50)];
    trials(&dir.path().join("base"), "3.15.0", cells(), 50, |_, _| false);
    trials(&dir.path().join("new"), "3.15.0", cells(), 50, |_, _| true);
    let found = compare(dir.path(), &["base", "new"]);
    assert!(differing(&found, "rates").is_empty());
    let row = &found["compare"]["rates"][0];
    assert_eq!((&row["test"], &row["new"]["n"]), (&"none".into(), &1.into()));
    assert!(text(dir.path(), &["base", "new"], 0).contains("one observation each"));
}

#[test]
fn nothing_in_common_is_no_comparison() {
    let dir = tempfile::tempdir().unwrap();
    let of = |walker| vec![cell("3.15.0", "signal", "calls", walker, 5)];
    trials(&dir.path().join("base"), "3.15.0", of("pr-b1"), 5, |_, _| false);
    trials(&dir.path().join("new"), "3.15.0", of("guarded"), 5, |_, _| false);
    let output = report(dir.path()).args(["compare", "base", "new"]).assert().code(4);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("--walker pr-b1=guarded"), "{said}");
}

//! Borrowed code pointers and simulated profiles, from records to page, summary and claims.

mod common;

use common::{cell, manifest, report, trial, write};
use serde_json::Value;
use sigwalk_record::*;
use std::path::Path;

/// Churn, technique, delay, and (gone, uses) of each process.
fn lifetime(churn: &str, technique: &str, delay_ns: u64, by_trial: &[[u64; 2]]) -> Lifetime {
    let sum = |at: usize| by_trial.iter().map(|trial| trial[at]).sum::<u64>();
    let (gone, n) = (sum(0), sum(1));
    Lifetime {
        schema: SCHEMA,
        interpreter: "3.15.0".into(),
        churn: churn.into(),
        technique: technique.into(),
        delay_ns,
        passed_ns: delay_ns + 40,
        trials: by_trial.len() as u64,
        n,
        alive: n - gone,
        dead: gone,
        noticed: if technique == "none" { 0 } else { gone },
        by_trial: by_trial.to_vec(),
        ..Lifetime::default()
    }
}

fn built(dir: &Path) -> (String, Value) {
    report(dir).args(["build", "runs", "--out", "out.html"]).assert().success();
    let summary = std::fs::read_to_string(dir.join("summary.json")).unwrap();
    (std::fs::read_to_string(dir.join("out.html")).unwrap(), serde_json::from_str(&summary).unwrap())
}

fn claim<'a>(summary: &'a Value, id: &str) -> &'a Value {
    summary["claims"].as_array().unwrap().iter().find(|claim| claim["id"] == id).unwrap()
}

fn lifetimes(dir: &Path, lost_by_control: u64) {
    let rows = [
        lifetime("churn<b>: x", "none", 0, &[[0, 100], [0, 100]]),
        lifetime("churn<b>: x", "none", 1000, &[[0, 100], [1, 100]]),
        lifetime("churn<b>: x", "none", 10_000, &[[20, 100], [30, 100]]),
        lifetime("churn<b>: x", "watcher", 10_000, &[[20, 100], [30, 100]]),
        lifetime("none (control): y", "none", 10_000, &[[0, 100], [lost_by_control, 100]]),
    ];
    write(&dir.join("runs/l"), &manifest(Kind::Lifetimes, "3.15.0", Vec::new()), &rows);
}

#[test]
fn the_delay_at_which_one_in_a_hundred_is_gone_decides() {
    let dir = tempfile::tempdir().unwrap();
    lifetimes(dir.path(), 0);
    let (page, summary) = built(dir.path());
    let claim = claim(&summary, "C8");
    assert_eq!(claim["verdict"], "supported");
    let figure = claim["key_figure"].as_str().unwrap();
    assert!(
        figure.contains(
            "10 µs is the first delay tried, after 1 µs, at which 1 % or more of the pointers were gone"
        ),
        "{figure}"
    );
    assert!(
        page.contains("id=\"lifetime\"") && page.contains("churn&#60;b&#62;")
            || page.contains("churn&lt;b&gt;")
    );
    assert!(!page.contains("churn<b>"), "a program's name is text");
    let row = &summary["lifetimes"].as_array().unwrap()[2];
    assert_eq!((&row["gone"]["k"], &row["gone"]["trials"]), (&Value::from(50), &Value::from(2)));
}

/// A control that loses something shows that what was counted is something else.
#[test]
fn a_control_that_loses_pointers_decides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    lifetimes(dir.path(), 1);
    let (_, summary) = built(dir.path());
    assert_eq!(claim(&summary, "C8")["verdict"], "not_measured");
}

#[test]
fn processes_that_do_not_add_up_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [Lifetime { by_trial: vec![[1, 99]], ..lifetime("a", "none", 0, &[[0, 100]]) }];
    write(&dir.path().join("runs"), &manifest(Kind::Lifetimes, "3.15.0", Vec::new()), &rows);
    report(dir.path()).args(["build", "runs", "--out", "out.html"]).assert().code(exit::INCOMPATIBLE);
}

/// 40 places; a walker whose every second walk is a splice, and one without errors.
#[test]
fn wrong_stacks_bend_a_profile_and_right_ones_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let row = |leaf: u64| Allocated {
        schema: SCHEMA,
        interpreter: "3.15.0".into(),
        program: "p<i>".into(),
        stack: vec![format!("leaf{leaf}:1"), format!("root:{}", leaf % 4)],
        size: 1 << 16,
        count: 8000 / (1 + leaf),
    };
    let rows: Vec<Allocated> = (0..40).map(row).collect();
    write(&dir.path().join("runs/a"), &manifest(Kind::Allocations, "3.15.0", Vec::new()), &rows);
    let cells = ["pr-b1", "double"].map(|walker| cell("3.15.0", "other", "call-tree", walker, 1));
    let wrong = Trial {
        tallies: Tallies { complete: 50, splice: 50, ..Tallies::default() },
        ..trial(0, &cells[0].id, Outcome::Impossible, Phase::Walk)
    };
    let trials = [wrong, trial(1, &cells[1].id, Outcome::Complete, Phase::Done)];
    write(&dir.path().join("runs/t"), &manifest(Kind::Trials, "3.15.0", cells.to_vec()), &trials);
    let (page, summary) = built(dir.path());
    assert!(page.contains("id=\"bias\"") && !page.contains("p<i>"));
    let bias = summary["bias"].as_array().unwrap();
    let of = |walker: &str| bias.iter().find(|row| row["walker"] == walker).unwrap();
    assert_eq!(of("double")["bytes"], of("double")["bytes_floor"]);
    assert_eq!(of("pr-b1")["bytes"]["tolerated"], false);
    let median = of("pr-b1")["bytes"]["median"].as_f64().unwrap();
    assert!((0.35..0.65).contains(&median), "{median}");
    // Half of the samples are wrong: no sampler of time tolerates that.
    assert_eq!(claim(&summary, "C10")["verdict"], "refuted");
}

#[test]
fn without_records_there_are_no_sections() {
    let dir = tempfile::tempdir().unwrap();
    common::plain_run(&dir.path().join("runs"), 3);
    let (page, summary) = built(dir.path());
    assert!(!page.contains("id=\"lifetime\"") && !page.contains("id=\"bias\""));
    assert!(summary.get("lifetimes").is_none() && summary.get("bias").is_none());
}

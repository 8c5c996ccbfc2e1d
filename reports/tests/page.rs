//! The page: its order, its figures, and what its claims rest on.

mod common;

use common::{cell, manifest, report, sample, timed, trial};
use sigwalk_record::{Bug, Cell, Illegal, Kind, Outcome, Phase, Standing, Tallies, Trial, What};
use std::collections::BTreeMap;
use std::path::Path;

fn page(dir: &Path) -> String {
    report(dir).args(["build", "runs", "--out", "report.html"]).assert().success();
    std::fs::read_to_string(dir.join("report.html")).unwrap()
}

fn claim(dir: &Path, id: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(dir.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    summary["claims"].as_array().unwrap().iter().find(|claim| claim["id"] == id).unwrap().clone()
}

#[test]
fn answers_stand_first_and_every_cell_behind() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let page = page(dir.path());
    let order = [
        "verdict",
        "claims",
        "matrix",
        "rates",
        "cost",
        "ratios",
        "curve",
        "mutations",
        "stepping",
        "buckets",
        "cells",
        "pairs",
        "env",
        "methods",
        "limits",
        "data",
    ];
    let places: Vec<usize> = order.map(|id| page.find(&format!(" id=\"{id}\"")).expect(id)).to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

/// A name, and for those as wide as a phone a description: whoever sees no figure has its numbers.
#[test]
fn every_figure_has_a_name() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let page = page(dir.path());
    let figures: Vec<&str> = page.split("<svg role=\"img\"").skip(1).collect();
    assert!(figures.len() >= 8, "{}", figures.len());
    for figure in figures {
        let head = figure.split('>').next().unwrap();
        let ids = head.split("aria-labelledby=\"").nth(1).unwrap().split('"').next().unwrap();
        for id in ids.split(' ') {
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
        assert_eq!(head.contains("plot small"), figure.contains("<desc "), "{head}");
    }
}

/// Every square of a sweep has its own row in the grid, and its number in the map.
#[test]
fn a_sweep_is_a_map_and_loses_no_cell() {
    let dir = tempfile::tempdir().unwrap();
    let (mut cells, mut trials) = (Vec::new(), Vec::new());
    for depth in [1, 2] {
        for work in [0, 10] {
            let name = format!("depth={depth},work={work}");
            let swept = Cell {
                id: format!("3.15.0/other/call-tree/guarded/{name}"),
                params: BTreeMap::from([
                    ("depth".into(), depth.to_string()),
                    ("work".into(), work.to_string()),
                ]),
                ..cell("3.15.0", "other", "call-tree", "guarded", 20)
            };
            for index in 0..20 {
                let wrong = depth == 1 && work == 0 && index < 7;
                let outcome = if wrong { Outcome::Impossible } else { Outcome::Complete };
                let tallies = Tallies { splice: u64::from(wrong), ..Tallies::default() };
                trials.push(Trial { tallies, ..trial(trials.len() as u64, &swept.id, outcome, Phase::Done) });
            }
            cells.push(swept);
        }
    }
    common::write(&dir.path().join("runs"), &manifest(Kind::Trials, "3.15.0", cells), &trials);
    let page = page(dir.path());
    let curve = page.split("id=\"curve\"").nth(1).unwrap().split("id=\"mutations\"").next().unwrap();
    assert!(curve.contains("\n7/20\n") && curve.matches("\n0/20\n").count() == 3, "{curve}");
    assert_eq!(page.matches(" id=\"cell-3.15.0-other-call-tree-guarded-depth").count(), 4);
}

/// Instructions in order and in groups, and what each walker met there; a walker that died there says so.
#[test]
fn a_stepped_window_is_a_strip() {
    let dir = tempfile::tempdir().unwrap();
    let illegal = |offset: u64, what: &str| Illegal {
        site: format!("libpython3.15.so.1.0+{offset:#x} (in <eval>+{:#x})", offset - 0x100),
        what: what.into(),
        count: 3,
    };
    let (mut cells, mut trials) = (Vec::new(), Vec::new());
    for (walker, illegal, outcome) in [
        ("guarded", vec![illegal(0x104, "rejected"), illegal(0x108, "fault")], Outcome::RecoveredFault),
        ("pr-b1", vec![illegal(0x900, "stale")], Outcome::Crash),
    ] {
        let cell = cell("3.15.0", "step", "calls", walker, 1);
        let stepped =
            Trial { boundaries: 1000, illegal, ..trial(trials.len() as u64, &cell.id, outcome, Phase::Walk) };
        cells.push(cell);
        trials.push(stepped);
    }
    common::write(&dir.path().join("runs"), &manifest(Kind::Trials, "3.15.0", cells), &trials);
    let page = page(dir.path());
    let strip = page.split("id=\"stepping\"").nth(1).unwrap().split("id=\"buckets\"").next().unwrap();
    for expected in [
        "guarded: 1 a load failed, 0 silent, 1 detected of these 3 instructions; 6 of 1000 boundaries",
        "pr-b1: 0 a load failed, 1 silent, 0 detected of these 3 instructions; 3 of 1000 boundaries, then a crash",
        "in &lt;eval&gt;+0x4 … +0x8",
        "libpython3.15.so.1.0, 2 instructions",
    ] {
        assert!(strip.contains(expected), "{expected} is not in {strip}");
    }
}

/// C8: once is enough, never shows nothing.
#[test]
fn a_borrowed_pointer_that_died_once_can_die() {
    for (hit, expected) in [(true, "supported"), (false, "not_measured")] {
        let dir = tempfile::tempdir().unwrap();
        let bug = Bug {
            id: "P6".into(),
            stands: Standing::Open,
            hit: vec![Outcome::Impossible, Outcome::Crash],
            ..Bug::default()
        };
        let cell = Cell { bug: Some(bug), ..cell("3.15.0", "program", "late-symbol", "borrowed code", 500) };
        let outcome = |index| if hit && index == 3 { Outcome::Impossible } else { Outcome::Complete };
        let trials: Vec<_> =
            (0..500).map(|index| trial(index, &cell.id, outcome(index), Phase::Target)).collect();
        common::write(&dir.path().join("runs"), &manifest(Kind::Trials, "3.15.0", vec![cell]), &trials);
        let page = page(dir.path());
        let found = claim(dir.path(), "C8");
        assert_eq!(found["verdict"], expected, "{found}");
        assert!(found["figure"].as_str().unwrap().contains("is not measured"), "{found}");
        let row = page.split("id=\"claim-C8\"").nth(1).unwrap().split("</tr>").next().unwrap();
        assert!(row.contains("href=\"#bugs\"") && row.contains("500 trials"), "{row}");
    }
}

/// C12: cheaper is half of the claim; frames that the text left out are the other.
#[test]
fn text_that_leaves_frames_out_decides_the_other_half() {
    for (printed, expected) in [(100, "supported"), (1000, "mixed")] {
        let dir = tempfile::tempdir().unwrap();
        let deep = |subject, frames| sigwalk_record::Cost {
            frames,
            ..timed("3.15.0", subject, What::Names, 1000, 90.0)
        };
        let rows = [
            timed("3.15.0", "dump_and_parse", What::Names, 100, 3000.0),
            timed("3.15.0", "call_stack", What::Names, 100, 90.0),
            deep("call_stack", 1000),
            deep("dump_traceback", printed),
        ];
        common::write(&dir.path().join("runs"), &manifest(Kind::Cost, "3.15.0", vec![]), &rows);
        page(dir.path());
        let found = claim(dir.path(), "C12");
        assert_eq!(found["verdict"], expected, "{found}");
    }
}

/// C4: a walk that never ended in a live process decides, whatever mutated memory showed.
#[test]
fn a_cycle_that_hangs_a_live_walk_decides() {
    let dir = tempfile::tempdir().unwrap();
    let made = cell("3.15.0", "signal", "calls", "pr-b1", 5);
    let made = Cell { fault: "incomplete-cycle".into(), id: format!("{}/incomplete-cycle", made.id), ..made };
    let trials: Vec<_> = (0..5).map(|index| trial(index, &made.id, Outcome::Hang, Phase::Walk)).collect();
    common::write(&dir.path().join("runs"), &manifest(Kind::Trials, "3.15.0", vec![made]), &trials);
    let page = page(dir.path());
    let found = claim(dir.path(), "C4");
    assert_eq!(found["verdict"], "supported", "{found}");
    assert!(found["figure"].as_str().unwrap().contains("5/5 ["), "{found}");
    // What was made on purpose is no rate.
    let rates = page.split("id=\"rates\"").nth(1).unwrap().split("id=\"cost\"").next().unwrap();
    assert!(rates.contains("No trials that are a sample"), "{rates}");
}

//! Walkers compared on the same seeds, and what stepping met.

mod common;

use common::{cell, crashed, manifest, report, trial, write};
use serde_json::Value;
use sigwalk_record::*;
use std::path::Path;

const ROUNDS: u64 = 20;

/// `ROUNDS` trials of each cell, the same seed in the same round; `change` makes them what they are to be.
fn run(dir: &Path, cells: Vec<Cell>, change: impl Fn(&Cell, u64, &mut Trial)) {
    let mut trials = Vec::new();
    for round in 0..ROUNDS {
        for cell in &cells {
            let mut row = trial(trials.len() as u64, &cell.id, Outcome::Complete, Phase::Done);
            row.seed = format!("{round:016x}");
            change(cell, round, &mut row);
            trials.push(row);
        }
    }
    write(&dir.join("runs"), &manifest(Kind::Trials, "3.15.0", cells), &trials);
}

fn build(dir: &Path) -> (Value, String) {
    report(dir).args(["build", "runs", "--out", "report.html"]).assert().success();
    let read = |name| std::fs::read_to_string(dir.join(name)).unwrap();
    (serde_json::from_str(&read("summary.json")).unwrap(), read("report.html"))
}

fn die(row: &mut Trial) {
    *row = Trial {
        seed: row.seed.clone(),
        ..crashed(row.trial, &row.cell, Phase::Walk, "stress+0x1 (in f+0x1)")
    };
}

fn declared(cells: &[(&str, &str, &str)]) -> Vec<Cell> {
    cells.iter().map(|(workload, target, walker)| cell("3.15.0", workload, target, walker, ROUNDS)).collect()
}

#[test]
fn pairs_that_differ_are_counted_and_adjusted_within_their_workload() {
    let dir = tempfile::tempdir().unwrap();
    let cells = declared(&[
        ("signal", "calls", "pr-b1"),
        ("signal", "calls", "guarded"),
        ("signal", "calls", "double"),
        ("other", "calls", "pr-b1"),
        ("other", "calls", "guarded"),
        // The same seeds, and nobody to compare with on this target.
        ("signal", "churn", "pr-b1"),
    ]);
    run(dir.path(), cells, |cell, round, row| match (cell.workload.as_str(), cell.walker.as_str()) {
        ("signal", "pr-b1") if round < 9 => die(row),
        ("signal", "guarded") if round == 8 => die(row),
        ("other", "pr-b1") if round < 6 => die(row),
        _ => {}
    });
    let (summary, page) = build(dir.path());
    let pairs = summary["same_seeds"]["pairs"].as_array().unwrap();
    let row = |workload: &str, walkers: [&str; 2]| {
        let found = pairs
            .iter()
            .filter(|row| row["workload"] == workload && row["walkers"] == serde_json::json!(walkers));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{workload} {walkers:?}");
        found[0]
    };
    // Round 8 is a crash of both: eight pairs differ, 2/2^8; three tests are in the family.
    let first = row("signal", ["guarded", "pr-b1"]);
    assert_eq!((&first["only"], &first["pairs"]), (&serde_json::json!([0, 8]), &serde_json::json!(20)));
    assert_eq!((first["p"].as_f64(), first["adjusted"].as_f64()), (Some(2.0 / 256.0), Some(4.0 / 256.0)));
    assert_eq!(first["verdict"], "pr-b1 crashes or hangs in more trials");
    let second = row("signal", ["double", "pr-b1"]);
    assert_eq!((second["p"].as_f64(), second["adjusted"].as_f64()), (Some(2.0 / 512.0), Some(6.0 / 512.0)));
    assert_eq!(row("signal", ["double", "guarded"])["verdict"], "no difference shown");
    // A family of its own: one test, nothing to adjust.
    let other = row("other", ["guarded", "pr-b1"]);
    assert_eq!((other["p"].as_f64(), other["adjusted"].as_f64()), (Some(2.0 / 64.0), Some(2.0 / 64.0)));
    assert_eq!(pairs.len(), 4);
    for workload in ["signal", "other"] {
        let table = page.split(&format!("id=\"pairs-{workload}\"")).nth(1).expect("no table");
        assert!(table.split("</table>").next().unwrap().contains("pr-b1 crashes or hangs in more trials"));
    }
}

#[test]
fn what_is_no_pair_or_was_not_judged_is_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let cells = declared(&[
        ("signal", "calls", "pr-b1"),
        ("signal", "calls", "guarded"),
        ("signal", "calls", "faulthandler"),
    ]);
    run(dir.path(), cells, |cell, round, row| match (cell.walker.as_str(), round) {
        // Nothing was measured, whatever the record says besides.
        ("guarded", 0..3) => (row.outcome, row.tallies.splice) = (Outcome::HarnessError, 1),
        ("pr-b1", 3..5) => die(row),
        // Outside any walk: over, and not the walker's crash.
        ("pr-b1", 5) => (row.outcome, row.phase) = (Outcome::Crash, Phase::Target),
        ("guarded", 3..12) | ("faulthandler", _) => {
            (row.outcome, row.tallies.stale) = (Outcome::Impossible, 1);
        }
        _ => {}
    });
    let (summary, _) = build(dir.path());
    let pairs = summary["same_seeds"]["pairs"].as_array().unwrap();
    let silent: Vec<&Value> = pairs.iter().filter(|row| row["event"] == "silent_wrong").collect();
    let [row] = silent[..] else { panic!("{silent:?}") };
    assert_eq!(row["walkers"], serde_json::json!(["guarded", "pr-b1"]));
    assert_eq!((row["pairs"].as_u64(), row["left_out"].as_u64()), (Some(14), Some(3)));
    assert_eq!(row["only"], serde_json::json!([6, 0]));
    let died: Vec<&Value> = pairs.iter().filter(|row| row["event"] == "crash_or_hang").collect();
    assert!(
        died.iter().all(|row| row["only"].as_array().unwrap().contains(&serde_json::json!(2))),
        "{died:?}"
    );
    let stale = &summary["cells"]
        .as_array()
        .unwrap()
        .iter()
        .find(|cell| cell["walker"] == "guarded")
        .unwrap()["rates"]["stale"];
    assert_eq!((stale["k"].as_u64(), stale["n"].as_u64()), (Some(9), Some(17)));
}

#[test]
fn stepped_boundaries_are_summed_with_their_sites() {
    let dir = tempfile::tempdir().unwrap();
    let mut cells = declared(&[
        ("step", "calls", "guarded"),
        ("signal", "calls", "guarded"),
        ("interleave", "calls", "guarded"),
    ]);
    cells[0].ids = vec!["S9".into()];
    run(dir.path(), cells, |cell, round, row| {
        if cell.workload == "step" {
            let illegal =
                |what: &str, site: &str, count| Illegal { site: site.into(), what: what.into(), count };
            row.boundaries = 100;
            row.illegal = vec![illegal("splice", "a", 2), illegal("fault", "b", 1)];
            (row.tallies.splice, row.tallies.recovered_faults, row.tallies.no_thread_state) = (2, 1, 60);
            if round == 0 {
                // There was no room for their sites; what they were is known all the same.
                row.illegal.push(illegal("unlisted", "elsewhere", 6));
                (row.tallies.stale, row.tallies.truncated, row.tallies.rejected) = (3, 2, 1);
            }
        }
        // Instructions between loads, of which nobody knows which walk they belong to: not in a table of boundaries.
        if cell.workload == "interleave" {
            (row.boundaries, row.tallies.splice) = (100, 1);
        }
    });
    let (summary, page) = build(dir.path());
    let stepped: Vec<&Value> =
        summary["cells"].as_array().unwrap().iter().filter(|cell| !cell["stepping"].is_null()).collect();
    let [cell] = stepped[..] else { panic!("{stepped:?}") };
    assert_eq!(cell["ids"], serde_json::json!(["S9"]));
    assert_eq!(cell["stepping"]["boundaries"], 2000);
    assert_eq!(cell["stepping"]["without_state"], 1200);
    let illegal =
        serde_json::json!({"splice": 40, "wrong_line": 0, "prefix": 0, "stale": 3, "fault": 20, "other": 3});
    assert_eq!(cell["stepping"]["illegal"], illegal);
    assert_eq!(cell["stepping"]["sites"][0], serde_json::json!({"site": "a", "what": "splice", "count": 40}));
    assert_eq!(cell["stepping"]["sites"].as_array().unwrap().len(), 3);
    assert!(page.contains("calls (S9)"));
}

/// A walk that dies while an instruction is stepped or in an allocator's hook has the title it has anywhere else.
#[test]
fn crashes_of_hook_and_step_cells_fall_into_buckets() {
    let dir = tempfile::tempdir().unwrap();
    let cells = declared(&[("step", "calls", "pr-b1"), ("hook", "calls", "pr-b1")]);
    run(dir.path(), cells, |_, _, row| die(row));
    let (summary, _) = build(dir.path());
    let buckets = summary["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 1, "{buckets:?}");
    assert_eq!(
        (&buckets[0]["title"], &buckets[0]["count"]),
        (&"SIGSEGV in walk at f (stress)".into(), &40.into())
    );
    assert_eq!(buckets[0]["cells"].as_array().unwrap().len(), 2);
}

/// A window is stepped once: that guarded lived through it bounds nothing, and takes nothing from cells that bound something. A death in
/// one counts.
#[test]
fn one_stepped_trial_does_not_undo_hundreds_of_others() {
    for (dies, says) in [
        (false, "guarded never crashed where the raw walk did"),
        (true, "guarded crashed in some of the places where the raw walk did"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let of = |workload: &str, walker: &str, n| cell("3.15.0", workload, "calls", walker, n);
        let cells = vec![
            of("signal", "pr-b1", 400),
            of("signal", "guarded", 400),
            of("step", "pr-b1", 1),
            of("step", "guarded", 1),
        ];
        let mut trials = Vec::new();
        for cell in &cells {
            for _ in 0..cell.n {
                let mut row = trial(trials.len() as u64, &cell.id, Outcome::Complete, Phase::Done);
                if cell.walker == "pr-b1" || dies && cell.workload == "step" {
                    die(&mut row);
                }
                trials.push(row);
            }
        }
        write(&dir.path().join("runs"), &manifest(Kind::Trials, "3.15.0", cells), &trials);
        let (summary, _) = build(dir.path());
        let claims = summary["claims"].as_array().unwrap();
        let found = claims.iter().find(|claim| claim["id"] == "C6").unwrap();
        assert!(found["says"].as_str().unwrap().starts_with(says), "{found}");
        // Its cost was not timed, and is half of the claim.
        assert_eq!(found["verdict"], "mixed", "{found}");
    }
}

/// Twenty trials of a window that is stepped whole are one observation; of one that is stepped in bursts, by the seed, they are twenty.
#[test]
fn repetitions_of_a_stepped_window_are_no_pairs() {
    let dir = tempfile::tempdir().unwrap();
    let whole = [("step", "calls", "pr-b1"), ("step", "calls", "guarded")];
    let mut cells = declared(&whole);
    cells.extend(declared(&[("step", "end", "pr-b1"), ("step", "end", "guarded")]));
    for cell in &mut cells[2..] {
        cell.params.insert("burst".into(), "2000".into());
    }
    run(dir.path(), cells, |cell, _, row| {
        if cell.walker == "pr-b1" {
            die(row);
        }
    });
    let (summary, _) = build(dir.path());
    let pairs = summary["same_seeds"]["pairs"].as_array().unwrap();
    let targets: Vec<&Value> = pairs.iter().map(|row| &row["target"]).collect();
    assert_eq!(targets, ["end"], "{pairs:?}");
}

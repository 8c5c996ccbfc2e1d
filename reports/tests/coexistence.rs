//! Walks beside other owners of signals: what the page, the comment and summary.json say of rows that were made up.

mod common;

use common::{manifest, report, write};
use serde_json::Value;
use sigwalk_record::{Coexistence, Kind, SCHEMA};
use std::path::Path;

const TAG: &str = "3.15.0";

fn row(walker: &str, order: &str, [recovers, falls_back, loses_recovery, kills]: [u64; 4]) -> Coexistence {
    let n = recovers + falls_back + loses_recovery + kills;
    Coexistence {
        schema: SCHEMA,
        interpreter: TAG.into(),
        walker: walker.into(),
        other: "faulthandler".into(),
        order: order.into(),
        ours: walker != "guarded-unasked",
        n,
        recovers,
        falls_back,
        loses_recovery,
        kills,
        restored: n - kills,
        reached: n - kills,
        note: String::new(),
    }
}

fn rows() -> Vec<Coexistence> {
    let mut died = row("guarded-unasked", "we-first", [0, 0, 0, 200]);
    died.note = "SIGSEGV at the bad address ×200".into();
    vec![
        row("adaptive", "we-first", [0, 200, 0, 0]),
        row("guarded", "we-first", [0, 0, 200, 0]),
        row("guarded", "they-first", [200, 0, 0, 0]),
        died,
    ]
}

fn built(dir: &Path, rows: &[Coexistence]) -> [String; 3] {
    write(&dir.join("runs/coexist"), &manifest(Kind::Coexistence, TAG, vec![]), rows);
    report(dir).args(["build", "runs", "--out", "r.html"]).assert().success();
    ["r.html", "summary.md", "summary.json"].map(|name| std::fs::read_to_string(dir.join(name)).unwrap())
}

fn section(page: &str) -> &str {
    let after = page.split("<section id=\"coexistence\">").nth(1).unwrap();
    after.split("<section id=\"bugs\">").next().unwrap().split("<section id=\"buckets\">").next().unwrap()
}

#[test]
fn ours_and_what_is_shown_have_a_table_each() {
    let dir = tempfile::tempdir().unwrap();
    let [page, comment, json] = built(dir.path(), &rows());
    let section = section(&page);
    let tables: Vec<&str> = section.split("<caption>").skip(1).collect();
    let [ours, shown] = tables[..] else { panic!("{} tables", tables.len()) };
    for said in
        ["↷ falls back 200/200", "◐ loses recovery 200/200", "✓ recovers 200/200", "○ kills 0/200 ≤ 1.49 %"]
    {
        assert!(ours.contains(said), "{said}");
        assert!(!shown.contains(said), "{said}");
    }
    assert!(!ours.contains("✕ kills") && shown.contains("✕ kills 200/200 [98.1 %, 100 %]"));
    assert!(shown.contains("SIGSEGV at the bad address ×200"));
    // Not run is said, and is no zero.
    assert!(ours.contains("not run"));
    assert!(page.contains("href=\"#coexistence\""));
    // Deaths of what is shown for comparison are in no sum.
    let line = "kills 0/600 in 3 cells (worst cell 0/200 ≤ 1.49 %), signals left wrong in 0 of 600 trials";
    assert_eq!(comment.lines().filter(|of| of.contains(line)).count(), 1, "{comment}");
    let json: Value = serde_json::from_str(&json).unwrap();
    let all = json["coexistence"].as_array().unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(all[0]["walker"], "guarded", "sorted: {}", all[0]);
    let died = all.iter().find(|row| row["walker"] == "guarded-unasked").unwrap();
    assert_eq!(
        (&died["ours"], &died["kills"]["k"], &died["outcomes"]["kills"]),
        (&false.into(), &200.into(), &200.into())
    );
}

#[test]
fn a_death_of_ours_and_a_signal_left_wrong_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = rows();
    rows[0] = row("adaptive", "we-first", [0, 199, 0, 1]);
    rows[1].restored = 150;
    let [page, comment, _] = built(dir.path(), &rows);
    let section = section(&page);
    assert!(section.contains("✕ kills 1/200 [1.26e-4, 2.76 %]"), "{section}");
    assert!(section.contains("✗ not put back 50/200"), "{section}");
    assert!(
        comment.contains("kills 1/600 in 3 cells (worst cell 1/200 \\[")
            && comment.contains("signals left wrong in 50 of 600 trials")
    );
}

#[test]
fn without_such_records_nothing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    common::plain_run(&dir.path().join("runs/plain"), 10);
    report(dir.path()).args(["build", "runs", "--out", "r.html"]).assert().success();
    for name in ["r.html", "summary.md", "summary.json"] {
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(!text.contains("coexistence") && !text.contains("other owners"), "{name}");
    }
}

#[test]
fn rows_that_do_not_add_up_are_refused() {
    let changes: [fn(&mut Coexistence); 3] =
        [|row| row.n += 1, |row| row.restored = 201, |row| row.reached = 201];
    for change in changes {
        let dir = tempfile::tempdir().unwrap();
        let mut rows = rows();
        change(&mut rows[0]);
        write(&dir.path().join("runs/coexist"), &manifest(Kind::Coexistence, TAG, vec![]), &rows);
        report(dir.path()).args(["build", "runs", "--out", "r.html"]).assert().code(5);
    }
}

//! What is made of two costs, and of a count.

mod common;

use common::{manifest, report, timed, write, write_counts};
use serde_json::{Value, json};
use sigwalk_record::{Cost, Count, Counted, Kind, SCHEMA, Sample, What};
use std::path::Path;

const TAG: &str = "3.15.0";

/// A row whose batches are all the same.
fn exactly(subject: &str, what: What, depth: u64, ns_a_walk: u64) -> Cost {
    let row = timed(TAG, subject, what, depth, 1.0);
    Cost { samples: vec![Sample { iters: 10, ns: 10 * ns_a_walk }; 9], ..row }
}

fn calls(depth: u64, counts: &[u64]) -> Count {
    Count {
        schema: SCHEMA,
        interpreter: TAG.into(),
        counted: Counted::Syscalls,
        subject: "syscall".into(),
        what: What::Line,
        depth,
        counts: counts.to_vec(),
    }
}

fn run(dir: &Path, rows: &[Cost], counts: &[Count]) -> Value {
    let runs = dir.join("runs");
    write(&runs, &manifest(Kind::Cost, TAG, vec![]), rows);
    write_counts(&runs, counts);
    report(dir).args(["build", "runs", "--out", "r.html"]).assert().success();
    serde_json::from_str(&std::fs::read_to_string(dir.join("summary.json")).unwrap()).unwrap()
}

fn ratio<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let rows = summary["ratios"].as_array().unwrap();
    let mut named = rows.iter().filter(|row| row["name"] == name);
    let found = named.next().unwrap();
    assert!(named.next().is_none(), "{name} twice");
    found
}

/// A walk of 500 ns and 2 ns a frame up to depth 64, and 3 ns a frame beyond: half as much again, although per frame the deep
/// walk is cheaper by far.
#[test]
fn growth_is_the_quotient_of_two_slopes_and_no_quotient_of_costs_per_frame() {
    let dir = tempfile::tempdir().unwrap();
    let at = |depth: u64| 500 + 2 * depth.min(64) + 3 * depth.saturating_sub(64);
    let rows: Vec<Cost> =
        [1, 64, 100, 4096].map(|depth| exactly("guarded", What::Code, depth, at(depth))).into();
    let summary = run(dir.path(), &rows, &[]);
    let found = ratio(&summary, "depth_growth_code");
    for key in ["value", "low", "high"] {
        assert_eq!(found[key], 1.5, "{found}");
    }
    assert_eq!((&found["verdict"], &found["depth"]), (&json!("met"), &json!(4096)));
    assert_eq!(found["sides"], "guarded (code) from depth 64 to 4096 / guarded (code) from depth 1 to 64");
    let line = ratio(&summary, "depth_growth_line");
    assert_eq!(line["missing"], "guarded (line) was not timed");
}

#[test]
fn a_slope_needs_both_its_depths_and_must_rise() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = vec![exactly("guarded", What::Code, 64, 300), exactly("guarded", What::Code, 1024, 3000)];
    let summary = run(&dir.path().join("a"), &rows, &[]);
    let found = ratio(&summary, "depth_growth_code");
    assert_eq!(found["missing"], "guarded (code) was not timed at depth 4096");
    // Flat up to 64: nothing to divide by.
    rows.extend([exactly("guarded", What::Code, 1, 300), exactly("guarded", What::Code, 4096, 9000)]);
    let summary = run(&dir.path().join("b"), &rows, &[]);
    let found = ratio(&summary, "depth_growth_code");
    assert_eq!((&found["value"], &found["verdict"]), (&Value::Null, &json!("not_measured")));
    assert!(found["missing"].as_str().unwrap().starts_with("no positive number"), "{found}");
}

#[test]
fn every_ratio_is_a_row_and_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let summary = run(dir.path(), &[exactly("floor", What::Chain, 100, 100)], &[]);
    let names: Vec<&str> =
        summary["ratios"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in [
        "raw_vs_floor",
        "guarded_vs_raw",
        "strict_vs_floor",
        "guarded_line_vs_tracemalloc_cold",
        "guarded_line_vs_tracemalloc_warm",
        "guarded_line_vs_dump",
        "line_lookup_small",
        "line_lookup_1k",
        "line_lookup_40k",
        "syscalls_per_walk",
        "structured_vs_dump_and_parse",
        "depth_growth_code",
        "depth_growth_line",
        "threads_growth",
        "modules_growth",
    ] {
        assert!(names.contains(&name), "{name}");
        let row = ratio(&summary, name);
        assert_eq!(
            (&row["verdict"], &row["met"], &row["low"]),
            (&json!("not_measured"), &Value::Null, &Value::Null)
        );
    }
    assert_eq!(ratio(&summary, "raw_vs_floor")["missing"], "raw (code) was not timed");
    assert_eq!(ratio(&summary, "syscalls_per_walk")["missing"], "syscall (line) was not counted");
    let text = std::fs::read_to_string(dir.path().join("summary.md")).unwrap();
    assert_eq!(text.matches("not measured\n").count(), names.len());
}

#[test]
fn an_interval_over_the_target_decides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let side = |subject, ns| timed(TAG, subject, What::Code, 100, ns);
    let rows = [
        side("threads_1", 10.0),
        side("threads_64", 11.5),
        side("modules_bare", 10.0),
        side("modules_loaded", 12.5),
    ];
    let summary = run(dir.path(), &rows, &[]);
    let threads = ratio(&summary, "threads_growth");
    assert!(threads["low"].as_f64() < Some(1.15) && threads["high"].as_f64() > Some(1.15), "{threads}");
    assert_eq!((&threads["verdict"], &threads["decided"]), (&json!("undecided"), &json!(false)));
    assert_eq!(ratio(&summary, "modules_growth")["verdict"], "missed");
}

/// A real stack has a depth of its own; where it is that of the ladder, it must not pass for it.
#[test]
fn real_stacks_are_in_no_ratio_and_no_figure() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = vec![exactly("raw", What::Code, 100, 150), exactly("floor", What::Chain, 100, 100)];
    let without = run(&dir.path().join("a"), &rows, &[]);
    for depth in [99, 100] {
        let stack = Some("json".to_owned());
        rows.push(Cost { stack, ..exactly("raw", What::Code, depth, 900) });
    }
    let with = run(&dir.path().join("b"), &rows, &[]);
    assert_eq!(with["ratios"], without["ratios"]);
    assert_eq!(ratio(&with, "raw_vs_floor")["value"], 1.5);
    assert_eq!(with["cost"].as_array().unwrap().iter().filter(|row| row["stack"] == "json").count(), 2);
    let page = |name: &str| std::fs::read_to_string(dir.path().join(name).join("r.html")).unwrap();
    assert_eq!(page("a").matches("<svg").count(), page("b").matches("<svg").count());
    assert!(!page("a").contains("Real stacks on") && page("b").contains("Real stacks on 3.15.0"));
    assert!(page("b").contains("json, depth 99") && page("b").contains("json, depth 100"));
}

#[test]
fn the_most_calls_of_any_walk_at_the_usual_depth_count() {
    let dir = tempfile::tempdir().unwrap();
    let row = [exactly("floor", What::Chain, 100, 100)];
    let summary = run(dir.path(), &row, &[calls(100, &[4, 6, 5]), calls(1024, &[40])]);
    let found = ratio(&summary, "syscalls_per_walk");
    for key in ["value", "low", "high"] {
        assert_eq!(found[key], 6.0, "{found}");
    }
    assert_eq!((&found["verdict"], &found["depth"]), (&json!("met"), &json!(100)));
    assert_eq!(summary["counts"].as_array().unwrap().len(), 2);
    // Another process that made more.
    write(&dir.path().join("runs/again"), &manifest(Kind::Cost, TAG, vec![]), &row);
    write_counts(&dir.path().join("runs/again"), &[calls(100, &[7])]);
    report(dir.path()).args(["build", "runs", "--out", "again.html"]).assert().success();
    let page = std::fs::read_to_string(dir.path().join("again.html")).unwrap();
    assert!(page.contains("System calls that one walk enters on 3.15.0"));
    let summary = std::fs::read_to_string(dir.path().join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(ratio(&summary, "syscalls_per_walk")["verdict"], "missed");
}

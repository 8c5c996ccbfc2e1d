//! `stress lifetime` on the interpreter that it was built for: what holds in every interleaving.

use serde_json::Value;
use std::process::Command;

#[test]
fn what_a_program_loses_is_gone_and_what_it_keeps_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stress"));
    let done = command.args(["lifetime", "--trials", "1", "--out"]).arg(&out).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(out.join("lifetimes.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
    let gone = |row: &Value| number(row, "n") - number(row, "alive");
    for row in &rows {
        let parts = ["alive", "dead", "recycled", "wrong"].map(|name| number(row, name));
        assert_eq!(parts.iter().sum::<u64>(), number(row, "n"), "{row}");
        if row["churn"].as_str().unwrap().starts_with("none (control)") || number(row, "delay_ns") == 0 {
            assert_eq!(gone(row), 0, "{row}");
        }
        let technique = row["technique"].as_str().unwrap();
        // These two are told of each death; the object's own words may miss one.
        if ["generation", "watcher"].contains(&technique) {
            assert_eq!(number(row, "noticed"), gone(row), "{row}");
        }
    }
    // A program that runs on for a second after it dropped a function has dropped it.
    let lost: u64 = rows
        .iter()
        .filter(|row| {
            row["churn"].as_str().unwrap().starts_with("exec") && number(row, "delay_ns") == 1_000_000_000
        })
        .map(gone)
        .sum();
    assert!(lost > 0, "{text}");
}

//! Every target runs on the interpreter that this was built for, is walked, and the strict walker gives no stack that cannot
//! be. Through the real binary.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const TRIALS: usize = 2;

fn stress(place: &tempfile::TempDir, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stress"))
        .current_dir(place.path())
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_target_is_walked_under_signals_and_no_stack_is_impossible() {
    let place = tempfile::tempdir().unwrap();
    let listed: Value = serde_json::from_str(&stress(&place, &["list", "--json"])).unwrap();
    let is_walked = |target: &&Value| {
        target["workloads"].as_array().unwrap().iter().any(|workload| workload == "signal")
            && target["not_available"] == ""
    };
    let targets: Vec<&str> = listed["targets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_walked)
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    assert!(targets.len() > 20, "{targets:?}");
    let campaign = format!(
        "name = 'targets'\n[[cells]]\nworkload = 'signal'\ntargets = {targets:?}\nwalkers = ['guarded']\ntrials = {TRIALS}\n"
    );
    fs::write(place.path().join("campaign.toml"), campaign).unwrap();
    stress(&place, &["run", "campaign.toml", "--out", "run"]);
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in fs::read_to_string(place.path().join("run/trials.jsonl")).unwrap().lines() {
        let trial: Value = serde_json::from_str(line).unwrap();
        found.entry(trial["cell"].as_str().unwrap().to_owned()).or_default().push(trial);
    }
    assert_eq!(found.len(), targets.len());
    for (cell, trials) in found {
        assert_eq!(trials.len(), TRIALS, "{cell}");
        for trial in &trials {
            let outcome = trial["outcome"].as_str().unwrap();
            assert!(!["harness_error", "crash", "hang", "impossible"].contains(&outcome), "{trial}");
            assert!(trial["tallies"]["complete"].as_u64().unwrap() > 0, "{trial}");
        }
    }
}

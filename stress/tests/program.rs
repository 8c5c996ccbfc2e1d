//! Each end of a program is one outcome, and what it printed last is kept where it explains that outcome.

use sigwalk_record::{Outcome, Phase, Trial};
use std::fs;
use std::process::Command;

/// Runs one trial of `programs/ends.py` for each of the ends; records in the order of their names.
fn trials(ends: &[&str]) -> Vec<Trial> {
    let place = tempfile::tempdir().unwrap();
    let mut campaign = String::from("name = 'program'\ndeadline_ms = 100\n");
    for end in ends {
        // Time enough to start and end on a busy machine, but for those that never end.
        let millis = if matches!(*end, "loop" | "sleep") { 5000 } else { 60_000 };
        campaign.push_str(&format!(
            "[[cells]]\nworkload = 'program'\ntargets = ['ends']\nwalkers = ['nobody']\ntrials = 1\nmillis = {millis}\nenv = {{ ENDS = '{end}' }}\n"
        ));
    }
    fs::write(place.path().join("campaign.toml"), campaign).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_stress"))
        .args(["run", "campaign.toml", "--out", "run"])
        .current_dir(place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("with seed"), "a program printed on our terminal: {said}");
    let lines = fs::read_to_string(place.path().join("run/trials.jsonl")).unwrap();
    let mut trials: Vec<Trial> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    trials.sort_by_key(|trial| trial.trial);
    trials
}

#[test]
fn every_end_is_one_outcome() {
    let expected = [
        ("well", Outcome::Complete, None),
        ("wrong", Outcome::Impossible, None),
        ("abort", Outcome::Crash, Some(libc::SIGABRT)),
        ("fault", Outcome::Crash, Some(libc::SIGSEGV)),
        ("loop", Outcome::Hang, None),
        ("sleep", Outcome::Hang, None),
        ("cannot", Outcome::HarnessError, None),
        ("killed", Outcome::HarnessError, None),
    ];
    let ends = expected.map(|(end, ..)| end);
    let found = trials(&ends);
    assert_eq!(found.len(), ends.len());
    for ((end, outcome, signal), trial) in expected.into_iter().zip(&found) {
        assert_eq!(trial.cell.rsplit('/').next(), Some(format!("ENDS={end}").as_str()));
        assert_eq!((trial.outcome, trial.phase), (outcome, Phase::Target), "{end}: {trial:?}");
        assert_eq!(trial.crash.as_ref().map(|crash| crash.signal), signal, "{end}");
        let note = trial.note.as_deref();
        let seed = u64::from_str_radix(&trial.seed, 16).unwrap();
        let printed = format!("{end} with seed {seed}");
        match end {
            "well" => assert_eq!(note, None),
            "cannot" => assert_eq!(note, Some(format!("exit status 2: {printed}").as_str())),
            "killed" => assert_eq!(note, Some("ended by signal 9 from outside")),
            _ => assert_eq!(note, Some(printed.as_str()), "{end}"),
        }
    }
}

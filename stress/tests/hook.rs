//! The workload `hook` through the real binary: walks inside allocators' hooks are exactly the interpreter's own frames, and
//! our oracle for these is what the public functions say. On the interpreter that this was built for.

use sigwalk_record::{Outcome, Trial};
use std::path::Path;
use std::process::{Command, Output};

/// Walkers that every interpreter has, one for each way to get bytes.
const CAMPAIGN: &str = "name = 'hook-test'
[[cells]]
workload = 'hook'
targets = ['alloc-calls', 'alloc-generators', 'alloc-frames', 'alloc-gc', 'alloc-unwind', 'alloc-classes', 'alloc-exec', 'alloc-deep', 'alloc-trace', 'alloc-threads', 'alloc-finalize', 'finalize']
walkers = ['guarded', 'pr-b1', 'chunk-copy']
trials = 1
passes = 2
public = 20
";

fn run(place: &Path, campaign: &str) -> Output {
    std::fs::write(place.join("campaign.toml"), campaign).unwrap();
    Command::new(env!("CARGO_BIN_EXE_stress"))
        .current_dir(place)
        .args(["run", "campaign.toml", "--out", "run"])
        .output()
        .unwrap()
}

fn may_be_cut(cell: &str) -> bool {
    cell.starts_with("3.11.") && cell.contains("/alloc-finalize/") && !cell.ends_with("/pr-b1")
}

#[test]
fn walks_inside_hooks_are_the_interpreters_own_frames() {
    let place = tempfile::tempdir().unwrap();
    let output = run(place.path(), CAMPAIGN);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let trials: Vec<Trial> = std::fs::read_to_string(place.path().join("run/trials.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(trials.len(), 36);
    for trial in &trials {
        // A difference of the oracle from the public functions is a harness error; every other word is the walker's.
        let tallies = &trial.tallies;
        // 3.11: `close` runs a generator with nothing below it at finalisation, and a chain that ends at a generator's frame
        // is called cut, since `previous` of such a frame is NULL for a moment after each yield. Detected, and known.
        let cut = if may_be_cut(&trial.cell) { tallies.truncated } else { 0 };
        let expected = if cut > 0 { Outcome::Truncated } else { Outcome::Complete };
        assert_eq!(trial.outcome, expected, "{}: {:?} {tallies:?}", trial.cell, trial.note);
        assert_eq!(trial.walks, tallies.complete + cut, "{}: all were compared", trial.cell);
    }
    let walks: u64 = trials.iter().map(|trial| trial.walks).sum();
    let frames: u64 = trials.iter().map(|trial| trial.frames).sum();
    assert!(walks > 10_000, "{walks}");
    assert!(frames > walks, "empty stacks prove little: {frames} frames in {walks} walks");
}

#[test]
fn a_walker_whose_answer_cannot_be_compared_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let output = run(place.path(), &CAMPAIGN.replace("'pr-b1'", "'faulthandler'"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("walker faulthandler prints its answer, and workload hook compares answers"),
        "{said}"
    );
    let output = run(place.path(), &CAMPAIGN.replace("public = 20", "sample = 0"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("sample must be at least 1"), "{said}");
}

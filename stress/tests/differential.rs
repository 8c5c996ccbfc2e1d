//! Our model of the PR's functions against CPython's own: `pr-b1` and `pr-b1-hops` must answer as `cpython-c` does, bit by
//! bit, over changed memory. On the interpreter that this was built for.

use std::process::{Command, Output};

fn stress(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stress")).args(arguments).output().unwrap()
}

/// Versions that have the helpers, by gh-140815.
fn has_helpers(hex: u32) -> bool {
    match hex >> 16 {
        0x030d => hex >= 0x030d_0a00,
        0x030e => hex >= 0x030e_0100,
        minor => minor >= 0x030f,
    }
}

#[test]
fn the_walker_is_there_where_the_helpers_and_the_headers_are() {
    let output = stress(&["list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let walkers = list["walkers"].as_array().unwrap();
    let row = walkers.iter().find(|row| row["name"] == "cpython-c").expect("always listed");
    let why_not = row["not_available"].as_str().unwrap();
    if has_helpers(sigwalk_embed::hexversion()) {
        // Headers that do not compile are a bug of the shim, and missing ones are the machine's business.
        assert!(why_not.is_empty() || why_not.starts_with("no internal header"), "{why_not}");
    } else {
        assert!(
            why_not.contains("3.13.10, 3.14.1 and 3.15") || why_not.contains("no internal header"),
            "{why_not}"
        );
    }
}

#[test]
fn the_model_answers_as_the_c_over_changed_memory() {
    let place = tempfile::tempdir().unwrap();
    let (campaign, out) = (place.path().join("c.toml"), place.path().join("mutate").display().to_string());
    let text = "name = 'differential'\nstacks = 40\n[[groups]]\ndraws = 300\nwalkers = ['pr-b1', 'cpython-c']\ncompare = true\n";
    std::fs::write(&campaign, text).unwrap();
    let output = stress(&["mutate", &campaign.display().to_string(), "--out", &out]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let rows: Vec<sigwalk_record::Mutation> =
        std::fs::read_to_string(place.path().join("mutate/mutations.jsonl"))
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
    let of = |walker: &str| rows.iter().filter(|row| row.walker == walker).cloned().collect::<Vec<_>>();
    let (model, c) = (of("pr-b1"), of("cpython-c"));
    if said.contains("cpython-c: not available: ") {
        assert!(c.is_empty());
        return;
    }
    // The outcomes, too, field by field and class by class: the C's fault is a crash where the model's is.
    assert_eq!(model.len(), c.len());
    for (model, c) in model.iter().zip(&c) {
        assert_eq!((&model.field, &model.model), (&c.field, &c.model));
        let outcomes = |row: &sigwalk_record::Mutation| {
            (row.walks, row.unharmed, row.noticed, row.would_crash, row.splice, row.wrong_line, row.prefix)
        };
        // A scan that leaves its table is a hang to the model's budget of loads, and ends somewhere in C.
        if model.hang == c.hang {
            assert_eq!(outcomes(model), outcomes(c), "{} {}", model.field, model.model);
        }
    }
    let sum = |count: fn(&sigwalk_record::Mutation) -> u64| c.iter().map(count).sum::<u64>();
    assert!(sum(|row| row.would_crash) > 100, "no bad load in C: nothing was tested");
    assert!(sum(|row| row.hang) > 0, "no endless loop in C: nothing was tested");
    let compared = String::from_utf8_lossy(&output.stdout);
    assert!(compared.contains("walks of our model compared with it, 0 differ"), "{compared}");
}

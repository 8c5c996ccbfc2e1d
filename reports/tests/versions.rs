//! Records of every version there was are read, and say the same.
//!
//! `tests/records/` has them as the versions wrote them: `v1-first` is what the first commit of the record crate serialises, `v1-last`
//! what the last one of version 1 does, `v2` the same as that in version 2. A version that is raised adds a directory and changes none.

mod common;

use common::report;
use serde_json::Value;
use sigwalk_record::exit;
use std::path::{Path, PathBuf};
use std::process::Output;

fn golden(version: &str, dir: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records").join(version);
    let to = dir.join("runs");
    for kind in std::fs::read_dir(from).unwrap() {
        let kind = kind.unwrap();
        std::fs::create_dir_all(to.join(kind.file_name())).unwrap();
        for file in std::fs::read_dir(kind.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(kind.file_name()).join(file.file_name())).unwrap();
        }
    }
    to
}

fn built(dir: &Path) -> Output {
    report(dir).args(["build", "runs", "--out", "out/r.html"]).output().unwrap()
}

fn summary(version: &str) -> (String, Value) {
    let dir = tempfile::tempdir().unwrap();
    golden(version, dir.path());
    let output = built(dir.path());
    assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(dir.path().join("out/summary.json")).unwrap();
    let json = serde_json::from_str(&text).unwrap();
    (text, json)
}

#[test]
fn every_version_is_read_without_loss() {
    for version in ["v1-first", "v1-last", "v2"] {
        let (_, json) = summary(version);
        let cells = json["cells"].as_array().unwrap();
        assert_eq!(cells.len(), if version == "v1-first" { 2 } else { 3 }, "{version}");
        let crashed = cells.iter().find(|cell| cell["id"] == "3.15.0/signal/calls/pr-b1").unwrap();
        assert_eq!(crashed["rates"]["crash_frame"]["k"], 1, "{version}");
        assert_eq!(crashed["rates"]["splice"]["k"], 1, "{version}");
        let models: Vec<&str> =
            json["mutations"].as_array().unwrap().iter().filter_map(|row| row["model"].as_str()).collect();
        assert_eq!(models, ["random", "unmapped"], "{version}");
        assert_eq!(json["cost"].as_array().unwrap().len(), if version == "v1-first" { 2 } else { 3 });
        assert_eq!(json["notices"].as_array().unwrap().len(), 0, "{version}: {}", json["notices"]);
    }
}

#[test]
fn what_did_not_change_its_meaning_says_the_same() {
    assert_eq!(summary("v1-last").0, summary("v2").0);
    let (_, json) = summary("v2");
    let stepped = json["cells"].as_array().unwrap().iter().find(|cell| cell["workload"] == "step").unwrap();
    assert_eq!(stepped["stepping"]["boundaries"], 2700);
    assert_eq!(json["heuristics"]["checks"].as_array().unwrap().len(), 1);
}

/// The meaning of a seed changed within version 1: those of the first records pair nothing.
#[test]
fn seeds_of_the_first_records_make_no_pairs() {
    assert!(summary("v1-first").1.get("same_seeds").is_none());
    assert!(summary("v1-last").1.get("same_seeds").is_some());
}

#[test]
fn a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let runs = golden("v2", dir.path());
    let newer = sigwalk_record::SCHEMA + 1;
    for (file, place) in [
        ("trials/trials.jsonl", "runs/trials/trials.jsonl:1: "),
        ("mutations/mutations.jsonl", "runs/mutations/mutations.jsonl:1: "),
        ("cost/cost.jsonl", "runs/cost/cost.jsonl:1: "),
    ] {
        let path = runs.join(file);
        let good = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, good.replacen("\"schema\":2", &format!("\"schema\":{newer}"), 1)).unwrap();
        let output = built(dir.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit::INCOMPATIBLE), "{said}");
        assert!(said.contains(&format!("{place}schema {newer}, this report reads schema 1 to 2")), "{said}");
        std::fs::write(&path, good).unwrap();
    }
}

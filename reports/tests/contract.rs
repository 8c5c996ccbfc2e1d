//! The contract on the page, and C7.

mod common;

use common::{manifest, report, write};
use serde_json::Value;
use sigwalk_record::*;
use std::path::Path;

const CONTEXTS: [&str; 3] = ["hook", "signal", "crash-handler"];

fn row(subject: &str, whose: Whose, context: &str, walks: u64) -> Contract {
    Contract {
        schema: SCHEMA,
        interpreter: "3.15.0".into(),
        subject: subject.into(),
        whose,
        context: context.into(),
        walks,
        frames: walks,
        violations: [].into(),
        touched: [].into(),
        allowed: [].into(),
        stack: 424,
        minimal_signal_stack: 3632,
        lost: [].into(),
        not_checked: [].into(),
        not_available: String::new(),
    }
}

fn everywhere(subject: &str, whose: Whose, walks: u64) -> Vec<Contract> {
    CONTEXTS.iter().map(|context| row(subject, whose, context, walks)).collect()
}

fn built(dir: &Path, rows: &[Contract]) -> (Value, String) {
    write(&dir.join("runs"), &manifest(Kind::Contract, "3.15.0", vec![]), rows);
    report(dir).args(["build", "runs", "--out", "r.html"]).assert().success();
    let summary = serde_json::from_str(&std::fs::read_to_string(dir.join("summary.json")).unwrap()).unwrap();
    (summary, std::fs::read_to_string(dir.join("r.html")).unwrap())
}

/// The verdict on C7.
fn verdict(rows: &[Contract]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (summary, _) = built(dir.path(), rows);
    let claim = summary["claims"].as_array().unwrap().iter().find(|claim| claim["id"] == "C7").unwrap();
    claim["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn c7_is_decided_by_the_proposed_functions_alone() {
    let functions = everywhere("cpython-c", Whose::Cpython, 300);
    assert_eq!(verdict(&functions), "supported");
    let mut other = functions.clone();
    other.push(Contract {
        violations: [("allocation".into(), 300)].into(),
        ..row("PyTraceMalloc_Track", Whose::Cpython, "hook", 300)
    });
    assert_eq!(verdict(&other), "supported");
    let mut broken = functions.clone();
    broken[1].violations.insert("refcount".into(), 1);
    assert_eq!(verdict(&broken), "refuted");
    // A bad load is no violation of this contract.
    let mut dead = functions;
    dead[2].lost.insert("SIGSEGV".into(), 1);
    assert_eq!(verdict(&dead), "supported");
}

#[test]
fn c7_is_not_supported_by_what_was_not_looked_for() {
    assert_eq!(verdict(&everywhere("cpython-c", Whose::Cpython, 50)), "not_measured", "too few walks");
    assert_eq!(
        verdict(&everywhere("cpython-c", Whose::Cpython, 300)[..2]),
        "not_measured",
        "a context is missing"
    );
    let mut blind = everywhere("cpython-c", Whose::Cpython, 300);
    blind[0].not_checked.insert("lock".into(), "no library".into());
    assert_eq!(verdict(&blind), "not_measured", "a kind was not looked for");
    assert_eq!(verdict(&everywhere("guarded", Whose::Ours, 300)), "not_measured", "another walker");
}

#[test]
fn the_page_has_a_row_a_subject_and_says_what_the_plants_show() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = everywhere("guarded", Whose::Ours, 300);
    rows.push(Contract {
        violations: [("errno".into(), 12)].into(),
        ..row("_Py_DumpTraceback", Whose::Cpython, "signal", 300)
    });
    rows.push(Contract {
        lost: [("hang".into(), 3)].into(),
        ..row("_Py_DumpTraceback", Whose::Cpython, "hook", 300)
    });
    rows.push(Contract {
        violations: [("lock".into(), 300)].into(),
        ..row("planted-lock", Whose::Planted, "hook", 300)
    });
    rows.push(row("planted-errno", Whose::Planted, "hook", 300));
    let (summary, page) = built(dir.path(), &rows);
    for text in ["none 0/300", "errno 12/300", "hang in 3 of 3 processes", "1 of 2 rows show it"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("planted-lock"));
    assert_eq!(summary["contract"].as_array().unwrap().len(), rows.len());
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let wrong =
        Contract { violations: [("errno".into(), 301)].into(), ..row("guarded", Whose::Ours, "hook", 300) };
    write(&dir.path().join("runs"), &manifest(Kind::Contract, "3.15.0", vec![]), &[wrong]);
    let found = report(dir.path()).args(["build", "runs", "--out", "r.html"]).assert().code(5);
    let said = String::from_utf8_lossy(&found.get_output().stderr).into_owned();
    assert!(said.contains("contract.jsonl:1: more walks with a violation than walks"), "{said}");
}

//! The contract checker, on a real interpreter: what is planted is seen, walkers of ours do none of it, and a name that is not
//! known is refused.

use assert_cmd::Command;
use sigwalk_record::{Contract, Whose};
use std::path::Path;

fn stress(arguments: &[&str], out: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("stress"));
    command.args(["contract", "--walks", "5", "--out"]).arg(out).args(arguments);
    command
}

fn rows(out: &Path) -> Vec<Contract> {
    let text = std::fs::read_to_string(out.join("contract.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// (planted subject, what must be seen of it in each context)
const PLANTED: [(&str, &str); 16] = [
    ("planted-gil", "gil"),
    ("planted-breaker", "eval-breaker"),
    ("planted-store", "store"),
    ("planted-thread", "thread"),
    ("planted-linker", "linker"),
    ("planted-stdio", "stdio"),
    ("planted-vector", "vector-state"),
    ("planted-malloc", "allocation"),
    ("planted-lock", "lock"),
    ("planted-incref", "refcount"),
    ("planted-errno", "errno"),
    ("planted-system-call", "system-call"),
    ("planted-state", "thread-state"),
    ("planted-mask", "signal-mask"),
    ("planted-direction", "direction-flag"),
    ("planted-rounding", "float-control"),
];

#[test]
fn what_is_planted_is_seen_and_what_is_sound_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let mut arguments = vec!["--subject", "guarded", "--subject", "syscall"];
    arguments.extend(PLANTED.iter().flat_map(|(subject, _)| ["--subject", subject]));
    stress(&arguments, &out).assert().success();
    let rows = rows(&out);
    assert_eq!(rows.len(), 3 * (2 + PLANTED.len()));
    for row in &rows {
        assert!(row.walks == 5 && row.lost.is_empty(), "{row:?}");
        let seen: Vec<&str> = row.violations.keys().map(String::as_str).collect();
        match PLANTED.iter().find(|(subject, _)| row.subject == *subject) {
            Some((_, kind)) => assert!(seen.contains(kind) || row.not_checked.contains_key(*kind), "{row:?}"),
            None => assert!(row.whose == Whose::Ours && seen.is_empty() && row.frames > 0, "{row:?}"),
        }
    }
    // A reference that is taken and given back, and nothing else: no before and after would tell it.
    let incref = rows.iter().find(|row| row.subject == "planted-incref" && row.context == "hook").unwrap();
    assert_eq!(incref.violations.keys().collect::<Vec<_>>(), ["refcount"]);
    assert_eq!(incref.touched.get("reference count of a code"), Some(&10), "{incref:?}");
}

#[test]
fn a_subject_that_is_not_known_is_refused_with_those_that_are() {
    let dir = tempfile::tempdir().unwrap();
    let found = stress(&["--subject", "nobody"], &dir.path().join("run")).assert().code(2);
    let said = String::from_utf8_lossy(&found.get_output().stderr).into_owned();
    assert!(said.contains("unknown subject \"nobody\"; known: pr-b1; "), "{said}");
}

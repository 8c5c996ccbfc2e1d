//! What is refused, a row a case: how the records were spoilt, the exit code, and what the one line on stderr must say.
//! `bad_input.rs` has the cases that need more than a row.

mod common;

use common::{cell, manifest, plain_run, report, trial, write};
use sigwalk_record::{Kind, Outcome, Phase, exit};
use std::fs;
use std::path::Path;

struct Case {
    name: &'static str,
    /// Spoils a run of five trials in `runs`.
    spoil: fn(&Path),
    code: i32,
    says: &'static [&'static str],
}

/// What is in the file, in other words.
fn edit(runs: &Path, file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let path = runs.join(file);
    let before = fs::read(&path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after);
    fs::write(path, after).unwrap();
}

/// Puts bytes into the line with this number.
fn line(runs: &Path, number: usize, from: &str, to: &[u8]) {
    edit(runs, "trials.jsonl", |bytes| {
        let mut lines: Vec<Vec<u8>> =
            bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let line = &mut lines[number - 1];
        let at = line.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
        line.splice(at..at + from.len(), to.iter().copied());
        lines.concat()
    });
}

fn replaced(runs: &Path, file: &str, from: &str, to: &str) {
    edit(runs, file, |bytes| String::from_utf8(bytes).unwrap().replacen(from, to, 1).into_bytes());
}

const CASES: &[Case] = &[
    Case {
        name: "a file in place of a directory",
        spoil: |runs| {
            fs::remove_dir_all(runs).unwrap();
            fs::write(runs, "{}").unwrap();
        },
        code: exit::USAGE,
        says: &["runs: not a directory; name the run directory"],
    },
    Case {
        name: "a directory without records",
        spoil: |runs| {
            fs::remove_dir_all(runs).unwrap();
            fs::create_dir_all(runs.join("below")).unwrap();
            fs::write(runs.join("below/notes.txt"), "x").unwrap();
        },
        code: exit::NOTHING_RAN,
        says: &["runs: no manifest.json here or below"],
    },
    Case {
        name: "an empty campaign",
        spoil: |runs| write(runs, &manifest(Kind::Trials, "3.15.0", vec![]), &[] as &[sigwalk_record::Trial]),
        code: exit::NOTHING_RAN,
        says: &["runs: the campaign holds no record"],
    },
    Case {
        name: "a manifest alone, of a whole run",
        spoil: |runs| fs::remove_file(runs.join("trials.jsonl")).unwrap(),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl: missing, though the manifest calls the run complete"],
    },
    Case {
        name: "a manifest alone, of a run that was killed at once",
        spoil: |runs| {
            fs::remove_file(runs.join("trials.jsonl")).unwrap();
            replaced(runs, "manifest.json", "\"complete\": true", "\"complete\": false");
        },
        code: exit::NOTHING_RAN,
        says: &["runs: the campaign holds no record"],
    },
    Case {
        name: "no manifest",
        spoil: |runs| fs::remove_file(runs.join("manifest.json")).unwrap(),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl: no manifest.json beside it; restore the manifest"],
    },
    Case {
        name: "no manifest in one of two runs",
        spoil: |runs| {
            plain_run(&runs.join("second"), 3);
            fs::remove_file(runs.join("second/manifest.json")).unwrap();
        },
        code: exit::INCOMPATIBLE,
        says: &["runs/second/trials.jsonl: no manifest.json beside it"],
    },
    Case {
        name: "a directory for a manifest",
        spoil: |runs| {
            fs::remove_file(runs.join("manifest.json")).unwrap();
            fs::create_dir(runs.join("manifest.json")).unwrap();
        },
        code: exit::INCOMPATIBLE,
        says: &["runs/manifest.json: Is a directory"],
    },
    Case {
        name: "a directory for records",
        spoil: |runs| {
            fs::remove_file(runs.join("trials.jsonl")).unwrap();
            fs::create_dir(runs.join("trials.jsonl")).unwrap();
        },
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl: Is a directory"],
    },
    Case {
        name: "a manifest that was cut short",
        spoil: |runs| edit(runs, "manifest.json", |bytes| bytes[..bytes.len() / 2].to_vec()),
        code: exit::INCOMPATIBLE,
        says: &["runs/manifest.json:", "restore the manifest"],
    },
    Case {
        name: "a manifest that is no text",
        spoil: |runs| fs::write(runs.join("manifest.json"), b"\xff\xfe\x00").unwrap(),
        code: exit::INCOMPATIBLE,
        says: &["runs/manifest.json: stream did not contain valid UTF-8; restore it"],
    },
    Case {
        name: "a line of another schema in the middle",
        spoil: |runs| line(runs, 3, "\"schema\":2", b"\"schema\":3"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:3: schema 3, this report reads schema 1 to 2; use the report"],
    },
    Case {
        name: "a run of another schema beside",
        spoil: |runs| {
            plain_run(&runs.join("second"), 3);
            replaced(&runs.join("second"), "manifest.json", "\"schema\": 2", "\"schema\": 3");
        },
        code: exit::INCOMPATIBLE,
        says: &["runs/second/manifest.json:1: schema 3"],
    },
    Case {
        name: "a corrupt line in the middle",
        spoil: |runs| line(runs, 2, "\"schema\":2,", b"\"schema\":2"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:2: not a record", "column", "restore the file"],
    },
    Case {
        name: "bytes that are no UTF-8 in a name",
        spoil: |runs| line(runs, 2, "calls/guarded", b"calls/g\xff\xfe"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:2: not a record (invalid unicode code point"],
    },
    Case {
        name: "NULs in the middle",
        spoil: |runs| line(runs, 4, "{\"schema\"", b"\0\0\0\0"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:4: not a record"],
    },
    Case {
        name: "a line without an end",
        spoil: |runs| line(runs, 2, "\"schema\"", "x".repeat(9 << 20).as_bytes()),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:2: not a record"],
    },
    Case {
        name: "brackets without an end",
        spoil: |runs| line(runs, 2, "{\"schema\"", "[".repeat(1 << 20).as_bytes()),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:2: no schema; restore the file"],
    },
    Case {
        name: "a trial that is there twice",
        spoil: |runs| line(runs, 4, "\"trial\":3", b"\"trial\":1"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:4: trial 1 of campaign 00000000000000aa was read before"],
    },
    Case {
        name: "a cell that the manifest has not",
        spoil: |runs| line(runs, 5, "calls/guarded", b"calls/\\u202estranger"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:5: cell 3.15.0/signal/calls/\\u202estranger is not in the manifest"],
    },
    Case {
        name: "a cell of another interpreter",
        spoil: |runs| {
            replaced(runs, "manifest.json", "\"interpreter\": \"3.15.0\"", "\"interpreter\": \"3.13.5\"");
        },
        code: exit::INCOMPATIBLE,
        says: &[
            "runs/manifest.json:1: cell 3.15.0/signal/calls/guarded: interpreter 3.13.5 in a run of 3.15.0",
        ],
    },
    Case {
        name: "one cell with two sets of parameters",
        spoil: |runs| {
            let mut other = cell("3.15.0", "signal", "calls", "guarded", 1);
            other.params.insert("depth".into(), "51".into());
            let row = trial(9, &other.id, Outcome::Complete, Phase::Done);
            write(&runs.join("second"), &manifest(Kind::Trials, "3.15.0", vec![other]), &[row]);
        },
        code: exit::INCOMPATIBLE,
        says: &["runs/second/manifest.json:1: cell ", "declared differently in another run"],
    },
    Case {
        name: "two builds under one tag",
        spoil: |runs| {
            plain_run(&runs.join("second"), 3);
            replaced(&runs.join("second"), "manifest.json", "gcc 14.2.0 -O2", "clang 21");
        },
        code: exit::INCOMPATIBLE,
        says: &["runs/second/manifest.json:1: interpreter 3.15.0 has ", "give the builds different tags"],
    },
    Case {
        name: "more walks than anybody can count",
        spoil: |runs| line(runs, 1, "\"walks\":40", b"\"walks\":18446744073709551615"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:1: 18446744073709551615 is more than any run can count"],
    },
    Case {
        name: "more silent answers than anybody can count",
        spoil: |runs| line(runs, 1, "\"splice\":0", b"\"splice\":18446744073709551615"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:1: 18446744073709551615 is more than any run can count"],
    },
    Case {
        name: "more trials than anybody can declare",
        spoil: |runs| replaced(runs, "manifest.json", "\"n\": 5", "\"n\": 18446744073709551615"),
        code: exit::INCOMPATIBLE,
        says: &["runs/manifest.json:1: cell 3.15.0/signal/calls/guarded: 18446744073709551615 trials"],
    },
    Case {
        name: "a negative number of walks",
        spoil: |runs| line(runs, 1, "\"walks\":40", b"\"walks\":-1"),
        code: exit::INCOMPATIBLE,
        says: &["runs/trials.jsonl:1: not a record (invalid value: integer `-1`"],
    },
];

#[test]
fn every_case_is_refused_in_one_line() {
    let mut wrong = Vec::new();
    for case in CASES {
        let dir = tempfile::tempdir().unwrap();
        plain_run(&dir.path().join("runs"), 5);
        (case.spoil)(&dir.path().join("runs"));
        // A report that is there stays as it was.
        for name in ["out.html", "summary.md", "summary.json"] {
            fs::write(dir.path().join(name), "before").unwrap();
        }
        let output = report(dir.path()).args(["build", "runs", "--out", "out.html"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let mut problems = Vec::new();
        if output.status.code() != Some(case.code) {
            problems.push(format!("ended with {:?}, not {}", output.status.code(), case.code));
        }
        if stderr.lines().count() != 1 || stderr.len() > 6000 {
            problems.push("stderr is not one line of readable length".to_owned());
        }
        problems.extend(
            case.says
                .iter()
                .filter(|says| !stderr.contains(**says))
                .map(|says| format!("{says:?} is missing")),
        );
        for name in ["out.html", "summary.md", "summary.json"] {
            if fs::read_to_string(dir.path().join(name)).unwrap() != "before" {
                problems.push(format!("{name} was touched"));
            }
        }
        if !problems.is_empty() {
            let said: String = stderr.chars().take(400).collect();
            wrong.push(format!("{}: {}; stderr: {said}", case.name, problems.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A last line that was cut is dropped and said, wherever the cut is: also within a character.
#[test]
fn a_last_line_is_dropped_wherever_it_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    plain_run(&runs, 2);
    let whole = fs::read_to_string(runs.join("trials.jsonl")).unwrap().replacen(
        "\"millis\"",
        "\"né\":1,\"millis\"",
        2,
    );
    let second = whole.find('\n').unwrap() + 1;
    for cut in [second + 1, second + 20, whole.rfind('é').unwrap() + 1, whole.len() - 2, whole.len() - 1] {
        fs::write(runs.join("trials.jsonl"), &whole.as_bytes()[..cut]).unwrap();
        let output = report(dir.path()).args(["text", "runs"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit::OK), "{stderr}");
        assert!(
            stderr.contains("runs/trials.jsonl:2: the last line was cut short and is left out"),
            "{cut}: {stderr}"
        );
    }
}

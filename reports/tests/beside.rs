//! What stands beside the page, and what the other commands print.

mod common;

use common::{plain_run, report, sample};
use serde_json::Value;
use sigwalk_record::exit;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn succeeds(dir: &Path, arguments: &[&str]) -> Output {
    let output = report(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Every file below, by its path.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    fn below(root: &Path, dir: &Path, out: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(root, &path, out);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                out.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    below(dir, dir, &mut out);
    out.sort();
    out
}

#[test]
fn everything_stands_beside_the_page_and_is_the_same_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let runs = sample(dir.path()).display().to_string();
    let done = succeeds(dir.path(), &["build", &runs, "--out", "a/r.html", "--json"]);
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((done["page"].as_str(), done["verdict"].as_str()), (Some("a/r.html"), Some("declared")));
    let made = files(&dir.path().join("a"));
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "cost.pyperf.json",
        "figures/cost-3.13.5.png",
        "figures/cost-3.13.5.svg",
        "figures/cost-3.15.0.png",
        "figures/cost-3.15.0.svg",
        "r.html",
        "summary.json",
        "summary.md",
        "trials.csv",
    ];
    // Figures that the page gets later are here, too.
    for name in expected {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert_eq!(done["files"].as_array().unwrap().len(), names.len());
    // Another working directory, another order of the directories: the same bytes.
    let away = tempfile::tempdir().unwrap();
    let (first, second) = (format!("{runs}/3.15.0"), format!("{runs}/3.13.5"));
    succeeds(away.path(), &["build", &first, &second, "--out", "b/r.html", "--quiet"]);
    let again = files(&away.path().join("b"));
    for ((name, bytes), (other, others)) in made.iter().zip(&again) {
        assert!(name == other && bytes == others, "{name} differs");
    }
    assert_eq!(made.len(), again.len());
}

#[test]
fn trials_are_rows_and_lines() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    let path = dir.path().join("runs/trials.jsonl");
    let hostile = r#""crash":{"signal":11,"site":"=1+1,\"x\"\n"}"#;
    let text = read(&path).replacen("\"millis\"", &format!("{hostile},\"millis\""), 1);
    std::fs::write(&path, text.replace("\"schema\":2", "\"schema\":1")).unwrap();
    succeeds(dir.path(), &["export", "runs", "--format", "csv", "--out", "t.csv"]);
    let table = read(&dir.path().join("t.csv"));
    let mut lines = table.lines();
    let columns = lines.next().unwrap().split(',').count();
    let rows: Vec<&str> = lines.collect();
    assert_eq!((rows.len(), columns), (5, 29), "{table}");
    assert!(rows[0].contains(r#""'=1+1,""x""\u000a""#), "{}", rows[0]);
    assert_eq!(
        rows[1],
        "3.15.0,signal,guarded,calls,,depth=50 loop=10,00000000000000aa,1,0000000000009e37,complete,done,40,2000,40,0,0,0,0,0,0,0,0,0,0,1.5,,,,"
    );
    succeeds(dir.path(), &["export", "runs", "--format", "jsonl", "--out", "t.jsonl"]);
    let lines = read(&dir.path().join("t.jsonl"));
    assert_eq!(lines.matches("\"schema\":2").count(), 5, "records of version 1 become those of today");
    let nothing =
        report(dir.path()).args(["export", "runs", "--format", "pyperf", "--out", "p"]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(exit::NOTHING_RAN));
    assert!(!dir.path().join("p").exists());
}

#[test]
fn every_benchmark_has_as_many_values() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    succeeds(dir.path(), &["export", "runs", "--format", "pyperf", "--out", "p.json"]);
    let suite: Value = serde_json::from_str(&read(&dir.path().join("p.json"))).unwrap();
    let benchmarks = suite["benchmarks"].as_array().unwrap();
    let named = |name: &str| benchmarks.iter().find(|bench| bench["metadata"]["name"] == name).unwrap();
    let guarded = named("guarded code depth 100 [3.15.0]");
    let values: Vec<usize> = guarded["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["values"].as_array().unwrap().len())
        .collect();
    assert_eq!(values, [20, 20, 20]);
    // 3.3 ns a frame, a hundred frames, some percent more: in seconds.
    let first = guarded["runs"][0]["values"][0].as_f64().unwrap();
    assert!((3.2e-7..4.0e-7).contains(&first), "{first}");
    named("guarded code+line stack asyncio depth 16 [3.15.0]");
    named("dump_traceback code+line+names to /dev/null depth 100 [3.13.5]");
}

#[test]
fn what_programs_read_is_json() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    succeeds(dir.path(), &["export", "runs", "--format", "json", "--out", "s.json"]);
    let text = succeeds(dir.path(), &["text", "runs", "--json"]);
    assert_eq!(String::from_utf8(text.stdout).unwrap(), read(&dir.path().join("s.json")));
    let names = String::from_utf8(succeeds(dir.path(), &["schema"]).stdout).unwrap();
    for name in names.lines() {
        let schema: Value = serde_json::from_slice(&succeeds(dir.path(), &["schema", name]).stdout).unwrap();
        assert_eq!(schema["type"], "object", "{name}");
    }
}

#[test]
fn help_manual_and_completions() {
    let dir = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| String::from_utf8(succeeds(dir.path(), arguments).stdout).unwrap();
    insta::assert_snapshot!("help", said(&["--help"]));
    insta::assert_snapshot!("help-export", said(&["export", "-h"]));
    assert!(said(&["man"]).contains(".TH report 1"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&["completions", shell]).contains("export"), "{shell}");
    }
}

/// An error after the first files are staged leaves nothing, not even in a directory of figures that was there.
#[test]
fn a_place_that_cannot_be_taken_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    succeeds(dir.path(), &["build", "runs", "--out", "out/r.html", "--title", "first"]);
    let out = dir.path().join("out");
    std::fs::remove_file(out.join("figures/cost-3.15.0.png")).unwrap();
    std::fs::create_dir(out.join("figures/cost-3.15.0.png")).unwrap();
    let before = files(&out);
    let output = report(dir.path())
        .args(["build", "runs", "--out", "out/r.html", "--title", "second"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(exit::MISSING_CAPABILITY));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("out/figures/cost-3.15.0.png: not written"), "{said}");
    assert!(files(&out) == before, "something was changed");
}

/// The records come through a pipe, so that the signal finds the program in the middle of them.
#[test]
fn an_interrupted_build_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 6000);
    let path = dir.path().join("runs/trials.jsonl");
    let rows = read(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("report"))
        .args(["build", "runs", "--out", "out/r.html"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opens when the program does, which then has its handlers.
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let half = rows.len() / 2;
    pipe.write_all(&rows.as_bytes()[..half]).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    // It may go away before it has read everything.
    let _ = pipe.write_all(&rows.as_bytes()[half..]);
    drop(pipe);
    assert_eq!(child.wait().unwrap().code(), Some(exit::INTERRUPTED));
    assert_eq!(files(&dir.path().join("out")), []);
}

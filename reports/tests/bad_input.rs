//! Every bad input is one line that names the file, the reason and the remedy, and an exit code that tells which kind.

mod common;

use common::{cell, manifest, plain_run, report, trial, write};
use sigwalk_record::{Kind, Manifest, Outcome, Phase, exit};
use std::path::Path;

/// Runs `report build runs` and checks the code, that stderr is one line, and that nothing was written.
fn refused(dir: &Path, code: i32, words: &[&str]) {
    let output = report(dir).args(["build", "runs", "--out", "out.html"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in {stderr:?}");
    }
    assert!(!dir.join("out.html").exists() && !dir.join("summary.json").exists());
}

fn edit(path: &Path, change: impl Fn(String) -> String) {
    std::fs::write(path, change(std::fs::read_to_string(path).unwrap())).unwrap();
}

#[test]
fn a_missing_directory() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), exit::USAGE, &["runs: No such file or directory; name a run directory"]);
}

#[test]
fn a_directory_without_runs_and_a_run_without_rows() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("runs")).unwrap();
    refused(dir.path(), exit::NOTHING_RAN, &["runs: no manifest.json here or below"]);
    plain_run(&dir.path().join("runs"), 0);
    refused(dir.path(), exit::NOTHING_RAN, &["holds no record"]);
}

#[test]
fn a_corrupt_line_in_the_middle() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    edit(&dir.path().join("runs/trials.jsonl"), |text| {
        text.replacen("{\"schema\":2,\"trial\":2,", "{\"schema\":2,\"tr", 1)
    });
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/trials.jsonl:3: not a record", "restore the file"]);
    edit(&dir.path().join("runs/trials.jsonl"), |text| {
        text.lines().take(2).collect::<Vec<_>>().join("\n") + "\n\n" + text.lines().last().unwrap() + "\n"
    });
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/trials.jsonl:3: "]);
}

#[test]
fn a_truncated_last_line_is_dropped_and_said() {
    for cut in ["{\"schema\":2,\"tri", "{\"schema\":2,\"tri\n", "\0\0\0\0\n"] {
        let dir = tempfile::tempdir().unwrap();
        plain_run(&dir.path().join("runs"), 5);
        edit(&dir.path().join("runs/trials.jsonl"), |text| text + cut);
        let output = report(dir.path()).args(["build", "runs", "--out", "out.html"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let said = "runs/trials.jsonl:6: the last line was cut short and is left out";
        assert!(stderr.contains(said), "{stderr}");
        for name in ["out.html", "summary.md", "summary.json"] {
            let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
            assert!(text.contains("the last line was cut short"), "{name}");
        }
        assert!(std::fs::read_to_string(dir.path().join("summary.json")).unwrap().contains("\"n\": 5"));
    }
}

/// A last line that is whole JSON but no record was not cut short: it is wrong.
#[test]
fn a_whole_last_line_that_is_no_record() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    edit(&dir.path().join("runs/trials.jsonl"), |text| text + "{\"schema\":2}\n");
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/trials.jsonl:6: not a record (missing field"]);
}

#[test]
fn an_unknown_schema() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    edit(&dir.path().join("runs/trials.jsonl"), |text| text.replacen("\"schema\":2", "\"schema\":99", 1));
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/trials.jsonl:1: schema 99, this report reads schema 1"]);
    edit(&dir.path().join("runs/manifest.json"), |text| text.replace("\"schema\": 2", "\"schema\": 98"));
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/manifest.json:1: schema 98"]);
}

#[test]
fn a_damaged_manifest() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    edit(&dir.path().join("runs/manifest.json"), |text| {
        text.replace("\"complete\": true", "\"complete\": tru")
    });
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/manifest.json:", "restore the manifest"]);
}

#[test]
fn a_complete_run_without_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    std::fs::remove_file(dir.path().join("runs/trials.jsonl")).unwrap();
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/trials.jsonl: missing"]);
}

#[test]
fn two_builds_under_one_tag() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs/a"), 5);
    let changes: [fn(&mut Manifest); 3] = [
        |manifest| manifest.interpreter.debug = true,
        |manifest| manifest.interpreter.config_args = "'--with-pydebug'".into(),
        |manifest| manifest.environment.kernel = "7.0".into(),
    ];
    for change in changes {
        let other = cell("3.15.0", "signal", "other target", "guarded", 1);
        let mut declared = manifest(Kind::Trials, "3.15.0", vec![other.clone()]);
        change(&mut declared);
        write(&dir.path().join("runs/b"), &declared, &[trial(9, &other.id, Outcome::Complete, Phase::Done)]);
        refused(
            dir.path(),
            exit::INCOMPATIBLE,
            &["runs/b/manifest.json:1: interpreter 3.15.0 has ", "give the builds different tags"],
        );
    }
}

#[test]
fn a_trial_that_is_read_twice() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs/a"), 5);
    plain_run(&dir.path().join("runs/copy"), 5);
    refused(
        dir.path(),
        exit::INCOMPATIBLE,
        &["runs/copy/trials.jsonl:1: trial 0 of campaign", "no copy of it"],
    );
}

#[test]
fn one_directory_named_twice_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    report(dir.path()).args(["build", "runs", "./runs", "--out", "out.html"]).assert().success();
    assert!(std::fs::read_to_string(dir.path().join("summary.json")).unwrap().contains("\"n\": 5"));
}

#[test]
fn a_cell_that_was_not_declared() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    edit(&dir.path().join("runs/trials.jsonl"), |text| text.replacen("calls/guarded", "calls/stranger", 1));
    refused(
        dir.path(),
        exit::INCOMPATIBLE,
        &["runs/trials.jsonl:1: cell 3.15.0/signal/calls/stranger is not in the manifest"],
    );
}

#[test]
fn mutation_outcomes_that_do_not_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let row = sigwalk_record::Mutation {
        schema: sigwalk_record::SCHEMA,
        interpreter: "3.15.0".into(),
        walks: 10,
        unharmed: 9,
        ..Default::default()
    };
    write(&dir.path().join("runs"), &manifest(Kind::Mutations, "3.15.0", vec![]), &[row]);
    refused(
        dir.path(),
        exit::INCOMPATIBLE,
        &["runs/mutations.jsonl:1: the outcomes do not add up to 10 walks"],
    );
}

#[test]
fn an_output_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Root writes there all the same; no one writes into sysfs.
    let root = std::fs::write(closed.join("probe"), "").is_ok();
    let out = if root { "/sys/kernel/report.html" } else { "closed/report.html" };
    let output = report(dir.path()).args(["build", "runs", "--out", out]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit::MISSING_CAPABILITY), "{stderr}");
    assert!(stderr.lines().count() == 1 && stderr.contains("choose another --out"), "{stderr}");

    for (out, code) in [
        ("runs", exit::USAGE),
        ("runs/summary.md", exit::USAGE),
        ("runs/manifest.json/x.html", exit::MISSING_CAPABILITY),
    ] {
        report(dir.path()).args(["build", "runs", "--out", out]).assert().code(code);
    }
}

#[test]
fn the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    report(dir.path()).arg("build").assert().code(exit::USAGE);
    report(dir.path()).args(["build", "runs"]).assert().code(exit::USAGE);
    let help = report(dir.path()).arg("--help").output().unwrap();
    assert!(String::from_utf8(help.stdout).unwrap().contains("report build runs/smoke --out smoke.html"));
}

/// Counts stand beside costs: what is wrong there is no less wrong, and a last line cut short is said.
#[test]
fn bad_counts() {
    use common::{timed, write_counts};
    use sigwalk_record::{Count, Counted, SCHEMA, What};
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    write(&runs, &manifest(Kind::Cost, "3.15.0", vec![]), &[timed("3.15.0", "floor", What::Chain, 100, 1.0)]);
    let count = |interpreter: &str, counts: &[u64]| Count {
        schema: SCHEMA,
        interpreter: interpreter.into(),
        counted: Counted::Syscalls,
        subject: "syscall".into(),
        what: What::Line,
        depth: 100,
        counts: counts.to_vec(),
    };
    write_counts(&runs, &[count("3.15.0", &[1]), count("3.13.5", &[1])]);
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/counts.jsonl:2: interpreter 3.13.5 in a run of 3.15.0"]);
    write_counts(&runs, &[count("3.15.0", &[])]);
    refused(dir.path(), exit::INCOMPATIBLE, &["runs/counts.jsonl:1: no count; run the benches again"]);
    write_counts(&runs, &[count("3.15.0", &[1])]);
    edit(&runs.join("counts.jsonl"), |text| text + "{\"sch");
    report(dir.path()).args(["build", "runs", "--out", "out.html"]).assert().success();
    let page = std::fs::read_to_string(dir.path().join("out.html")).unwrap();
    assert!(page.contains("runs/counts.jsonl:2: the last line was cut short"));
}

/// What stands beside the mutations is refused like them: by file and line.
#[test]
fn bad_rows_beside_the_mutations() {
    use common::heuristics::{beside, checks, everything, freed, injections, mutations};
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("runs");
    everything(&run, "3.15.0");
    report(dir.path()).args(["build", "runs", "--out", "good.html"]).assert().success();
    std::fs::remove_file(dir.path().join("summary.json")).unwrap();
    for name in ["checks.jsonl", "injections.jsonl", "freed.jsonl"] {
        let good = std::fs::read_to_string(run.join(name)).unwrap();
        let second = |from: &str, to: &str| {
            let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
            let changed = lines[1].replacen(from, to, 1);
            assert_ne!(lines[1], changed, "{from}");
            lines[1] = changed;
            std::fs::write(run.join(name), lines.join("\n") + "\n").unwrap();
        };
        second("\"schema\":2", "\"schema\":7");
        refused(
            dir.path(),
            exit::INCOMPATIBLE,
            &[&format!("runs/{name}:2: schema 7, this report reads schema 1")],
        );
        second("\"interpreter\":\"3.15.0\"", "\"interpreter\":\"3.13.5\"");
        refused(
            dir.path(),
            exit::INCOMPATIBLE,
            &[&format!("runs/{name}:2: interpreter 3.13.5 in a run of 3.15.0")],
        );
        second("\"schema\":2,", "\"schema\":2 ");
        refused(
            dir.path(),
            exit::INCOMPATIBLE,
            &[&format!("runs/{name}:2: not a record"), "restore the file"],
        );
        // A last line cut short is dropped, and said.
        std::fs::write(run.join(name), good.clone() + "{\"sch").unwrap();
        let output = report(dir.path()).args(["build", "runs", "--out", "cut.html"]).output().unwrap();
        let said = format!("runs/{name}:{}: the last line was cut short", good.lines().count() + 1);
        assert!(
            output.status.success() && String::from_utf8(output.stderr).unwrap().contains(&said),
            "{said}"
        );
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("Exploratory: ") && stdout.contains("1 last line(s) cut short"), "{stdout}");
        std::fs::remove_file(dir.path().join("summary.json")).unwrap();
        std::fs::write(run.join(name), &good).unwrap();
    }
    type Change = fn(&mut sigwalk_record::Check);
    let changes: [(Change, &str); 5] = [
        (|row| row.bare.crash = 20_000, "more harm than walks"),
        (|row| row.alone.hang = row.bare.hang + 1, "prevents alone more than there is"),
        (|row| row.only.silent = row.walks, "prevents alone of all checks more than"),
        (|row| row.alarms = row.walks, "more false alarms"),
        (|row| row.worse = row.walks + 1, "more false alarms, or more made worse"),
    ];
    for (change, said) in changes {
        let mut rows = checks("3.15.0");
        change(&mut rows[2]);
        beside(&run, "checks.jsonl", &rows);
        refused(dir.path(), exit::INCOMPATIBLE, &["runs/checks.jsonl:3: check executable-freed: ", said]);
    }
    beside(&run, "checks.jsonl", &checks("3.15.0"));
    let mut rows = injections("3.15.0");
    rows[1].walks += 1;
    beside(&run, "injections.jsonl", &rows);
    refused(
        dir.path(),
        exit::INCOMPATIBLE,
        &["runs/injections.jsonl:2: the outcomes do not add up to 20001 walks"],
    );
    let mut rows = injections("3.15.0");
    rows[0].per_million = 5;
    beside(&run, "injections.jsonl", &rows);
    refused(
        dir.path(),
        exit::INCOMPATIBLE,
        &["runs/injections.jsonl:1: mode transient with 5 parts of a million"],
    );
    beside(&run, "injections.jsonl", &injections("3.15.0"));
    let mut rows = freed("3.15.0");
    rows[0].objects = u64::MAX;
    beside(&run, "freed.jsonl", &rows);
    refused(
        dir.path(),
        exit::INCOMPATIBLE,
        &["runs/freed.jsonl:1: 18446744073709551615 is more than any run"],
    );
    beside(&run, "freed.jsonl", &freed("3.15.0"));
    // The same rows a second time would tighten every bound without evidence.
    let copy = dir.path().join("runs/copy");
    for name in ["checks.jsonl", "injections.jsonl", "freed.jsonl"] {
        mutations(&copy, "3.15.0");
        std::fs::write(copy.join("mutations.jsonl"), "").unwrap();
        std::fs::copy(run.join(name), copy.join(name)).unwrap();
        let said = format!("runs/copy/{name}:1: the same row of campaign");
        refused(dir.path(), exit::INCOMPATIBLE, &[&said, "no copy of it"]);
        std::fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn bad_tallies_of_the_fuzzer() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    let refused = |code: i32, said: &str| {
        let args = ["build", "runs", "--fuzz", "stats", "--out", "out.html"];
        let output = report(dir.path()).args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains(said), "{stderr}");
        assert!(!dir.path().join("out.html").exists());
    };
    refused(exit::USAGE, "stats: No such file or directory; name the directory of the fuzzer's tallies");
    let stats = dir.path().join("stats");
    common::heuristics::tallies(&stats);
    let good = std::fs::read_to_string(stats.join("walk.json")).unwrap();
    for (bad, said) in [
        (
            good.replace("\"schema\": 1", "\"schema\": 9"),
            "stats/walk.json:1: schema 9, this report reads schema 1",
        ),
        (good.replace("\"schema\"", "\"shape\""), "stats/walk.json:1: no schema"),
        (good.replace("\"walks\": [", "\"walks\": [["), "stats/walk.json:"),
        (good.replace("1200", "-1200"), "stats/walk.json:"),
        (
            good.replace("100000", "18446744073709551615"),
            "stats/walk.json:1: 18446744073709551615 is more than",
        ),
        (String::new(), "stats/walk.json:1: EOF"),
    ] {
        assert_ne!(bad, good);
        std::fs::write(stats.join("walk.json"), bad).unwrap();
        refused(exit::INCOMPATIBLE, said);
    }
    // An empty directory is said, and no failure.
    std::fs::remove_dir_all(&stats).unwrap();
    std::fs::create_dir(&stats).unwrap();
    let output = report(dir.path()).args(["text", "runs", "--fuzz", "stats"]).output().unwrap();
    assert!(
        output.status.success()
            && String::from_utf8(output.stderr).unwrap().contains("stats: no tally of the fuzzer")
    );
}

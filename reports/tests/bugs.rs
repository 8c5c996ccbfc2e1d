//! Known bugs: what each combination of standing and trials is called, in all three formats.

mod common;

use common::report;
use sigwalk_record::{Bug, Cell, Kind, Outcome, Phase, Standing};
use std::path::Path;

fn bug(id: &str, stands: Standing) -> Option<Bug> {
    let title = format!("bug {id}");
    let hit = vec![Outcome::Crash, Outcome::Hang];
    Some(Bug { id: id.into(), issue: "gh-1".into(), title, stands, hit, finding: finding(id).into() })
}

fn finding(id: &str) -> &str {
    if id == "C" { "reports/findings/c.md" } else { "" }
}

/// A bug, what is said of it, which of 20 trials end otherwise than well, and why nothing runs.
type Declared<'a> = (&'a str, Standing, &'a [(u64, Outcome)], &'a str);

/// One run on `tag`.
fn run(dir: &Path, tag: &str, cells: &[Declared<'_>]) {
    let mut declared = Vec::new();
    let mut trials = Vec::new();
    for (id, stands, hits, why) in cells {
        let cell = Cell {
            bug: bug(id, *stands),
            not_available: (*why).into(),
            ..common::cell(tag, "program", &format!("shows-{id}"), "faulthandler", 20)
        };
        for index in (0..20).filter(|_| why.is_empty()) {
            let outcome =
                hits.iter().find(|(at, _)| *at == index).map_or(Outcome::Complete, |(_, outcome)| *outcome);
            trials.push(common::trial(trials.len() as u64, &cell.id, outcome, Phase::Target));
        }
        declared.push(cell);
    }
    common::write(&dir.join(format!("runs/{tag}")), &common::manifest(Kind::Trials, tag, declared), &trials);
}

fn records(dir: &Path) {
    let crash = [(2, Outcome::Crash), (5, Outcome::Hang)];
    // An answer that is wrong is no hit of a bug which shows by a crash.
    let wrong = [(0, Outcome::Impossible)];
    run(
        dir,
        "3.13.5",
        &[
            ("A", Standing::Affected, &crash, ""),
            ("B", Standing::Affected, &wrong, ""),
            ("C", Standing::Open, &crash, ""),
            ("D", Standing::Affected, &[], "needs 3.14"),
        ],
    );
    run(
        dir,
        "3.13.15",
        &[
            ("A", Standing::Fixed, &[], ""),
            ("B", Standing::Fixed, &crash, ""),
            ("C", Standing::Open, &[], ""),
            ("E", Standing::Open, &[(0, Outcome::HarnessError)], ""),
        ],
    );
}

#[test]
fn verdicts_of_known_bugs() {
    let dir = tempfile::tempdir().unwrap();
    records(dir.path());
    report(dir.path()).args(["build", "runs", "--out", "report.html"]).assert().success();
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();

    let summary = read("summary.md");
    let section = summary.split("### Known bugs").nth(1).unwrap().split("```").nth(1).unwrap();
    insta::assert_snapshot!("known-bugs.md", section.trim());

    let page = read("report.html");
    let section = page.split("<section id=\"bugs\">").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(section.contains("2 of 5 bugs seen on an interpreter that has them"), "{section}");
    let place = |text: &str| section.find(text).unwrap_or_else(|| panic!("{text} is not in {section}"));
    assert!(place(">3.13.5<") < place(">3.13.15<"), "columns stand in the order of versions");
    // The third trial of 1.5 ms is the first hit.
    for expected in ["reproduced 2/20", "seen though fixed 2/20", "first after 0.00450 s", "needs 3.14"] {
        place(expected);
    }

    // What is open, or seen though fixed, is a finding; what its own fix mended is none.
    let findings =
        section.split("<div id=\"findings\">").nth(1).unwrap().split("class=\"note\"").next().unwrap();
    for expected in ["bug B", "bug C", "3.13.5: 2/20 [", "reports/findings/c.md", "none yet"] {
        assert!(findings.contains(expected), "{expected} is not in {findings}");
    }
    assert!(!findings.contains("bug A") && !findings.contains("bug D"), "{findings}");

    let json: serde_json::Value = serde_json::from_str(&read("summary.json")).unwrap();
    let bugs = json["known_bugs"].as_array().unwrap();
    let first = bugs.iter().find(|bug| bug["cell"] == "3.13.5/program/shows-A/faulthandler").unwrap();
    assert_eq!((&first["verdict"], &first["seen"]["k"]), (&"reproduced".into(), &2.into()));
    assert_eq!(first["first_hit_ms"], 4.5);
}

#[test]
fn records_without_known_bugs_have_no_such_section() {
    let dir = tempfile::tempdir().unwrap();
    common::plain_run(&dir.path().join("runs"), 10);
    report(dir.path()).args(["build", "runs", "--out", "report.html"]).assert().success();
    let page = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(!page.contains("#bugs") && !page.contains("id=\"bugs\""));
}

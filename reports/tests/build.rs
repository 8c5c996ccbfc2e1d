//! What a report of good records looks like.

mod common;

use common::{report, sample};
use std::path::Path;

fn build(dir: &Path, out: &str) -> String {
    let output = report(dir).args(["build", "runs", "--out", out]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn summaries_of_the_sample() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let stdout = build(dir.path(), "out/report.html");
    assert!(stdout.lines().last().unwrap().starts_with("out/report.html: "), "{stdout}");
    insta::assert_snapshot!("summary.md", read(&dir.path().join("out/summary.md")));
    insta::assert_snapshot!("summary.json", read(&dir.path().join("out/summary.json")));
    let text = report(dir.path()).args(["text", "runs"]).output().unwrap();
    assert_eq!(String::from_utf8(text.stdout).unwrap(), read(&dir.path().join("out/summary.md")));
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    build(dir.path(), "a/report.html");
    // The order in which directories are named must not matter either.
    let parts = [
        "runs/3.15.0/cost",
        "runs/3.13.5",
        "runs/3.15.0/trials",
        "runs/3.15.0/mutations",
        "runs/3.13.5/cost",
    ];
    report(dir.path()).arg("build").args(parts).args(["--out", "b/report.html"]).assert().success();
    for name in ["report.html", "summary.md", "summary.json"] {
        assert!(
            read(&dir.path().join("a").join(name)) == read(&dir.path().join("b").join(name)),
            "{name} differs"
        );
    }
}

#[test]
fn the_page_is_one_small_file_whose_links_resolve() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    build(dir.path(), "report.html");
    let page = read(&dir.path().join("report.html"));
    assert!(page.len() < 2 << 20);
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
    for (at, _) in page.match_indices("href=\"#") {
        let anchor = page[at + 7..].split('"').next().unwrap();
        assert_eq!(page.matches(&format!(" id=\"{anchor}\"")).count(), 1, "#{anchor}");
    }
    for foreign in ["<script", "http://", "https://", " src=", "@import", "url("] {
        let found = page.replace("http://www.w3.org/2000/svg", "").find(foreign);
        assert_eq!(found, None, "{foreign}");
    }
    for claim in 1..=12 {
        assert!(page.contains(&format!("id=\"claim-C{claim}\"")), "C{claim}");
    }
}

/// Own-thread and other-thread workloads, and interpreters, stand in sections of their own.
#[test]
fn workloads_never_share_a_table() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    build(dir.path(), "report.html");
    let page = read(&dir.path().join("report.html"));
    for table in page.split("<table>").skip(1).map(|rest| rest.split("</table>").next().unwrap()) {
        let kinds = ["hook", "signal", "other"]
            .into_iter()
            .filter(|kind| table.contains(&format!("id=\"cell-3.13.5-{kind}-")))
            .count();
        assert!(kinds <= 1, "{}", &table[..200]);
    }
}

#[test]
fn harness_errors_are_left_out_of_n_and_over_one_percent_conclude_nothing() {
    use sigwalk_record::{Kind, Outcome, Phase};
    let dir = tempfile::tempdir().unwrap();
    let cell = common::cell("3.15.0", "signal", "calls", "guarded", 100);
    let trials: Vec<_> = (0..100)
        .map(|index| {
            common::trial(
                index,
                &cell.id,
                if index < 2 { Outcome::HarnessError } else { Outcome::Complete },
                Phase::Done,
            )
        })
        .collect();
    common::write(&dir.path().join("runs"), &common::manifest(Kind::Trials, "3.15.0", vec![cell]), &trials);
    let stdout = build(dir.path(), "report.html");
    assert!(
        stdout.contains("Inconclusive") && stdout.contains("2 of 100 trials failed in the harness"),
        "{stdout}"
    );
    let summary: serde_json::Value = serde_json::from_str(&read(&dir.path().join("summary.json"))).unwrap();
    assert_eq!(summary["cells"][0]["n"], 98);
    assert_eq!(summary["cells"][0]["outcomes"]["harness_error"], 2);
    assert_eq!(summary["cells"][0]["rates"]["crash_frame"]["n"], 98);
}

#[test]
fn an_unfinished_run_is_exploratory() {
    let dir = tempfile::tempdir().unwrap();
    common::plain_run(&dir.path().join("runs"), 10);
    assert!(build(dir.path(), "a.html").contains("Declared: "));
    let path = dir.path().join("runs/manifest.json");
    std::fs::write(&path, read(&path).replace("\"complete\": true", "\"complete\": false")).unwrap();
    let stdout = build(dir.path(), "b.html");
    assert!(stdout.contains("Exploratory: ") && stdout.contains("1 of 1 runs not finished"), "{stdout}");
}

#[test]
fn a_page_that_would_be_too_large_says_what_it_leaves_out() {
    use sigwalk_record::{Kind, Outcome, Phase};
    let dir = tempfile::tempdir().unwrap();
    let cells: Vec<_> =
        (0..2000).map(|index| common::cell("3.15.0", "signal", &format!("t{index}"), "guarded", 1)).collect();
    let trials: Vec<_> = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| common::trial(index as u64, &cell.id, Outcome::Complete, Phase::Done))
        .collect();
    common::write(&dir.path().join("runs"), &common::manifest(Kind::Trials, "3.15.0", cells), &trials);
    build(dir.path(), "report.html");
    let page = read(&dir.path().join("report.html"));
    assert!(page.len() < 2 << 20 && page.contains("more rows are in summary.json"));
    let summary = read(&dir.path().join("summary.md"));
    assert!(summary.chars().count() < 60_000 && summary.contains("more rows are in summary.json"));
}

/// Ten trials without an event support nothing.
#[test]
fn few_trials_decide_no_claim() {
    let dir = tempfile::tempdir().unwrap();
    common::plain_run(&dir.path().join("runs"), 10);
    build(dir.path(), "report.html");
    let summary: serde_json::Value = serde_json::from_str(&read(&dir.path().join("summary.json"))).unwrap();
    for claim in summary["claims"].as_array().unwrap() {
        assert_eq!(claim["verdict"], "not_measured", "{claim}");
    }
    assert!(summary["claims"][2]["figure"].as_str().unwrap().ends_with("not enough to tell"));
}

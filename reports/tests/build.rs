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

fn json(dir: &Path) -> serde_json::Value {
    serde_json::from_str(&read(&dir.join("summary.json"))).unwrap()
}

/// A walker that prints was judged by nobody: that is not 0 impossible stacks.
#[test]
fn what_nobody_judged_is_no_zero() {
    use sigwalk_record::{Kind, Outcome, Phase};
    let dir = tempfile::tempdir().unwrap();
    let cell = common::cell("3.15.0", "hook", "calls", "faulthandler", 1000);
    let trials: Vec<_> =
        (0..1000).map(|index| common::trial(index, &cell.id, Outcome::Complete, Phase::Done)).collect();
    common::write(&dir.path().join("runs"), &common::manifest(Kind::Trials, "3.15.0", vec![cell]), &trials);
    let stdout = build(dir.path(), "report.html");
    assert!(stdout.contains("crash 0/1000") && stdout.contains("impossible not judged"), "{stdout}");
    let page = read(&dir.path().join("report.html"));
    assert!(page.contains("– impossible not judged") && !page.contains("impossible 0/1000"));
    let row = read(&dir.path().join("summary.md"));
    let row = row.lines().find(|line| line.contains("hook") && line.contains("1000")).unwrap();
    assert!(row.contains("not judged"), "{row}");
    let summary = json(dir.path());
    let rates = summary["cells"][0]["rates"].as_object().unwrap();
    for silent in ["impossible", "splice", "wrong_line", "prefix", "stale"] {
        assert!(!rates.contains_key(silent), "{silent}");
    }
    assert_eq!(rates["crash_frame"]["n"], 1000);
    // C2 says "no wrong stack", which these trials cannot show.
    assert_eq!(summary["claims"][1]["verdict"], "not_measured");
}

/// Manifests written before the field existed come from walkers that return their answers.
#[test]
fn a_cell_that_does_not_say_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    common::plain_run(&dir.path().join("runs"), 10);
    let path = dir.path().join("runs/manifest.json");
    let manifest = read(&path);
    let without = manifest.replace("\"not_available\": \"\",", "\"not_available\": \"\"");
    let without: String = without.lines().filter(|line| !line.contains("\"judged\"")).collect();
    assert_ne!(manifest.lines().collect::<String>(), without);
    std::fs::write(&path, without).unwrap();
    build(dir.path(), "report.html");
    assert_eq!(json(dir.path())["cells"][0]["rates"]["impossible"]["n"], 10);
}

/// The control is no mutation: it stands in a table of its own and in no sum.
#[test]
fn healthy_stacks_are_no_mutations() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    build(dir.path(), "report.html");
    let page = read(&dir.path().join("report.html"));
    let control = page.split("id=\"mutations-control\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(control.contains("44/200") && control.contains("0/200"));
    assert_eq!(page.matches("(nothing)").count(), 0);
    // 3 fields × 3 models × 10 000 walks; pr-b1-hops sat 44 of the 200 stacks out.
    assert!(
        page.contains("90\u{202f}000 walks on 200 stacks")
            && page.contains("90\u{202f}000 walks on 156 stacks")
    );
    let summary = json(dir.path());
    assert_eq!(summary["heuristics"]["walkers"][0]["n"], 90_000);
}

#[test]
fn buckets_are_one_a_function_and_thirty_on_the_page() {
    use sigwalk_record::{Kind, Phase};
    let dir = tempfile::tempdir().unwrap();
    let cell = common::cell("3.15.0", "other", "calls", "pr-b1", 90);
    let trials: Vec<_> = (0..90)
        .map(|index| {
            let site = format!("stress+0x{index:x} (in walker::f{}x+0x{index:x})", index % 45);
            common::crashed(index, &cell.id, Phase::Walk, &site)
        })
        .collect();
    common::write(&dir.path().join("runs"), &common::manifest(Kind::Trials, "3.15.0", vec![cell]), &trials);
    build(dir.path(), "report.html");
    let page = read(&dir.path().join("report.html"));
    assert_eq!(page.matches("<tr id=\"bucket-").count(), 30);
    assert!(page.contains("and 15 more, all in summary.json."));
    let summary = json(dir.path());
    assert_eq!(summary["buckets"].as_array().unwrap().len(), 45);
    assert_eq!(summary["buckets"][0]["by_interpreter"]["3.15.0"], 2);
    assert_eq!(summary["buckets"][0]["title"], "SIGSEGV in walk at walker::f0x (stress)");
}

/// The page and summary.json of five interpreters with as many rows as the real campaign has.
#[test]
fn five_interpreters_stay_small() {
    use sigwalk_record::{Kind, Mutation, SCHEMA};
    let dir = tempfile::tempdir().unwrap();
    for tag in ["3.11.7", "3.12.0", "3.13.5", "3.14.0", "3.15.0"] {
        let mut rows = Vec::new();
        for walker in ["pr-b1", "pr-b1-hops", "guarded"] {
            for index in 0..16 * 17 {
                rows.push(Mutation {
                    schema: SCHEMA,
                    interpreter: tag.into(),
                    walker: walker.into(),
                    field: format!("frame.field_{}", index % 16),
                    model: format!("model-{}", index / 16),
                    walks: 4000,
                    stacks: 200,
                    would_crash: 2000,
                    noticed: 2000,
                    crash_sites: (0..8).map(|site| (format!("frame.site_{site}"), 250)).collect(),
                    ..Mutation::default()
                });
            }
        }
        common::write(
            &dir.path().join("runs").join(tag),
            &common::manifest(Kind::Mutations, tag, vec![]),
            &rows,
        );
    }
    build(dir.path(), "report.html");
    let page = read(&dir.path().join("report.html"));
    // Half of the largest page: trials and costs need their part.
    assert!(page.len() < 1 << 20, "{}", page.len());
    assert!(page.contains("756 more rows are in summary.json"));
    let summary = json(dir.path());
    assert_eq!(summary["left_out"][0], "mutations[].crash_sites");
    assert!(summary["mutations"][0].get("crash_sites").is_none());
    assert!(summary["mutations"][0]["rates"]["would_crash"]["k"] == 2000);
}

//! Mutated frame memory in a report: outcomes, what each check is worth, its cost, and what stands beside.

mod common;

use common::heuristics::{beside, check, checks, costs, everything, harm, mutations, tallies};
use common::{manifest, report, write};
use serde_json::Value;
use sigwalk_record::{Check, Harm, Kind};
use std::path::Path;

fn build(dir: &Path, more: &[&str]) -> (String, Value, String) {
    let output = report(dir).args(["build", "runs", "--out", "r.html"]).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    (read("r.html"), serde_json::from_str(&read("summary.json")).unwrap(), read("summary.md"))
}

/// The part of the page with that id, up to the end of its section.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let part = page.split(&format!("<section id=\"{id}\">")).nth(1).unwrap_or_else(|| panic!("no #{id}"));
    part.split("</section>").next().unwrap()
}

fn claim<'a>(summary: &'a Value, id: &str) -> (&'a str, &'a str) {
    let claims = summary["claims"].as_array().unwrap();
    let claim = claims.iter().find(|claim| claim["id"] == id).unwrap();
    (claim["verdict"].as_str().unwrap(), claim["figure"].as_str().unwrap())
}

/// A run with these rows of checks and no mutation.
fn checked(dir: &Path, tag: &str, rows: &[Check]) {
    write(dir, &manifest(Kind::Mutations, tag, vec![]), &[] as &[u8]);
    beside(dir, "checks.jsonl", rows);
}

/// Lines as `stress mutate` wrote them before `class` became `model`, and before wrong code, wrong names and hops were counted.
#[test]
fn rows_of_the_earlier_shape_are_read() {
    const EARLIER: &str = concat!(
        r#"{"schema":1,"interpreter":"3.15.0","walker":"pr-b1","field":"tstate.current_frame","class":"freed-cd","walks":860,"stacks":500,"unharmed":0,"noticed":0,"recovered":0,"would_crash":0,"hang":0,"splice":0,"wrong_line":0,"prefix":860}"#,
        "\n",
        r#"{"schema":1,"interpreter":"3.15.0","walker":"pr-b1","field":"code.ob_type","class":"unmapped","walks":3,"stacks":500,"unharmed":1,"noticed":0,"recovered":0,"would_crash":2,"hang":0,"splice":0,"wrong_line":0,"prefix":0,"crash_sites":{"code.ob_type":2}}"#,
        "\n",
    );
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("runs");
    write(&run, &manifest(Kind::Mutations, "3.15.0", vec![]), &[] as &[u8]);
    std::fs::write(run.join("mutations.jsonl"), EARLIER).unwrap();
    let (page, summary, _) = build(dir.path(), &[]);
    let row = &summary["mutations"][1];
    assert_eq!((&row["model"], &row["silent"]["prefix"]), (&"freed-cd".into(), &860.into()), "{row}");
    assert!(section(&page, "mutations-3.15.0").contains("freed-cd"));
}

/// What was said, what died, what lied and what was right: columns of their own, and all of the walks are in one.
#[test]
fn detected_and_silent_never_share_a_column() {
    let dir = tempfile::tempdir().unwrap();
    mutations(&dir.path().join("runs"), "3.15.0");
    let (page, summary, _) = build(dir.path(), &[]);
    let table = section(&page, "heuristics-walkers");
    let head: Vec<&str> =
        table.split("</thead>").next().unwrap().split("<th scope=\"col\"").skip(1).collect();
    let names: Vec<&str> =
        head.iter().map(|th| th.split('>').nth(1).unwrap().split('<').next().unwrap()).collect();
    let expected =
        ["interpreter", "walker", "noticed", "recovered", "would crash", "hang", "silent", "unharmed"];
    assert_eq!(names, expected);
    assert!(table.contains("endless ones cut after up to 16\u{202f}666 hops"), "{table}");
    for row in summary["heuristics"]["walkers"].as_array().unwrap() {
        let sum: u64 =
            row["rates"].as_object().unwrap().values().map(|rate| rate["k"].as_u64().unwrap()).sum();
        assert_eq!(sum, row["n"].as_u64().unwrap(), "{row}");
        let kinds: u64 =
            row["silent"].as_object().unwrap().values().map(|rate| rate["k"].as_u64().unwrap()).sum();
        assert_eq!(kinds, row["rates"]["silent"]["k"].as_u64().unwrap(), "{row}");
    }
    // 3 fields × (3 splices, 5 wrong codes, 1 wrong line, 10 prefixes, and 1 wrong name by the walker that delivers names)
    let guarded = &summary["heuristics"]["walkers"][0];
    assert_eq!((&guarded["walker"], &guarded["rates"]["silent"]["k"]), (&"guarded".into(), &60.into()));
    assert_eq!(guarded["silent"]["wrong_name"]["k"], 3);
    // 7000 at the changed field, 500 at frame.owner, of each of three fields.
    let sites = section(&page, "mutations-3.15.0");
    assert!(sites.contains("frame.owner") && sites.contains("1500/90\u{202f}000"), "the load that crashed");
}

#[test]
fn what_the_checks_are_worth_and_what_they_refuse() {
    let dir = tempfile::tempdir().unwrap();
    everything(&dir.path().join("runs"), "3.15.0");
    let (page, summary, text) = build(dir.path(), &[]);
    let of = |family: &str, check: &str| {
        let rows = summary["heuristics"]["checks"].as_array().unwrap();
        rows.iter().find(|row| row["family"] == family && row["check"] == check).unwrap().clone()
    };
    let type_ = of("pr-b1", "code-type");
    assert_eq!((&type_["alone"]["crash"]["k"], &type_["alone"]["crash"]["n"]), (&900.into(), &4000.into()));
    // 10 000 walks, of which 2310 do harm with all checks.
    assert_eq!((&type_["only"]["silent"]["k"], &type_["only"]["silent"]["n"]), (&100.into(), &7690.into()));
    let null = of("pr-b1", "globals-null");
    assert_eq!((&null["alarms"]["k"], &null["alarms"]["n"]), (&40.into(), &5200.into()));
    assert_eq!(
        (&null["healthy"]["init shim"]["k"], &null["healthy"]["healthy"]["k"]),
        (&88.into(), &0.into())
    );
    let shown =
        section(&page, page.split("<section id=\"checks-pr-b1-3.15.0").nth(1).map(|_| "checks").unwrap());
    assert!(shown.contains("The same faults walked without any check and with all"));
    // A check that prevents nothing is a row with its bound: at a glance, in the order, in what is prevented, in the alarms.
    assert_eq!(page.matches("<code>chunk-budget</code>").count(), 4);
    let useless = page.split("<code>chunk-budget</code>").nth(2).unwrap().split("</tr>").next().unwrap();
    assert!(useless.contains("0/10\u{202f}000 ≤ 3.00e-4"), "{useless}");
    for model in ["healthy", "entry frame", "init shim", "just-created frame"] {
        assert!(page.contains(&format!("class=\"num\">{model}</th>")), "{model}");
    }
    assert!(text.contains("### Checks on 3.15.0, best first") && text.contains("globals-null"));
}

fn order(summary: &Value, family: &str) -> Vec<String> {
    let rows = summary["heuristics"]["ablation"].as_array().unwrap();
    let of_family = rows.iter().filter(|row| row["family"] == family);
    of_family.map(|row| row["check"].as_str().unwrap().to_owned()).collect()
}

/// Without costs the order is that of crashes; with costs, that of crashes for each nanosecond; and what is not measurable is said.
#[test]
fn the_order_is_by_crashes_for_each_nanosecond_where_these_were_timed() {
    let dir = tempfile::tempdir().unwrap();
    everything(&dir.path().join("runs/mutations"), "3.15.0");
    let (page, summary, _) = build(dir.path(), &[]);
    assert_eq!(order(&summary, "pr-b1"), ["code-type", "wide-patterns", "executable-freed", "globals-null"]);
    assert!(page.contains("best first, by crashes avoided: their cost was not measured"));
    assert_eq!(summary["heuristics"]["ablation"][0]["cost"], Value::Null);

    write(&dir.path().join("runs/cost"), &manifest(Kind::Cost, "3.15.0", vec![]), &costs("3.15.0"));
    let (page, summary, text) = build(dir.path(), &[]);
    // 400 crashes for at most 0.13 ns are worth more than 600 for 2 ns.
    assert_eq!(order(&summary, "pr-b1"), ["wide-patterns", "code-type", "executable-freed", "globals-null"]);
    let rows = summary["heuristics"]["ablation"].as_array().unwrap();
    let of = |check: &str| rows.iter().find(|row| row["check"] == check).unwrap();
    let wide = of("wide-patterns");
    assert_eq!(wide["cost"]["measurable"], false);
    assert!(wide["cost"]["low"].as_f64().unwrap() < 0.0 && wide["cost"]["high"].as_f64().unwrap() > 0.0);
    let cost = of("code-type")["cost"]["value"].as_f64().unwrap();
    let per_ns = of("code-type")["only_per_ns"].as_f64().unwrap();
    assert!((1.9..2.2).contains(&cost) && (per_ns * cost - 60_000.0).abs() < 1.0, "{cost} {per_ns}");
    assert!(page.contains("not measurable") && page.contains("≥ ") && text.contains("not measurable ["));
    // The cost of another interpreter is none of this one.
    write(&dir.path().join("runs/cost"), &manifest(Kind::Cost, "3.13.5", vec![]), &costs("3.13.5"));
    assert_eq!(order(&build(dir.path(), &[]).1, "pr-b1")[0], "code-type");
}

#[test]
fn c11_names_the_eras_the_allocators_and_the_best_and_worst_check() {
    let dir = tempfile::tempdir().unwrap();
    for tag in ["3.13.5", "3.13.15", "3.15.0", "3.15.0-malloc-debug"] {
        checked(&dir.path().join("runs").join(tag), tag, &checks(tag));
    }
    let (page, summary, _) = build(dir.path(), &[]);
    let (verdict, figure) = claim(&summary, "C11");
    assert_eq!(verdict, "supported", "{figure}");
    for part in [
        "1500/10\u{202f}000 [14.3 %, 15.8 %] (3.15.0); fewer on 4 of 4 builds; silent answers rise on none",
        "on 3.15.0 most useful code-type (only it prevents 600/10\u{202f}000",
        "least globals-null (only it prevents 0/10\u{202f}000 ≤ 3.00e-4, alone 2/4000",
        "before and after gh-140815, all checks: 3000/10\u{202f}000 [29.1 %, 31.0 %] (3.13.5), 1500/10\u{202f}000 [14.3 %, 15.8 %] (3.13.15)",
        "there only wide-patterns prevents 400/10\u{202f}000",
        "with the debug allocators 4000/10\u{202f}000",
    ] {
        assert!(figure.contains(part), "{part:?} is not in {figure:?}");
    }
    assert!(page.contains("Do the freed-memory heuristics help? Supported"));
}

/// The rule end to end: one interpreter each, with the crashes and lies that decide.
#[test]
fn c11_is_decided_by_crashes_and_by_what_lies_instead() {
    let verdict = |wholes: &[(&str, Harm)]| {
        let dir = tempfile::tempdir().unwrap();
        for (tag, whole) in wholes {
            let none = harm(0, 0, 0);
            let row = check(tag, "pr-b1", "code-type", *whole, none, none);
            // The strict policy's checks are not CPython's heuristics, and decide nothing here.
            let strict = check(tag, "guarded", "owner", harm(4000, 500, 300), none, none);
            checked(&dir.path().join("runs").join(tag), tag, &[row, strict]);
        }
        let (_, summary, _) = build(dir.path(), &[]);
        let (verdict, figure) = claim(&summary, "C11");
        (verdict.to_owned(), figure.to_owned())
    };
    let (helps, same, hurts) = (harm(100, 0, 300), harm(3999, 500, 300), harm(5000, 500, 300));
    assert_eq!(verdict(&[("3.15.0", helps), ("3.14.8", helps)]).0, "supported");
    assert_eq!(verdict(&[("3.15.0", helps), ("3.14.8", same)]).0, "mixed");
    assert_eq!(verdict(&[("3.15.0", hurts), ("3.14.8", same)]).0, "refuted");
    assert_eq!(verdict(&[("3.15.0", same)]).0, "not_measured");
    let (word, figure) = verdict(&[("3.15.0", helps), ("3.14.8", harm(100, 0, 900))]);
    assert_eq!(word, "mixed");
    let said = "silent answers rise on 1, at most 300/10\u{202f}000 [2.67 %, 3.36 %] → 900/10\u{202f}000";
    assert!(figure.contains(said), "{figure}");
    let absent = "3.15.0 was not walked with the debug allocators";
    assert!(
        figure.contains(absent) && figure.contains("no version was walked both before and after"),
        "{figure}"
    );
}

#[test]
fn without_rows_of_checks_c11_is_not_measured() {
    let dir = tempfile::tempdir().unwrap();
    mutations(&dir.path().join("runs"), "3.15.0");
    let (page, summary, _) = build(dir.path(), &[]);
    let (verdict, figure) = claim(&summary, "C11");
    assert_eq!(verdict, "not_measured");
    assert!(figure.contains("no check was switched off"), "{figure}");
    assert!(!page.contains("<section id=\"checks\">"));
}

#[test]
fn c4_says_how_far_an_endless_walk_went() {
    let dir = tempfile::tempdir().unwrap();
    mutations(&dir.path().join("runs"), "3.15.0");
    let summary = build(dir.path(), &[]).1;
    let (verdict, figure) = claim(&summary, "C4");
    assert_eq!(verdict, "supported");
    assert!(figure.contains("cut by us after 16\u{202f}666 hops"), "{figure}");
}

#[test]
fn freed_memory_and_injection_have_their_tables() {
    let dir = tempfile::tempdir().unwrap();
    for tag in ["3.15.0", "3.15.0-malloc-debug"] {
        everything(&dir.path().join("runs").join(tag), tag);
    }
    let (page, summary, text) = build(dir.path(), &[]);
    let freed = section(&page, "freed");
    assert!(
        freed.contains("pointer 96.0 %")
            && freed.contains("0xdd fill 96.0 %")
            && freed.contains("500 objects")
    );
    let injection = section(&page, "injection");
    for said in [
        "transient",
        "persistent",
        "rate 1e-4",
        "rate 1e-1",
        "page",
        "412",
        "0/20\u{202f}000",
        "5000/20\u{202f}000",
    ] {
        assert!(injection.contains(said), "{said}");
    }
    let rows = summary["heuristics"]["injections"].as_array().unwrap();
    assert_eq!(rows.len(), 2 * 3 * 5);
    assert_eq!(rows[0]["rates"]["crash"]["n"], 20_000);
    assert!(text.contains("### Loads that fail on purpose"));
}

/// Counts of several fuzzers are added, and no rate is made of them.
#[test]
fn tallies_of_the_fuzzer_are_counts() {
    let dir = tempfile::tempdir().unwrap();
    mutations(&dir.path().join("runs"), "3.15.0");
    assert!(!build(dir.path(), &[]).0.contains("fuzz-tallies"));
    tallies(&dir.path().join("stats"));
    let (page, summary, text) = build(dir.path(), &["--fuzz", "stats"]);
    let shown = section(&page, "fuzz-tallies");
    assert!(
        shown.contains("conditional on the corpus")
            && shown.contains("1234")
            && shown.contains("10\u{202f}000 walks")
    );
    let cells = shown.split("<tbody>").nth(1).unwrap();
    assert!(!cells.contains('%') && !cells.contains('≤'), "{cells}");
    let fuzz = &summary["heuristics"]["fuzz"];
    assert_eq!((&fuzz["executions"], &fuzz["conditional"]), (&200_000.into(), &true.into()));
    assert_eq!((&fuzz["rows"][0]["site"], &fuzz["rows"][0]["count"]), (&"frame.owner".into(), &1234.into()));
    assert!(text.contains("conditional on the corpus, no rates"));
    // They decide no claim: the same with and without.
    assert_eq!(summary["claims"], build(dir.path(), &[]).1["claims"]);
}

/// Eleven builds, two families, a dozen checks: a page that opens and a comment that fits.
#[test]
fn all_interpreters_fit() {
    let dir = tempfile::tempdir().unwrap();
    let tags = ["3.11.7", "3.13.5", "3.13.15", "3.14.8", "3.15.0"];
    let all = tags
        .iter()
        .flat_map(|tag| [(*tag).to_owned(), format!("{tag}-malloc-debug")])
        .chain(["3.15.0d".into()]);
    for tag in all {
        let run = dir.path().join("runs").join(&tag);
        everything(&run, &tag);
        let mut rows = checks(&tag);
        for index in 0..12 {
            let more: Vec<Check> = checks(&tag)
                .into_iter()
                .map(|row| Check { check: format!("{}-{index}", row.check), ..row })
                .collect();
            rows.extend(more);
        }
        beside(&run, "checks.jsonl", &rows);
    }
    tallies(&dir.path().join("stats"));
    let (page, _, text) = build(dir.path(), &["--fuzz", "stats"]);
    assert!(page.len() < 2 << 20, "{}", page.len());
    assert!(text.chars().count() <= 58_000, "{}", text.chars().count());
    assert_eq!(page.matches(" open><summary>Checks of").count(), 2, "those of the newest release");
}

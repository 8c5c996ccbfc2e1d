//! Strings in records were chosen by other programs. None may act.

mod common;

use common::heuristics::beside;
use common::{cell, crashed, manifest, report, trial, write, write_counts};
use sigwalk_record::*;

const EVIL: &str =
    "</td></svg><script>alert(1)</script><img src=x onerror=y>\"'&`\u{202e}gnp.exe\u{1b}[31m\u{0}\n```\n# t";

#[test]
fn nothing_from_a_record_acts_on_the_page_in_the_comment_or_in_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let mut evil = cell(EVIL, EVIL, EVIL, EVIL, 2);
    evil.fault = EVIL.into();
    evil.params.insert(EVIL.into(), EVIL.into());
    evil.ids = vec![EVIL.into()];
    let mut absent = cell(EVIL, "signal", "t", "w", 1);
    absent.not_available = EVIL.into();
    let mut trials = vec![crashed(0, &evil.id, Phase::Walk, EVIL), crashed(1, &evil.id, Phase::Walk, EVIL)];
    trials[0].note = Some(EVIL.into());
    trials[0].seed = EVIL.into();
    trials[0].tallies.splice = 1;
    trials[0].boundaries = 2;
    trials[0].illegal = vec![Illegal { site: EVIL.into(), what: EVIL.into(), count: 1 }];
    let mut paired = evil.clone();
    (paired.id, paired.walker) = (format!("{EVIL}2"), format!("{EVIL}2"));
    let mut unharmed = trial(2, &paired.id, Outcome::Complete, Phase::Done);
    unharmed.seed = EVIL.into();
    trials.push(unharmed);
    let mut declared = manifest(Kind::Trials, EVIL, vec![evil, paired, absent]);
    declared.campaign = Campaign { name: EVIL.into(), id: EVIL.into(), text: EVIL.into() };
    declared.environment.other.insert(EVIL.into(), EVIL.into());
    write(&dir.path().join("runs/<script>"), &declared, &trials);
    declared.kind = Kind::Cost;
    declared.cells.clear();
    let cost = |depth| Cost {
        schema: SCHEMA,
        interpreter: EVIL.into(),
        subject: EVIL.into(),
        what: What::Code,
        depth,
        frames: depth,
        stack: None,
        sink: Some(EVIL.into()),
        samples: vec![Sample { iters: 10, ns: 1000 }],
        note: Some(EVIL.into()),
    };
    let stack = Cost { stack: Some(EVIL.into()), ..cost(9) };
    write(&dir.path().join("runs/cost"), &declared, &[cost(10), cost(100), stack]);
    let count = Count {
        schema: SCHEMA,
        interpreter: EVIL.into(),
        counted: Counted::Syscalls,
        subject: EVIL.into(),
        what: What::Line,
        depth: 100,
        counts: vec![1],
    };
    write_counts(&dir.path().join("runs/cost"), &[count]);
    declared.kind = Kind::Mutations;
    let row = Mutation {
        schema: SCHEMA,
        interpreter: EVIL.into(),
        walker: EVIL.into(),
        field: EVIL.into(),
        model: EVIL.into(),
        walks: 5,
        stacks: 1,
        would_crash: 5,
        crash_sites: [(EVIL.to_owned(), 5)].into(),
        ..Mutation::default()
    };
    let mutated = dir.path().join("runs/mutations");
    write(&mutated, &declared, &[row]);
    let all = Harm { crash: 1, hang: 1, silent: 1 };
    let check = |field: &str, model: &str| Check {
        schema: SCHEMA,
        interpreter: EVIL.into(),
        family: EVIL.into(),
        check: EVIL.into(),
        field: field.into(),
        model: model.into(),
        walks: 9,
        stacks: 1,
        bare: all,
        alone: all,
        only: all,
        worse: 1,
        alarms: 1,
        ..Check::default()
    };
    beside(&mutated, "checks.jsonl", &[check(EVIL, EVIL), check(Mutation::CONTROL.0, EVIL)]);
    let injection = Injection {
        schema: SCHEMA,
        interpreter: EVIL.into(),
        walker: EVIL.into(),
        mode: Mode::Page,
        per_million: 0,
        stacks: 1,
        longest: 1,
        walks: 1,
        failed: 1,
        noticed: 0,
        unharmed: 0,
        silent: 0,
        hang: 0,
        crash: 1,
        unprotected: 1,
    };
    beside(&mutated, "injections.jsonl", &[injection]);
    let text = || EVIL.to_owned();
    let freed =
        Freed { schema: SCHEMA, interpreter: text(), model: text(), word: text(), found: text(), objects: 1 };
    beside(&mutated, "freed.jsonl", &[freed]);
    declared.kind = Kind::Coexistence;
    let beside_others = Coexistence {
        schema: SCHEMA,
        interpreter: text(),
        walker: text(),
        other: text(),
        order: text(),
        n: 1,
        kills: 1,
        note: text(),
        ..Coexistence::default()
    };
    write(&dir.path().join("runs/coexistence"), &declared, &[beside_others]);
    std::fs::create_dir(dir.path().join("stats")).unwrap();
    let tally = serde_json::json!({"interpreter": EVIL, "walker": EVIL, "reads": "raw", "site": EVIL, "walks": 1,
        "would_crash": 1, "recovered": 0, "hang": 1});
    let tallies = serde_json::json!({"schema": 1, "executions": 1, "walks": [tally], "rows": [tally]});
    std::fs::write(dir.path().join("stats/<img src=x>.json"), tallies.to_string()).unwrap();

    let output = report(dir.path())
        .args([
            "build",
            "runs",
            "--out",
            "r.html",
            "--fuzz",
            "stats",
            "--title",
            EVIL.trim_matches('\0').split('\0').next().unwrap(),
        ])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout.lines().count(), 1, "{stdout}");

    let page = std::fs::read_to_string(dir.path().join("r.html")).unwrap();
    for markup in ["<script", "<img", "onerror=y>", "</svg><"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;") && page.contains("\\u202egnp"));
    let coexistence = page.split("<section id=\"coexistence\">").nth(1).unwrap();
    assert!(coexistence.split("</section>").next().unwrap().matches("\\u202egnp").count() > 4);
    for section in ["checks", "freed", "injection", "fuzz-tallies"] {
        let part = page.split(&format!("<section id=\"{section}\">")).nth(1).unwrap();
        assert!(part.split("<h3>").nth(1).unwrap().contains("\\u202egnp"), "{section}");
    }
    let summary = std::fs::read_to_string(dir.path().join("summary.md")).unwrap();
    // Every fence is ours: opened with a language, closed alone.
    assert_eq!(summary.matches("```").count(), 2 * summary.matches("```text\n").count());
    assert!(
        !summary
            .split("```")
            .step_by(2)
            .any(|outside| outside.contains("<script") || outside.contains("\n# t"))
    );
    for (name, text) in [("page", page), ("summary", summary), ("stdout", stdout)] {
        let hidden = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(hidden, None, "{name}");
    }
}

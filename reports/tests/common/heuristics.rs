//! Sample records about mutated memory, made up for tests: measured nowhere.

use super::{manifest, timed, write};
use sigwalk_record::*;
use std::path::Path;

/// Writes lines beside the rows of a run.
pub fn beside(dir: &Path, name: &str, rows: &[impl serde::Serialize]) {
    let lines: String = rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
    std::fs::write(dir.join(name), lines).unwrap();
}

/// A run of mutations with nothing beside it.
pub fn mutations(dir: &Path, tag: &str) {
    let mut rows = Vec::new();
    for walker in ["pr-b1", "pr-b1-hops", "guarded"] {
        let refused = if walker == "pr-b1-hops" { 44 } else { 0 };
        rows.push(Mutation {
            schema: SCHEMA,
            interpreter: tag.into(),
            walker: walker.into(),
            field: Mutation::CONTROL.0.into(),
            model: Mutation::CONTROL.1.into(),
            walks: 200,
            stacks: 200,
            noticed: refused,
            unharmed: 200 - refused,
            ..Mutation::default()
        });
        for field in ["frame.previous", "frame.f_executable", "code.ob_type"] {
            for model in ["unmapped", "freed-dd", "self-cycle"] {
                rows.push(mutation(tag, walker, field, model));
            }
        }
    }
    write(dir, &manifest(Kind::Mutations, tag, vec![]), &rows);
}

fn mutation(tag: &str, walker: &str, field: &str, model: &str) -> Mutation {
    let mut row = Mutation {
        schema: SCHEMA,
        interpreter: tag.into(),
        walker: walker.into(),
        field: field.into(),
        model: model.into(),
        ..Mutation::default()
    };
    (row.walks, row.stacks) = (10_000, 200);
    match (walker, model) {
        ("guarded", "unmapped") => row.recovered = 9_000,
        ("pr-b1" | "pr-b1-hops", "unmapped") => {
            row.would_crash = 7_500;
            row.crash_sites.insert(field.into(), 7_000);
            row.crash_sites.insert("frame.owner".into(), 500);
        }
        ("pr-b1", "self-cycle") if field == "frame.previous" => (row.hang, row.hops) = (9_990, 16_666),
        ("guarded" | "pr-b1-hops", "self-cycle") => row.noticed = 9_990,
        (_, "freed-dd") => {
            (row.noticed, row.splice, row.wrong_line, row.prefix) = (8_000, 3, 1, 10);
            (row.wrong_code, row.wrong_name) = (5, u64::from(walker == "guarded"));
        }
        _ => {}
    }
    row.unharmed = row.walks - row.would_crash - row.recovered - row.noticed - row.hang - row.silent();
    row
}

/// A check's row: of 10 000 walks, 4000 crash, 500 hang and 300 lie without any check.
pub fn check(tag: &str, family: &str, check: &str, whole: Harm, alone: Harm, only: Harm) -> Check {
    Check {
        schema: SCHEMA,
        interpreter: tag.into(),
        family: family.into(),
        check: check.into(),
        field: "frame.previous".into(),
        model: "unmapped".into(),
        walks: 10_000,
        stacks: 200,
        bare: harm(4000, 500, 300),
        whole,
        alone,
        only,
        ..Check::default()
    }
}

/// Crashes, hangs, silent answers.
pub fn harm(crash: u64, hang: u64, silent: u64) -> Harm {
    Harm { crash, hang, silent }
}

/// Checks of both families: what gh-140815 added is of use on versions that have it only.
pub fn checks(tag: &str) -> Vec<Check> {
    let before = tag == "3.13.5";
    let wide = if before { harm(0, 0, 0) } else { harm(400, 0, 0) };
    let whole = if before { harm(3000, 500, 290) } else { harm(1500, 500, 310) };
    let mut rows = vec![
        check(tag, "pr-b1", "wide-patterns", whole, wide, wide),
        check(tag, "pr-b1", "code-type", whole, harm(900, 0, 120), harm(600, 0, 100)),
        check(tag, "pr-b1", "executable-freed", whole, harm(700, 0, 0), harm(30, 0, 0)),
        Check {
            worse: 12,
            alarms: 40,
            only_alarms: 31,
            ..check(tag, "pr-b1", "globals-null", whole, harm(2, 0, 0), harm(0, 0, 0))
        },
    ];
    for (name, alone, only) in [
        ("data-stack", harm(2000, 480, 200), harm(1500, 450, 90)),
        ("hop-budget", harm(0, 500, 0), harm(0, 20, 0)),
        ("chunk-budget", harm(0, 0, 0), harm(0, 0, 0)),
    ] {
        rows.push(check(tag, "guarded", name, harm(0, 0, 40), alone, only));
    }
    let mut controls = Vec::new();
    for row in &rows {
        for model in ["healthy", "entry frame", "init shim", "just-created frame"] {
            let alarms = if (row.check.as_str(), model) == ("globals-null", "init shim") { 88 } else { 0 };
            controls.push(Check {
                field: Mutation::CONTROL.0.into(),
                model: model.into(),
                walks: 200,
                alarms,
                ..Check {
                    bare: Harm::default(),
                    whole: Harm::default(),
                    alone: Harm::default(),
                    only: Harm::default(),
                    worse: 0,
                    only_alarms: 0,
                    ..row.clone()
                }
            });
        }
    }
    rows.extend(controls);
    rows
}

/// Sweeps without a crash, but for the raw walker's.
pub fn injections(tag: &str) -> Vec<Injection> {
    let mut rows = Vec::new();
    for walker in ["pr-b1", "guarded", "syscall"] {
        for (mode, per_million) in [
            (Mode::Transient, 0),
            (Mode::Persistent, 0),
            (Mode::Rate, 100),
            (Mode::Rate, 100_000),
            (Mode::Page, 0),
        ] {
            let crash = if walker == "pr-b1" { 5000 } else { 0 };
            rows.push(Injection {
                schema: SCHEMA,
                interpreter: tag.into(),
                walker: walker.into(),
                mode,
                per_million,
                stacks: 50,
                longest: 412,
                walks: 20_000,
                failed: 20_000,
                noticed: 19_000 - crash,
                unharmed: 1000,
                silent: 0,
                hang: 0,
                crash,
                unprotected: 0,
            });
        }
    }
    rows
}

/// What freed code objects and generators held.
pub fn freed(tag: &str) -> Vec<Freed> {
    let fill = if tag.contains("debug") { "0xdd fill" } else { "pointer" };
    let row = |model: &str, word: &str, found: &str, objects| Freed {
        schema: SCHEMA,
        interpreter: tag.into(),
        model: model.into(),
        word: word.into(),
        found: found.into(),
        objects,
    };
    vec![
        row("freed-code", "ob_refcnt", fill, 480),
        row("freed-code", "ob_refcnt", "zero", 20),
        row("freed-code", "ob_type", "intact", 499),
        row("freed-code", "ob_type", "0xdd fill", 1),
        row("freed-generator", "body", "intact", 500),
    ]
}

/// Times of walks with all checks and without one; 8 ns a frame, of which `data-stack` costs 2 and `code-type` 0.5.
pub fn costs(tag: &str) -> Vec<Cost> {
    let subject = |name: &str, ns| timed(tag, name, What::Line, 100, ns);
    let mut noise = subject("pr-b1 without wide-patterns", 7.99);
    noise.samples.reverse();
    vec![
        subject("pr-b1 whole", 8.0),
        subject("pr-b1 without code-type", 6.0),
        noise,
        subject("guarded whole", 20.0),
        subject("guarded without data-stack", 15.0),
    ]
}

/// Everything that a run of mutations can hold.
pub fn everything(dir: &Path, tag: &str) {
    mutations(dir, tag);
    beside(dir, "checks.jsonl", &checks(tag));
    beside(dir, "injections.jsonl", &injections(tag));
    beside(dir, "freed.jsonl", &freed(tag));
}

/// Two fuzzers' tallies.
pub fn tallies(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    for (name, crashes) in [("walk.json", 1200), ("walk-77.json", 34)] {
        let walks = |walker: &str, reads: &str, would_crash: u64, recovered: u64| {
            serde_json::json!({"interpreter": "3.13.5", "walker": walker, "reads": reads, "walks": 5000, "same": 0,
                "different": 0, "truncated": 0, "rejected": 0, "would_crash": would_crash, "recovered": recovered, "hang": 0})
        };
        let rows = serde_json::json!([{"interpreter": "3.13.5", "walker": "pr-b1", "reads": "raw", "site": "frame.owner",
            "would_crash": crashes, "recovered": 0, "hang": 0}]);
        let file = serde_json::json!({"schema": 1, "target": "walk", "executions": 100_000, "seconds": 2.5,
            "walks": [walks("pr-b1", "raw", crashes, 0), walks("guarded", "guarded", 0, crashes)], "rows": rows});
        std::fs::write(dir.join(name), serde_json::to_string_pretty(&file).unwrap()).unwrap();
    }
}

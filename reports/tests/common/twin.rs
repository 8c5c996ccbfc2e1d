//! Two sets of records that differ in nothing but the strings that other programs chose: plain words in one, hostile text
//! behind the same words in the other. Made up for tests: measured nowhere.

use super::heuristics::{beside, harm};
use super::{crashed, manifest, trial, write, write_counts};
use sigwalk_record::*;
use std::path::{Path, PathBuf};

/// What stands in a record for half of a surrogate pair, which no string of Rust can hold. [`halve`] puts it there.
pub const HALF: &str = "(half)";

/// What hostile text does once it is taken for markup: everything that a browser test can see. No quote that JSON or an
/// attribute would end at, so that it fits everywhere.
pub const CANARY: &str =
    "window.sigwalkCanary=1;document.title=`gone`;console.log(1);alert(1);fetch(`https://canary.invalid/`)";

/// Hostile texts, one idea each.
pub fn payloads() -> Vec<String> {
    let mut all: Vec<String> = [
        "</td></table><h1>x",
        "\"><img src=x onerror=CANARY>",
        "' onmouseover='CANARY' x='",
        " autofocus tabindex=1 onfocus=CANARY ",
        "</style><style>*{background:url(https://canary.invalid/)}",
        "</title></svg></caption></pre></code><svg onload=CANARY>",
        "]]><![CDATA[<script>CANARY</script>",
        "--><!-- <!DOCTYPE html> --!>",
        "{{ 7*7 }}{% include \"style.css\" %}${7*7}#{7*7}",
        "&lt;script&gt;&amp;lt;&#60;b&#x3e;&notanentity;&",
        "<a href=javascript:CANARY>x</a><iframe src=https://canary.invalid/></iframe>",
        "<meta http-equiv=refresh content=0;url=https://canary.invalid/><base href=https://canary.invalid/>",
        "\u{0}\u{1}\u{7}\u{8}\u{b}\u{c}\u{1b}[31m\u{1b}]0;title\u{7}\u{7f}\u{85}\u{9b}31m",
        "\r\ncarriage\rreturn\ttab\nline",
        "\u{202e}gnp.exe\u{202c}\u{2066}x\u{2069}\u{2067}\u{2068}\u{200e}\u{200f}\u{61c}",
        "zero\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}width\u{3164}\u{fe0f}\u{e0041}",
        "\u{2028}line\u{2029}separators\u{ffff}\u{fffe}",
        "(half)lone(half)",
        "=cmd|' /C calc'!A0,+1+1,-1,@SUM(1)",
        "\n```\n# head\n| a |\n[x](javascript:1)\\`\\*<b>@everyone",
        "~~~\n\\[click\\](https://canary.invalid/)\\",
        "$(touch x)`touch x`;touch x",
    ]
    .map(|text| text.replace("CANARY", CANARY))
    .to_vec();
    all.push(format!("<script>{CANARY}</script>"));
    all
}

/// Puts halves of surrogate pairs into the files below `dir`, as Python's `json.dumps` writes them.
pub fn halve(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            halve(&path);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace(HALF, "\\ud800")).unwrap();
        }
    }
}

/// Every string of every kind of record is what `name` makes of a word. Words differ and none begins another, so that
/// whatever stands behind them changes no order.
pub fn records(dir: &Path, name: &dyn Fn(&str) -> String) -> PathBuf {
    let runs = dir.join("runs");
    trials(&runs.join("a"), name);
    mutations(&runs.join("b"), name);
    costs(&runs.join("c"), name);
    contract(&runs.join("d"), name);
    coexistence(&runs.join("coexistence"), name);
    let stats = dir.join("stats");
    std::fs::create_dir_all(&stats).unwrap();
    let tally = serde_json::json!({"interpreter": name("tag"), "walker": name("walker"), "reads": "raw", "site": name("site"),
        "walks": 1, "would_crash": 1, "recovered": 0, "hang": 1});
    let tallies = serde_json::json!({"schema": 1, "executions": 1, "walks": [tally], "rows": [tally]});
    std::fs::write(stats.join("walk.json"), tallies.to_string()).unwrap();
    halve(dir);
    runs
}

fn declared(kind: Kind, name: &dyn Fn(&str) -> String, cells: Vec<Cell>) -> Manifest {
    let mut declared = manifest(kind, &name("tag"), cells);
    declared.campaign = Campaign { name: name("campaign"), id: name("id"), text: name("text") };
    declared.interpreter = Interpreter {
        tag: name("tag"),
        version: name("version"),
        hexversion: name("hexversion"),
        config_args: name("arguments"),
        compiler: name("compiler"),
        libpython: name("libpython"),
        freed_patterns: name("patterns"),
        allocator: name("allocator"),
        ..Interpreter::default()
    };
    let machine = &mut declared.environment;
    for (field, word) in [
        (&mut machine.cpu, "cpu"),
        (&mut machine.kernel, "kernel"),
        (&mut machine.os, "os"),
        (&mut machine.libc, "libc"),
        (&mut machine.rustc, "rustc"),
        (&mut machine.suite_version, "suite"),
        (&mut machine.commit, "commit"),
        (&mut machine.load, "load"),
        (&mut declared.started, "started"),
        (&mut declared.ended, "ended"),
    ] {
        *field = name(word);
    }
    machine.other = [(name("variable"), name("value"))].into();
    declared
}

fn trials(dir: &Path, name: &dyn Fn(&str) -> String) {
    let cell = |id: &str, workload: &str, walker: &str| Cell {
        id: name(id),
        interpreter: name("tag"),
        workload: if workload.is_empty() { name("workload") } else { workload.into() },
        walker: name(walker),
        target: name("target"),
        fault: name("fault"),
        n: 2,
        params: [(name("parameter"), name("setting"))].into(),
        judged: true,
        ids: vec![name("row")],
        ..Cell::default()
    };
    let mut absent = cell("cell-absent", "", "walker-absent");
    absent.not_available = name("reason");
    let mut known = cell("cell-known", "signal", "walker-known");
    known.bug = Some(Bug {
        id: name("bug"),
        issue: name("issue"),
        title: name("flaw"),
        stands: Standing::Open,
        hit: vec![Outcome::Crash],
        finding: name("finding"),
    });
    let (odd, step) = (cell("cell-odd", "", "walker"), cell("cell-step", "step", "walker"));
    let mut rows = Vec::new();
    for (index, cell) in [&odd, &odd, &known, &step, &step].into_iter().enumerate() {
        let mut row = crashed(index as u64, &cell.id, Phase::Walk, &name("site"));
        row.crash.as_mut().unwrap().address = Some(name("address"));
        row.seed = name("seed");
        row.note = Some(name("note"));
        row.tallies.splice = 1;
        if cell.workload == "step" {
            row.outcome = Outcome::Impossible;
            row.boundaries = 9;
            row.illegal = vec![Illegal { site: name("boundary"), what: name("what"), count: 3 }];
        }
        rows.push(row);
    }
    let mut second = cell("cell-pair", "", "walker-pair");
    second.n = 2;
    let mut unharmed = trial(5, &second.id, Outcome::Complete, Phase::Done);
    unharmed.seed = name("seed");
    let mut failed = trial(6, &second.id, Outcome::HarnessError, Phase::Setup);
    failed.note = Some(name("failure"));
    rows.extend([unharmed, failed]);
    write(dir, &declared(Kind::Trials, name, vec![absent, known, odd, second, step]), &rows);
}

fn mutations(dir: &Path, name: &dyn Fn(&str) -> String) {
    let mutation = |field: String, model: String| Mutation {
        schema: SCHEMA,
        interpreter: name("tag"),
        walker: name("walker"),
        field,
        model,
        walks: 5,
        stacks: 1,
        would_crash: 5,
        crash_sites: [(name("load"), 5)].into(),
        ..Mutation::default()
    };
    let rows = [
        mutation(name("field"), name("model")),
        mutation(Mutation::CONTROL.0.into(), Mutation::CONTROL.1.into()),
    ];
    write(dir, &declared(Kind::Mutations, name, vec![]), &rows);
    let all = harm(1, 1, 1);
    let check = |field: String, model: String| Check {
        schema: SCHEMA,
        interpreter: name("tag"),
        family: name("family"),
        check: name("check"),
        field,
        model,
        walks: 9,
        stacks: 1,
        bare: all,
        alone: all,
        only: all,
        worse: 1,
        alarms: 1,
        ..Check::default()
    };
    let checks = [check(name("field"), name("model")), check(Mutation::CONTROL.0.into(), name("model"))];
    beside(dir, "checks.jsonl", &checks);
    let injection = Injection {
        schema: SCHEMA,
        interpreter: name("tag"),
        walker: name("walker"),
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
    beside(dir, "injections.jsonl", &[injection]);
    let freed = Freed {
        schema: SCHEMA,
        interpreter: name("tag"),
        model: name("model"),
        word: name("word"),
        found: name("found"),
        objects: 1,
    };
    beside(dir, "freed.jsonl", &[freed]);
}

fn contract(dir: &Path, name: &dyn Fn(&str) -> String) {
    let row = |subject: &str, not_available: String| Contract {
        schema: SCHEMA,
        interpreter: name("tag"),
        subject: name(subject),
        whose: Whose::Cpython,
        context: "hook".into(),
        walks: 9,
        frames: 9,
        violations: [(name("violation"), 3)].into(),
        touched: [(name("function"), 3)].into(),
        allowed: [(name("call"), 3)].into(),
        stack: 100,
        minimal_signal_stack: 2000,
        lost: [(name("signal"), 1)].into(),
        not_checked: [(name("unseen"), name("reason"))].into(),
        not_available,
    };
    let rows = [row("subject", String::new()), row("subject-absent", name("cause"))];
    write(dir, &declared(Kind::Contract, name, vec![]), &rows);
}

fn coexistence(dir: &Path, name: &dyn Fn(&str) -> String) {
    let row = |walker: &str, ours| Coexistence {
        schema: SCHEMA,
        interpreter: name("tag"),
        walker: name(walker),
        other: name("other"),
        order: name("order"),
        ours,
        n: 2,
        kills: 1,
        recovers: 1,
        note: name("note"),
        ..Coexistence::default()
    };
    write(dir, &declared(Kind::Coexistence, name, vec![]), &[row("walker", true), row("unasked", false)]);
}

fn costs(dir: &Path, name: &dyn Fn(&str) -> String) {
    let cost = |depth, stack: Option<String>| Cost {
        schema: SCHEMA,
        interpreter: name("tag"),
        subject: name("subject"),
        what: What::Code,
        depth,
        frames: depth,
        stack,
        sink: Some(name("sink")),
        samples: vec![Sample { iters: 10, ns: 1000 }],
        note: Some(name("remark")),
    };
    let rows = [cost(10, None), cost(100, None), cost(9, Some(name("stack")))];
    write(dir, &declared(Kind::Cost, name, vec![]), &rows);
    let count = Count {
        schema: SCHEMA,
        interpreter: name("tag"),
        counted: Counted::Syscalls,
        subject: name("subject"),
        what: What::Line,
        depth: 100,
        counts: vec![1],
    };
    write_counts(dir, &[count]);
}

//! Sample records, made up for tests. Their numbers were measured nowhere and appear in no report but those of tests.

#![allow(dead_code, missing_docs, reason = "each test file uses its own part")]

pub mod heuristics;
pub mod twin;

use serde::Serialize;
use sigwalk_record::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use assert_cmd::Command;

/// The program, run in `dir`, so that the paths in its output are the same on every machine.
pub fn report(dir: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("report"));
    command.current_dir(dir);
    command
}

pub fn interpreter(tag: &str) -> Interpreter {
    Interpreter {
        tag: tag.into(),
        version: format!("{} (main, sample) [GCC 14.2.0]", tag.trim_end_matches("-malloc-debug")),
        hexversion: "0x030f00f0".into(),
        config_args: "'--enable-shared' '--with-lto'".into(),
        compiler: "gcc 14.2.0 -O2".into(),
        libpython: "lib/libpython3.15.so.1.0".into(),
        runtime_size: 412_960,
        freed_patterns: if tag.starts_with("3.13.5") { "before gh-140815" } else { "after gh-140815" }.into(),
        allocator: if tag.contains("malloc-debug") { "malloc_debug" } else { "default" }.into(),
        debug: tag.ends_with('d'),
        ..Interpreter::default()
    }
}

pub fn environment() -> Environment {
    Environment {
        cpu: "Sample CPU".into(),
        cores: 2,
        kernel: "6.12.0-sample".into(),
        os: "Debian GNU/Linux 13".into(),
        libc: "glibc 2.41".into(),
        rustc: "rustc 1.95.0".into(),
        profile: "release".into(),
        suite_version: "0.1.0".into(),
        commit: "0123456789ab".into(),
        load: "0.10 0.20 0.30".into(),
        other: BTreeMap::from([("core_pattern".into(), "core".into()), ("yama".into(), "0".into())]),
    }
}

pub fn manifest(kind: Kind, tag: &str, cells: Vec<Cell>) -> Manifest {
    Manifest {
        schema: SCHEMA,
        kind,
        campaign: Campaign {
            name: "sample".into(),
            id: "00000000000000aa".into(),
            text: "name = \"sample\"\nn = 100\n".into(),
        },
        interpreter: interpreter(tag),
        environment: environment(),
        cells,
        shard: None,
        complete: true,
        started: "2026-01-02T03:04:05Z".into(),
        ended: "2026-01-02T03:14:05Z".into(),
    }
}

pub fn cell(tag: &str, workload: &str, target: &str, walker: &str, n: u64) -> Cell {
    Cell {
        id: format!("{tag}/{workload}/{target}/{walker}"),
        interpreter: tag.into(),
        workload: workload.into(),
        walker: walker.into(),
        target: target.into(),
        fault: String::new(),
        n,
        params: BTreeMap::from([("depth".into(), "50".into()), ("loop".into(), "10".into())]),
        not_available: String::new(),
        judged: walker != "faulthandler",
        ..Cell::default()
    }
}

pub fn trial(index: u64, cell: &str, outcome: Outcome, phase: Phase) -> Trial {
    Trial {
        schema: SCHEMA,
        trial: index,
        cell: cell.into(),
        seed: format!("{:016x}", index * 0x9e37),
        outcome,
        phase,
        walks: 40,
        frames: 2000,
        tallies: Tallies { complete: 40, ..Tallies::default() },
        crash: None,
        millis: 1.5,
        boundaries: 0,
        illegal: Vec::new(),
        note: None,
    }
}

pub fn crashed(index: u64, cell: &str, phase: Phase, site: &str) -> Trial {
    let crash = Crash { signal: 11, address: Some("0xdddddddddddddddd".into()), site: Some(site.into()) };
    Trial { crash: Some(crash), ..trial(index, cell, Outcome::Crash, phase) }
}

/// Writes a run directory.
pub fn write(dir: &Path, manifest: &Manifest, rows: &[impl Serialize]) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("manifest.json"), serde_json::to_string_pretty(manifest).unwrap()).unwrap();
    let name = manifest.kind.file();
    let lines: String = rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
    std::fs::write(dir.join(name), lines).unwrap();
}

/// Counts beside the costs of a run.
pub fn write_counts(dir: &Path, rows: &[Count]) {
    let lines: String = rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
    std::fs::write(dir.join("counts.jsonl"), lines).unwrap();
}

/// A row of cost whose batches differ by some percent around `ns` a frame.
pub fn timed(tag: &str, subject: &str, what: What, depth: u64, ns: f64) -> Cost {
    let sample = |batch: u64| {
        let per_frame = ns * (1.0 + (batch * 7 % 11) as f64 / 200.0);
        Sample { iters: 1000, ns: (per_frame * depth as f64 * 1000.0) as u64 }
    };
    Cost {
        schema: SCHEMA,
        interpreter: tag.into(),
        subject: subject.into(),
        what,
        depth,
        frames: depth,
        stack: None,
        sink: None,
        samples: (0..30).map(sample).collect(),
        note: None,
    }
}

/// One run of trials: `n` of them complete, in one cell.
pub fn plain_run(dir: &Path, n: u64) {
    let cell = cell("3.15.0", "signal", "calls", "guarded", n);
    let trials: Vec<_> = (0..n).map(|index| trial(index, &cell.id, Outcome::Complete, Phase::Done)).collect();
    write(dir, &manifest(Kind::Trials, "3.15.0", vec![cell]), &trials);
}

/// Every kind of record, on two interpreters; returns the parent of the run directories.
pub fn sample(dir: &Path) -> PathBuf {
    let runs = dir.join("runs");
    for tag in ["3.13.5", "3.15.0"] {
        trials(&runs.join(format!("{tag}/trials")), tag);
        heuristics::everything(&runs.join(format!("{tag}/mutations")), tag);
        costs(&runs.join(format!("{tag}/cost")), tag);
    }
    runs
}

fn trials(dir: &Path, tag: &str) {
    let mut cells = Vec::new();
    for workload in ["hook", "signal", "other"] {
        for target in ["calls", "churn"] {
            for walker in ["pr-b1", "guarded", "remote", "faulthandler"] {
                cells.push(cell(tag, workload, target, walker, 500));
            }
        }
    }
    let mut stepped = cell(tag, "step", "calls", "pr-b1", 2);
    stepped.ids = vec!["S9".into(), "S10".into()];
    cells.push(stepped);
    let mut absent = cell(tag, "signal", "calls", "cpython-c", 500);
    absent.not_available = "internal headers of 3.13.5 lack the helper".into();
    cells.push(absent);
    let (mut rows, mut index) = (Vec::new(), 0);
    for cell in cells.iter().filter(|cell| cell.not_available.is_empty()) {
        for i in 0..cell.n {
            let seed = format!("{:016x}", i * 0x9e37);
            rows.push(Trial { seed, ..sampled(tag, cell, i, index) });
            index += 1;
        }
    }
    write(dir, &manifest(Kind::Trials, tag, cells), &rows);
}

fn sampled(tag: &str, cell: &Cell, i: u64, index: u64) -> Trial {
    let mut row = trial(index, &cell.id, Outcome::Complete, Phase::Done);
    let place = (cell.workload.as_str(), cell.target.as_str(), cell.walker.as_str());
    match (place, i) {
        (("other", "churn", "pr-b1"), 0..17) => {
            let site = format!("stress+0x{:x} (in sigwalk::walk::pr_b1::collect+0x{i:x})", 0x1a_0000 + i);
            return crashed(index, &cell.id, Phase::Walk, &site);
        }
        (("other", "churn", "pr-b1"), 17..20) => {
            let site = format!("libpython{}.so.1.0+0x2f{i:x}", &tag[..4]);
            return crashed(index, &cell.id, Phase::ThreadList, &site);
        }
        (("other", "churn", "faulthandler"), 0..40) => {
            let site = format!("libpython{}.so.1.0+0x2e{i:x} (near _Py_X+0x{i:x})", &tag[..4]);
            return crashed(index, &cell.id, Phase::Walk, &site);
        }
        (("other", "calls", "pr-b1"), 0) => return crashed(index, &cell.id, Phase::Target, "libc.so.6+0x99"),
        (("other", "churn", "pr-b1"), 20..24) => {
            row.outcome = Outcome::Impossible;
            row.tallies.splice = 2;
            row.note = Some("n7 → n3 at line 41: n7 has no call of n3".into());
        }
        (("other", "churn", "guarded"), 0..19) => {
            row.outcome = Outcome::RecoveredFault;
            row.tallies.recovered_faults = 1;
        }
        (("other", "churn", "guarded"), 19..25) => {
            row.outcome = Outcome::Impossible;
            row.tallies.wrong_line = 1;
        }
        (("other", "churn", "remote"), 0..30) => {
            row.outcome = Outcome::Rejected;
            row.tallies.rejected = 1;
        }
        (("signal", "churn", "pr-b1"), 0..2) if tag == "3.13.5" => {
            return trial(index, &cell.id, Outcome::Hang, Phase::Walk);
        }
        (("signal", "churn", "guarded"), 0..9) => {
            row.outcome = Outcome::Truncated;
            row.tallies.truncated = 1;
        }
        (("step", ..), _) => {
            row.boundaries = 1000;
            let illegal = |what: &str, count| Illegal {
                site: format!("libpython+0x1 (f+{count})"),
                what: what.into(),
                count,
            };
            row.illegal = vec![illegal("stale", 7), illegal("fault", 1)];
            (row.tallies.stale, row.tallies.recovered_faults) = (7, 1);
            row.outcome = Outcome::Impossible;
        }
        (("hook", "calls", "remote"), 0..2) => {
            row.outcome = Outcome::HarnessError;
            row.note = Some("the server did not answer within 2 s".into());
        }
        _ => {}
    }
    row
}

fn costs(dir: &Path, tag: &str) {
    let subjects = [
        ("floor", What::Chain, 1.0, None),
        ("raw", What::Code, 1.4, None),
        ("raw_strict", What::Code, 3.1, None),
        ("guarded", What::Code, 3.3, None),
        ("guarded", What::Line, 42.0, None),
        ("guarded", What::Names, 88.0, None),
        ("pr_b1", What::Code, 2.2, None),
        ("pr_b1", What::Line, 120.0, None),
        ("tracemalloc", What::Line, 140.0, None),
        ("getframe_getback", What::Chain, 25.0, None),
        ("dump_traceback", What::Names, 1290.0, Some("/dev/null")),
        ("dump_traceback", What::Names, 1900.0, Some("memfd")),
    ];
    let mut rows = Vec::new();
    for (subject, what, ns, sink) in subjects {
        for depth in [1_u64, 10, 100, 1000] {
            let frames = if subject == "dump_traceback" { depth.min(100) } else { depth };
            for process in 0..3_u64 {
                let sample = |batch: u64| {
                    let per_frame = ns
                        * (1.0 + 2.0 / depth as f64)
                        * (1.0 + (batch * 7 % 11) as f64 / 200.0 + process as f64 / 300.0);
                    Sample { iters: 1000, ns: (per_frame * frames as f64 * 1000.0) as u64 }
                };
                rows.push(Cost {
                    schema: SCHEMA,
                    interpreter: tag.into(),
                    subject: subject.into(),
                    what,
                    depth,
                    frames,
                    stack: None,
                    sink: sink.map(str::to_owned),
                    samples: (0..30).map(sample).collect(),
                    note: (subject == "dump_traceback").then(|| "found as PyUnstable_DumpTraceback".into()),
                });
            }
        }
    }
    for (subject, ns) in [("addr2line_40k", 56_000), ("line_table_40k", 3_500)] {
        rows.push(Cost {
            schema: SCHEMA,
            interpreter: tag.into(),
            subject: subject.into(),
            what: What::Line,
            depth: 1,
            frames: 1,
            stack: None,
            sink: None,
            samples: (0..30).map(|batch| Sample { iters: 1000, ns: ns * (1000 + batch) }).collect(),
            note: None,
        });
    }
    // With code, frames beyond depth 64 cost more; with lines they do not, and 3.13.5 did not go so deep.
    rows.push(timed(tag, "guarded", What::Code, 64, 3.3 * (1.0 + 2.0 / 64.0)));
    rows.push(timed(tag, "guarded", What::Code, 4096, 3.3 * 1.7));
    if tag == "3.15.0" {
        rows.push(timed(tag, "guarded", What::Line, 64, 42.0 * (1.0 + 2.0 / 64.0)));
        rows.push(timed(tag, "guarded", What::Line, 4096, 42.0 * (1.0 + 2.0 / 4096.0)));
    }
    let growths =
        [("threads_1", 3.3), ("threads_64", 3.3 * 1.15), ("modules_bare", 3.3), ("modules_loaded", 3.366)];
    rows.extend(growths.map(|(subject, ns)| timed(tag, subject, What::Code, 100, ns)));
    for (stack, depth) in [("asyncio", 16), ("json", 9)] {
        for (subject, what, ns) in [("guarded", What::Line, 90.0), ("tracemalloc", What::Line, 300.0)] {
            rows.push(Cost { stack: Some(stack.into()), ..timed(tag, subject, what, depth, ns) });
        }
    }
    rows.extend(heuristics::costs(tag));
    write(dir, &manifest(Kind::Cost, tag, vec![]), &rows);
    let calls = |subject: &str, counts: &[u64]| Count {
        schema: SCHEMA,
        interpreter: tag.into(),
        counted: Counted::Syscalls,
        subject: subject.into(),
        what: What::Line,
        depth: 100,
        counts: counts.to_vec(),
    };
    let syscall = if tag == "3.15.0" { [5, 7, 6] } else { [6, 6, 6] };
    write_counts(dir, &[calls("guarded", &[0, 0, 0]), calls("syscall", &syscall)]);
}

//! Many records are streamed: what is held does not grow with them.

mod common;

use common::{cell, manifest, report, trial};
use sigwalk_record::{Kind, Outcome, Phase, Trial};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// A run of `n` trials in four cells, whose lines are `padding` bytes longer than they need to be. `SIGWALK_LARGE=1000000 cargo test
/// --release -p sigwalk-report --test large -- --ignored --nocapture` keeps a run of that size for measurements, and says where.
fn large(dir: &Path, n: u64, padding: usize) -> u64 {
    let walkers = ["guarded", "pr-b1", "remote", "syscall"];
    let cells = walkers.map(|walker| cell("3.15.0", "other", "calls", walker, n / 4)).to_vec();
    std::fs::create_dir_all(dir).unwrap();
    let mut file = BufWriter::new(std::fs::File::create(dir.join("trials.jsonl")).unwrap());
    let note = "x".repeat(padding);
    for index in 0..n {
        let seed = format!("{:016x}", (index / 4).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut row =
            Trial { seed, ..trial(index, &cells[(index % 4) as usize].id, Outcome::Complete, Phase::Done) };
        if index % 1000 == 0 {
            (row.outcome, row.tallies.splice) = (Outcome::Impossible, 1);
        }
        row.note = (padding > 0).then(|| format!("{note}{index}"));
        serde_json::to_writer(&mut file, &row).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
    let manifest = manifest(Kind::Trials, "3.15.0", cells);
    std::fs::write(dir.join("manifest.json"), serde_json::to_string(&manifest).unwrap()).unwrap();
    std::fs::metadata(dir.join("trials.jsonl")).unwrap().len()
}

/// 180 MB of records in 120 MiB of address space, the program itself included: a reader that holds the file, or its trials, ends here.
#[test]
fn records_larger_than_memory_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = large(&dir.path().join("runs"), 100_000, 1500);
    assert!(bytes > 180_000_000, "{bytes}");
    let output = limited(dir.path(), 120 << 10);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows =
        BufReader::new(std::fs::File::open(dir.path().join("out/trials.csv")).unwrap()).lines().count();
    assert_eq!(rows, 100_001);
    // The limit is one: with less than the program needs at all, it does not run.
    assert!(!limited(dir.path(), 8 << 10).status.success());
}

/// `report build` with so many KiB of address space.
fn limited(dir: &Path, kib: u64) -> std::process::Output {
    let program = assert_cmd::cargo::cargo_bin!("report");
    Command::new("sh")
        .args(["-c", "ulimit -v \"$1\"; exec \"$2\" build runs --out out/r.html", "sh", &kib.to_string()])
        .arg(program)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
#[ignore = "writes a run to measure with"]
fn a_run_to_measure_with() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let dir = std::env::temp_dir().join("sigwalk-large");
    let n = number("SIGWALK_LARGE").unwrap_or(1_000_000);
    let bytes = large(&dir.join("runs"), n, number("SIGWALK_PADDING").unwrap_or(0) as usize);
    println!("{n} trials, {bytes} bytes in {}", dir.display());
    report(&dir).arg("schema").assert().success();
}

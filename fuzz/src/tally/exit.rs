//! When the tallies are written.
//!
//! libFuzzer calls `exit` after `-runs` and `-max_total_time`, and `_exit` on Ctrl-C, SIGTERM and findings: there only
//! the file is left, as it was at the last [`tick`] that wrote it.
#![allow(unsafe_code)]

use super::{Run, json, table};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{env, fs, process};

/// Executions between two writes of the file: some seconds at the slowest, a tenth of a percent of the time at the fastest.
const TICKS: u64 = 1 << 14;

static BEGUN: OnceLock<Instant> = OnceLock::new();
static TICKED: AtomicU64 = AtomicU64::new(0);

/// Prints the tallies to stderr and writes the file when the process exits.
pub fn keep() {
    BEGUN.get_or_init(Instant::now);
    extern "C" fn at_exit() {
        if TICKED.load(Ordering::Relaxed) > 0 {
            write();
            eprintln!("{}", table());
        }
    }
    // SAFETY: a function that may be called at any time and does not panic across the boundary: its errors are ignored.
    unsafe { libc::atexit(at_exit) };
}

/// Counts an execution, and writes the file now and then.
pub fn tick() {
    if TICKED.fetch_add(1, Ordering::Relaxed) % TICKS == TICKS - 1 {
        write();
    }
}

/// `stats/walk-<pid>.json` of this package, or of the directory that SIGWALK_FUZZ_STATS names. In one step, so that a
/// killed fuzzer leaves no half of a file.
fn write() {
    let dir = env::var_os("SIGWALK_FUZZ_STATS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/stats")), PathBuf::from);
    let file = dir.join(format!("walk-{}.json", process::id()));
    let new = file.with_extension("new");
    let seconds = BEGUN.get().map_or(0.0, |begun| begun.elapsed().as_secs_f64());
    let run = Run { executions: TICKED.load(Ordering::Relaxed), seconds };
    let written = fs::create_dir_all(&dir)
        .and_then(|()| fs::write(&new, json(run)))
        .and_then(|()| fs::rename(&new, &file));
    if let Err(error) = written {
        eprintln!("{}: {error}", file.display());
    }
}

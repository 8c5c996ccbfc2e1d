//! How long and how often: one place for every number that a record is made under.

use crate::record::target_directory;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, measurement::WallTime};
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// Parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Time before the batches that count.
    pub warm_up: Duration,
    /// Time of the batches that count.
    pub measurement: Duration,
    /// Batches that count.
    pub samples: usize,
    /// Criterion's own bootstrap; our records do not use it.
    pub resamples: usize,
}

impl Settings {
    /// The usual ones, or with `SIGWALK_QUICK=1` a twentieth of the time: for several processes one after another, which
    /// tells more of a noisy machine than one that takes as long.
    #[must_use]
    pub fn from_environment() -> Self {
        if env::var_os("SIGWALK_QUICK").is_some_and(|value| value == "1") {
            Settings { warm_up: ms(15), measurement: ms(45), samples: 10, resamples: 2_000 }
        } else {
            Settings { warm_up: ms(300), measurement: ms(1000), samples: 30, resamples: 10_000 }
        }
    }

    /// Criterion with these settings; the command line wins. `tag` keeps interpreters apart: Criterion says "improved" or
    /// "regressed" against what it finds in its directory, which must be a run on the same interpreter.
    #[must_use]
    pub fn criterion(self, tag: &str) -> Criterion {
        let home = env::var_os("CRITERION_HOME").map(PathBuf::from);
        let home = home.unwrap_or_else(|| target_directory().join("criterion"));
        Criterion::default()
            .output_directory(&home.join(tag))
            .warm_up_time(self.warm_up)
            .measurement_time(self.measurement)
            .sample_size(self.samples)
            .nresamples(self.resamples)
            .configure_from_args()
    }

    /// The same in words, for the manifest: what a filter left out must be seen there too.
    #[must_use]
    pub fn text(self) -> String {
        let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
        format!(
            "warm_up_ms = {}\nmeasurement_ms = {}\nsamples = {}\ndepths = {:?}\narguments = {arguments:?}\n",
            self.warm_up.as_millis(),
            self.measurement.as_millis(),
            self.samples,
            crate::depth::DEPTHS,
        )
    }
}

/// What a group of benches spends on each, as a share of the usual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Half: many benches of which no ratio with a target is made.
    Half,
    /// The usual time.
    Whole,
    /// Twice: two sides are timed in every batch.
    Both,
}

impl Settings {
    /// Sets a group up. Batches are of equal size, so that each weighs the same in our records.
    pub fn group(self, group: &mut BenchmarkGroup<'_, WallTime>, share: Share) {
        let of = |time: Duration| match share {
            Share::Half => time / 2,
            Share::Whole => time,
            Share::Both => time * 2,
        };
        group.sampling_mode(SamplingMode::Flat);
        // Set for a group, a time wins over the command line: only where it differs.
        if share != Share::Whole {
            group.warm_up_time(of(self.warm_up)).measurement_time(of(self.measurement));
        }
    }
}

/// Whether this run measures. Cargo passes `--bench` from `cargo bench` and from nothing else; Criterion's test, list and
/// profile modes time nothing that is worth keeping.
#[must_use]
pub fn measuring() -> bool {
    let other = ["--test", "--list", "--profile-time", "--load-baseline"];
    let mut arguments = env::args().skip(1).peekable();
    let bench = env::args().any(|argument| argument == "--bench");
    bench && !arguments.any(|argument| other.iter().any(|other| argument.split('=').next() == Some(other)))
}

/// Whether this run only lists names.
#[must_use]
pub fn listing() -> bool {
    env::args().any(|argument| argument == "--list")
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

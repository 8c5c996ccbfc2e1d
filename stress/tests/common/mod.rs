//! A place for runs, and what tests ask of them.
#![allow(dead_code, missing_docs, reason = "each test file uses its own part")]
#![allow(unsafe_code)]

use sigwalk_record::{Manifest, Trial};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    /// With `campaign.toml`.
    pub fn with(campaign: &str) -> Self {
        let place = Place::new();
        fs::write(place.path("campaign.toml"), campaign).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stress"));
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    pub fn stress(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    pub fn succeeds(&self, arguments: &[&str]) {
        let output = self.stress(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The exit code, and that stderr is one line with each of `expected` in it.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, expected: &[&str]) {
        let output = self.stress(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said:?}");
        for expected in expected {
            assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        }
    }

    /// Whole lines of a run's records.
    pub fn lines(&self, run: &str) -> usize {
        let text = fs::read(self.path(run).join("trials.jsonl")).unwrap_or_default();
        text.iter().filter(|&&byte| byte == b'\n').count()
    }

    pub fn trials(&self, run: &str) -> Vec<Trial> {
        let text = fs::read_to_string(self.path(run).join("trials.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn manifest(&self, run: &str) -> Manifest {
        serde_json::from_str(&fs::read_to_string(self.path(run).join("manifest.json")).unwrap()).unwrap()
    }

    /// Changes a file of a run.
    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        fs::write(self.path(file), change(text)).unwrap();
    }

    /// Starts `stress` and comes back when its records in `run` are at least `lines`, or when it has ended.
    pub fn started(&self, arguments: &[&str], run: &str, lines: usize) -> Child {
        self.spawned(self.command(arguments), run, lines)
    }

    pub fn spawned(&self, mut command: Command, run: &str, lines: usize) -> Child {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.wait_for(&mut child, run, lines);
        child
    }

    pub fn wait_for(&self, child: &mut Child, run: &str, lines: usize) {
        let begun = Instant::now();
        while self.lines(run) < lines && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no {lines} trials within a minute");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

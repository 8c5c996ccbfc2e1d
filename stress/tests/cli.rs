//! What `stress` says and does about bad input, interruption and a second run. On the interpreter it was built for.
#![allow(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const CAMPAIGN: &str = "name = 'cli'\n[[cells]]\nworkload = 'signal'\ntargets = ['call-tree']\nwalkers = ['guarded']\ntrials = 6\nmillis = 5\n";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn campaign(&self, text: &str) -> PathBuf {
        let path = self.path("campaign.toml");
        fs::write(&path, text).unwrap();
        path
    }
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stress"));
        command.current_dir(self.0.path());
        command
    }
    fn stress(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// The exit code, and that stderr is one line with `expected` in it.
#[track_caller]
fn refused(output: &Output, code: i32, expected: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(expected), "{said:?} lacks {expected:?}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said:?}");
}

#[test]
fn bad_campaigns_are_one_line_with_the_remedy() {
    let place = Place::new();
    refused(&place.stress(&["run", "missing.toml"]), 2, "missing.toml");
    for (from, to, expected) in [
        ("trials = 6", "trails = 6", "line 6: unknown field `trails`"),
        ("'guarded'", "'gaurded'", "unknown walker \"gaurded\"; known: pr-b1"),
        ("'call-tree'", "'call-tee'", "unknown target \"call-tee\"; known: call-tree"),
        ("trials = 6", "trials = 0", "declares no trial"),
    ] {
        place.campaign(&CAMPAIGN.replace(from, to));
        refused(&place.stress(&["run", "campaign.toml", "--out", "run"]), 2, expected);
    }
    assert!(!place.path("run").exists(), "a refused campaign leaves nothing behind");
}

#[test]
fn an_interpreter_that_has_no_build_is_named_with_the_remedy() {
    let place = Place::new();
    place.campaign(CAMPAIGN);
    refused(
        &place.stress(&["run", "campaign.toml", "--python", "3.99"]),
        6,
        "scripts/evaluate --python 3.99",
    );
}

#[test]
fn a_second_run_overwrites_nothing_and_resume_completes() {
    let place = Place::new();
    place.campaign(CAMPAIGN);
    let records = place.path("run/trials.jsonl");
    assert!(place.stress(&["run", "campaign.toml", "--out", "run"]).status.success());
    let first = fs::read(&records).unwrap();
    refused(&place.stress(&["run", "campaign.toml", "--out", "run"]), 2, "holds a run already");
    assert_eq!(fs::read(&records).unwrap(), first);

    // Killed in the middle of a line: resume drops that line, and runs what is missing, once.
    fs::write(&records, &first[..first.len() - 20]).unwrap();
    assert!(place.stress(&["run", "campaign.toml", "--out", "run", "--resume"]).status.success());
    let text = fs::read_to_string(&records).unwrap();
    let mut trials: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["trial"].as_u64().unwrap())
        .collect();
    trials.sort_unstable();
    assert_eq!(trials, [0, 1, 2, 3, 4, 5]);

    place.campaign(&CAMPAIGN.replace("trials = 6", "trials = 7"));
    refused(&place.stress(&["run", "campaign.toml", "--out", "run", "--resume"]), 5, "is a run of campaign");
    place.campaign(CAMPAIGN);
    fs::write(&records, text.replacen('{', "<", 1)).unwrap();
    refused(&place.stress(&["run", "campaign.toml", "--out", "run", "--resume"]), 5, "trials.jsonl:1:");
}

#[test]
fn ctrl_c_and_kill_keep_the_finished_trials() {
    for (signal, code) in [(libc::SIGINT, Some(130)), (libc::SIGKILL, None)] {
        let place = Place::new();
        place.campaign(&CAMPAIGN.replace("trials = 6", "trials = 100000"));
        let records = place.path("run/trials.jsonl");
        let mut child = place
            .command()
            .args(["run", "campaign.toml", "--out", "run"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while lines(&records) < 5 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no trial within a minute");
            std::thread::sleep(Duration::from_millis(10));
        }
        // SAFETY: our own child, not waited for yet.
        unsafe { libc::kill(child.id() as i32, signal) };
        assert_eq!(child.wait().unwrap().code(), code);
        let text = fs::read_to_string(&records).unwrap();
        let whole =
            text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count();
        assert!(whole >= 5, "{whole} whole records");
        let manifest = fs::read_to_string(place.path("run/manifest.json")).unwrap();
        assert!(manifest.contains("\"complete\": false"), "{manifest}");
    }
}

#[test]
fn a_full_disk_is_one_line_and_keeps_what_was_written() {
    // RLIMIT_FSIZE makes the write after some 6000 bytes fail like a full disk does, in any directory.
    use std::os::unix::process::CommandExt;
    let place = Place::new();
    place.campaign(&CAMPAIGN.replace("trials = 6", "trials = 60"));
    let mut command = place.command();
    command.args(["run", "campaign.toml", "--out", "run"]);
    // SAFETY: between fork and exec: two plain system calls.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: 6000, rlim_max: 6000 };
            libc::setrlimit(libc::RLIMIT_FSIZE, &limit);
            Ok(())
        });
    }
    refused(&command.output().unwrap(), 1, "run/");
    let kept = lines(&place.path("run/trials.jsonl"));
    assert!((1..60).contains(&kept), "{kept} records");
}

#[test]
fn replay_runs_the_same_cell_and_seed_again() {
    let place = Place::new();
    place.campaign(CAMPAIGN);
    assert!(place.stress(&["run", "campaign.toml", "--out", "run"]).status.success());
    let text = fs::read_to_string(place.path("run/trials.jsonl")).unwrap();
    let recorded: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let recorded = recorded.iter().find(|trial| trial["trial"] == 3).unwrap();
    let output = place.stress(&["replay", "run", "3"]);
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&again["cell"], &again["seed"]), (&recorded["cell"], &recorded["seed"]));
    assert_eq!(again["outcome"], "complete");
    let output = place.stress(&["replay", "run", "99"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("trials 0 to 5"));
    refused(&place.stress(&["replay", "nowhere", "0"]), 2, "give the directory of a run");
}

#[test]
fn shards_are_disjoint_and_together_whole() {
    let place = Place::new();
    place.campaign(CAMPAIGN);
    let mut trials = Vec::new();
    for shard in ["1/2", "2/2"] {
        let out = format!("run-{}", &shard[..1]);
        assert!(place.stress(&["run", "campaign.toml", "--out", &out, "--shard", shard]).status.success());
        let text = fs::read_to_string(place.path(&out).join("trials.jsonl")).unwrap();
        trials.extend(
            text.lines().map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["trial"].as_u64().unwrap()
            }),
        );
    }
    trials.sort_unstable();
    assert_eq!(trials, [0, 1, 2, 3, 4, 5]);
}

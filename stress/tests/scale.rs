//! What a fork server must not collect over many trials, and that a trial which stands still holds nobody up.
#![allow(unsafe_code)]

mod common;

use common::Place;
use std::fs;

const JOBS: usize = 2;

fn signal(pid: u32, signal: i32) {
    // SAFETY: a child of ours that we have not waited for, or a child of it while it is stopped and cannot wait for it.
    unsafe { libc::kill(pid as i32, signal) };
}

fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('X')
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// Stops the server, so that what is looked at does not move.
fn stopped<T>(pid: u32, look: impl FnOnce() -> T) -> T {
    signal(pid, libc::SIGSTOP);
    while state(pid) != 'T' {
        std::thread::yield_now();
    }
    let seen = look();
    signal(pid, libc::SIGCONT);
    seen
}

struct Held {
    files: usize,
    children: usize,
    mappings: usize,
    resident_kb: usize,
}

fn held(pid: u32) -> Held {
    stopped(pid, || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Held {
            files: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            children: children(pid).len(),
            mappings: fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines().count(),
            resident_kb: resident.trim().trim_end_matches(" kB").parse().unwrap(),
        }
    })
}

/// Some walkers are processes of their own, and then a trial has two.
#[test]
fn a_server_holds_no_more_after_hundreds_of_trials() {
    for (workload, walker) in [("signal", "guarded"), ("other", "remote")] {
        let place = Place::with(&format!(
            "name = 'many'\n[[cells]]\nworkload = '{workload}'\ntargets = ['call-tree']\nwalkers = ['{walker}']\ntrials = 100000\nmillis = 1\nparams = {{ depth = 1 }}\n"
        ));
        let temporary = place.path("tmp");
        fs::create_dir(&temporary).unwrap();
        let mut command = place.command(&["run", "campaign.toml", "--out", "run", "--jobs", "2"]);
        command.env("TMPDIR", &temporary);
        let mut child = place.spawned(command, "run", 100);
        let early = held(child.id());
        place.wait_for(&mut child, "run", 500);
        let late = held(child.id());
        signal(child.id(), libc::SIGINT);
        assert_eq!(child.wait().unwrap().code(), Some(130));

        assert!(late.files <= early.files + JOBS, "{} open files, then {}", early.files, late.files);
        assert!(late.children <= JOBS, "{} children: not waited for", late.children);
        assert!(
            late.mappings <= early.mappings + JOBS,
            "{} mappings, then {}",
            early.mappings,
            late.mappings
        );
        // A page a trial would be 1.6 MB.
        assert!(
            late.resident_kb <= early.resident_kb + 1024,
            "{} kB, then {}",
            early.resident_kb,
            late.resident_kb
        );
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "files were left behind");
        let mut names: Vec<_> = fs::read_dir(place.path("."))
            .unwrap()
            .chain(fs::read_dir(place.path("run")).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["campaign.toml", "manifest.json", "run", "tmp", "trials.jsonl"], "no core dump");
    }
}

/// One trial is stopped, which to its server looks like a walk or a target that stands still.
#[test]
fn a_trial_that_stands_still_costs_its_deadline_and_holds_nobody_up() {
    let place = Place::with(
        "name = 'still'\ndeadline_ms = 300\n[[cells]]\nworkload = 'signal'\ntargets = ['call-tree']\nwalkers = ['guarded']\ntrials = 400\nmillis = 1\n",
    );
    let arguments = ["run", "campaign.toml", "--out", "run", "--jobs", "2"];
    let mut child = place.started(&arguments, "run", 10);
    let stop = || {
        let Some(&trial) = children(child.id()).first() else { return false };
        signal(trial, libc::SIGSTOP);
        loop {
            match state(trial) {
                'T' => return true,
                'Z' | 'X' => return false,
                _ => std::thread::yield_now(),
            }
        }
    };
    // A trial that had just ended cannot be stopped.
    while !stopped(child.id(), stop) {}
    assert!(child.wait().unwrap().success());
    let trials = place.trials("run");
    let mut indices: Vec<u64> = trials.iter().map(|trial| trial.trial).collect();
    let at = trials.iter().position(|trial| trial.millis > 300.0).expect("none was late");
    let overtaken = indices[..at].iter().filter(|&&index| index > indices[at]).count();
    assert!(overtaken > 0, "the other slot stood still, too");
    assert!(matches!(trials[at].outcome.name(), "hang" | "harness_error"), "{:?}", trials[at]);
    indices.sort_unstable();
    assert_eq!(indices, (0..400).collect::<Vec<_>>());
}

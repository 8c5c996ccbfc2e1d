//! The steppers and the interleaver, through the binary: what they count is a window's length, the same every time, and what a
//! campaign expects of its cells decides how a run ends.

mod common;

use common::Place;
use sigwalk_record::{Outcome, Trial};

fn stepped(cells: &str) -> Place {
    Place::with(&format!("name = 'stepped'\ndeadline_ms = 60000\n{cells}"))
}

const TREE: &str = "[[cells]]\nworkload = 'step'\ntargets = ['call-tree']\nwalkers = ['guarded']\ntrials = 2\npasses = 1\nparams = { depth = 1, work = 0 }\n";

fn silent(trials: &[Trial]) -> u64 {
    trials.iter().map(|trial| trial.tallies.silent()).sum()
}

#[test]
fn every_boundary_is_walked_and_no_answer_is_wrong() {
    let place = stepped(TREE);
    place.succeeds(&["run", "campaign.toml", "--out", "trap"]);
    let trials = place.trials("trap");
    let boundaries = trials[0].boundaries;
    assert!(boundaries > 1000, "three functions are more than {boundaries} instructions");
    for trial in &trials {
        assert_eq!((trial.boundaries, trial.walks), (boundaries, boundaries), "the same window");
        // Two instructions and more of each kind: what is not whole has a place, by name.
        let listed: u64 = trial.illegal.iter().map(|place| place.count).sum();
        assert_eq!(listed, trial.walks - trial.tallies.complete);
        assert!(trial.illegal.iter().all(|place| place.site.contains("libpython")), "{:?}", trial.illegal);
    }
    assert_eq!(silent(&trials), 0);
}

#[test]
fn a_tracer_steps_the_same_window_and_a_thread_from_its_birth() {
    let traced = |text: &str| format!("{text}step = {{ by = 'ptrace' }}\n");
    let place = stepped(&traced(TREE));
    place.succeeds(&["run", "campaign.toml", "--out", "traced"]);
    let trials = place.trials("traced");
    assert!(trials.iter().all(|trial| trial.boundaries > 1000 && trial.walks == trial.boundaries));
    assert_eq!(silent(&trials), 0);

    let thread = "[[cells]]\nworkload = 'step'\ntargets = ['thread-exit']\nwalkers = ['guarded']\ntrials = 1\npasses = 1\nparams = { threads = 1, work = 1 }\n";
    let place = stepped(&traced(thread));
    place.succeeds(&["run", "campaign.toml", "--out", "thread"]);
    let trial = &place.trials("thread")[0];
    assert!(trial.tallies.no_thread_state > 100, "before it was bound and after it was gone: {trial:?}");
    assert_eq!(trial.tallies.silent(), 0, "{trial:?}");
}

#[test]
fn a_stride_walks_its_part_and_a_burst_goes_on_after_a_pause() {
    let place = stepped(&format!("{TREE}step = {{ stride = 10 }}\n"));
    place.succeeds(&["run", "campaign.toml", "--out", "strided"]);
    for trial in place.trials("strided") {
        let expected = trial.boundaries / 10;
        assert!((expected..=expected + 1).contains(&trial.walks), "{trial:?}");
    }
    let place = stepped(&format!(
        "{}step = {{ burst = 50 }}\ngap_us = 20\n",
        TREE.replace("passes = 1", "passes = 20")
    ));
    place.succeeds(&["run", "campaign.toml", "--out", "bursts"]);
    // A burst ends at its length or with its window: more than one was there, and none was all of them.
    assert!(
        place.trials("bursts").iter().all(|trial| trial.boundaries > 50 && trial.walks == trial.boundaries)
    );
}

#[test]
fn few_instructions_between_two_loads_are_no_wrong_stack() {
    let place = stepped(
        "[[cells]]\nworkload = 'interleave'\ntargets = ['call-tree']\nwalkers = ['guarded']\ntrials = 2\npasses = 2\nparams = { depth = 2, work = 0 }\nstep = { between = 3 }\n",
    );
    place.succeeds(&["run", "campaign.toml", "--out", "run"]);
    let trials = place.trials("run");
    assert!(trials.iter().all(|trial| trial.walks > 20 && trial.boundaries > trial.walks), "{trials:?}");
    assert_eq!(silent(&trials), 0);
}

#[test]
fn what_a_campaign_expects_decides_how_it_ends() {
    for (line, code) in [
        ("some = ['hang']", 3),
        ("never = ['hang']", 0),
        ("never = ['rejected', 'truncated', 'complete']", 3),
        ("", 0),
    ] {
        let place = stepped(&format!("{TREE}{line}\n"));
        let output = place.stress(&["run", "campaign.toml", "--out", "run"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert_eq!(said.contains("step/call-tree/guarded: "), code == 3, "{line}: {said}");
    }
}

#[test]
fn a_fault_is_made_before_each_walk_and_taken_back() {
    let place = Place::with(
        "name = 'fault'\n[[cells]]\nworkload = 'signal'\ntargets = ['call-tree']\nwalkers = ['guarded', 'pr-b1-hops']\nfaults = ['incomplete-cycle', 'self-cycle', 'cut']\ntrials = 2\ngap_us = 20\n",
    );
    place.succeeds(&["run", "campaign.toml", "--out", "run"]);
    for trial in place.trials("run") {
        // The target goes on: what was changed was put back.
        assert!(
            matches!(trial.outcome, Outcome::Truncated | Outcome::Rejected | Outcome::Impossible),
            "{trial:?}"
        );
        // An empty stack has no frame to damage, and is whole. (3.14: the strict policy rejects a frame before its RESUME.)
        let tallies = &trial.tallies;
        assert!(tallies.truncated + tallies.rejected + tallies.prefix > 0, "{trial:?}");
    }
}

#[test]
fn what_cannot_be_stepped_is_said() {
    for (from, to, expected) in [
        ("passes = 1", "passes = 1\nstep = { stride = 0 }", "step.stride must be at least 1"),
        (
            "passes = 1",
            "passes = 1\nstep = { by = 'ptrace', burst = 5 }",
            "step.burst is only for by = \"trap\"",
        ),
        ("passes = 1", "passes = 1\nfaults = ['no-such']", "unknown fault \"no-such\""),
        ("passes = 1", "passes = 1\ngil = true", "gil = true is for workload other"),
    ] {
        let place = stepped(&TREE.replace(from, to));
        place.refuses(&["run", "campaign.toml", "--out", "run"], 2, &[expected]);
    }
    // Raw loads from outside would be no crash.
    let place = stepped(&format!("{}step = {{ by = 'ptrace' }}\n", TREE.replace("guarded", "pr-b1")));
    place.refuses(
        &["run", "campaign.toml", "--out", "run"],
        2,
        &["pr-b1 makes its loads in the process", "by = \"trap\""],
    );
    let copies = TREE.replace("'step'", "'interleave'").replace("guarded", "syscall");
    stepped(&copies).refuses(
        &["run", "campaign.toml", "--out", "run"],
        2,
        &["syscall makes no loads of its own"],
    );
}

/// Asking for the thread state in a handler must not take it away (`src/thread/table.rs`).
#[test]
fn a_forked_child_keeps_its_thread_state_while_it_is_stepped() {
    let place = stepped(
        "[[cells]]\nworkload = 'step'\ntargets = ['fork']\nwalkers = ['guarded']\ntrials = 1\npasses = 1\nparams = { threads = 1, work = 0, depth = 1 }\n",
    );
    place.succeeds(&["run", "campaign.toml", "--out", "run"]);
    let trial = &place.trials("run")[0];
    // Some instructions of PyOS_AfterFork_Child have none, up to 3.14: the key is deleted and made anew.
    let without = trial.tallies.no_thread_state;
    assert!(
        trial.walks > 10_000 && without < 1_000,
        "{without} boundaries without a thread state: {trial:?}"
    );
}

//! Stepping through a fork: asking for the thread state in a handler must not take it away.

mod common;

use common::Place;

#[test]
fn a_forked_child_keeps_its_thread_state_while_it_is_stepped() {
    let place = Place::with(
        "name = 'fork'\ndeadline_ms = 60000\n[[cells]]\nworkload = 'step'\ntargets = ['fork']\nwalkers = ['guarded']\ntrials = 1\npasses = 1\nparams = { threads = 1, work = 0, depth = 1 }\n",
    );
    place.succeeds(&["run", "campaign.toml", "--out", "run"]);
    let [trial] = &place.trials("run")[..] else { panic!("one trial") };
    // Some instructions of PyOS_AfterFork_Child have none, up to 3.14: the key is deleted and made anew.
    let without = trial.tallies.no_thread_state;
    assert!(
        trial.walks > 10_000 && without < 1_000,
        "{without} boundaries without a thread state: {trial:?}"
    );
}

//! The workload `other` with the GIL: the walking thread gets it, walks, and is waited for by a thread that is attached.

mod common;

use common::Place;

#[test]
fn a_walker_with_the_gil_walks_and_ends() {
    let place = Place::with(
        "name = 'gil'\n[[cells]]\nworkload = 'other'\ntargets = ['call-tree', 'thread-churn']\nwalkers = ['guarded']\ngil = true\ntrials = 3\n",
    );
    place.succeeds(&["run", "campaign.toml", "--out", "run"]);
    let trials = place.trials("run");
    assert_eq!(trials.len(), 6);
    for trial in trials {
        // Every thread stands still meanwhile: one that waited for its end in vain was a harness error.
        assert_eq!(trial.outcome.name(), "complete", "{trial:?}");
        assert!(trial.walks > 0);
    }
}

//! The matrix of other owners of signals: nothing of ours kills and everything is put back, what is shown for comparison does kill,
//! and a planted defect is found. Few trials: what is asked here holds in every single one.

mod common;

use common::Place;
use sigwalk_record::{Coexistence, Kind, exit};
use std::collections::BTreeSet;

fn rows(place: &Place, run: &str) -> Vec<Coexistence> {
    let text = std::fs::read_to_string(place.path(run).join("coexistence.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn find<'a>(rows: &'a [Coexistence], other: &str, order: &str, walker: &str) -> &'a Coexistence {
    let is = |row: &&Coexistence| row.other == other && row.order == order && row.walker == walker;
    rows.iter().find(is).unwrap_or_else(|| panic!("no row {other}/{order}/{walker}"))
}

/// Three kinds of bad pages are drawn, so three trials at least.
const TRIALS: u64 = 4;

#[test]
fn nothing_of_ours_kills_and_everything_is_put_back() {
    let place = Place::new();
    place.succeeds(&["coexist", "--trials", "4", "--out", "run"]);
    let manifest = place.manifest("run");
    assert!(manifest.complete && manifest.kind == Kind::Coexistence);
    let rows = rows(&place, "run");
    let others: BTreeSet<&str> = rows.iter().map(|row| row.other.as_str()).collect();
    for row in &rows {
        assert_eq!(row.n, TRIALS, "{row:?}");
        assert_eq!(row.recovers + row.falls_back + row.loses_recovery + row.kills, row.n, "{row:?}");
        if row.ours {
            assert_eq!((row.kills, row.restored, row.reached), (0, TRIALS, TRIALS), "{row:?}");
        }
    }
    for other in others {
        // Whoever is last has the signals, and adaptive and syscall go on all the same.
        let taken = if other.starts_with("sampler-") { "sampler" } else { "faults" };
        for walker in ["guarded", "syscall", "adaptive"] {
            let row = find(&rows, other, "they-first", walker);
            assert_eq!(row.recovers, TRIALS, "{row:?}");
            let row = find(&rows, other, "we-first", walker);
            let expected = match (taken, walker) {
                ("faults", "syscall") => row.recovers,
                ("faults", "adaptive") => row.falls_back,
                _ => row.loses_recovery,
            };
            assert_eq!(expected, TRIALS, "{row:?}");
        }
    }
    // What is shown for comparison dies, or nothing here could.
    for other in ["faulthandler", "never-chains", "onstack-raises", "rust-std", "sig-ign", "sig-dfl"] {
        let row = find(&rows, other, "we-first", "guarded-unasked");
        assert_eq!((row.ours, row.kills), (false, TRIALS), "{row:?}");
    }
    let pending = find(&rows, "sampler-default-pending", "we-first", "guarded-sigprof");
    assert_eq!(pending.kills, TRIALS, "{pending:?}");
    // Its own handler was told of a crash that there was not, and it has left.
    let returns = find(&rows, "onstack-returns", "we-first", "guarded-unasked");
    assert_eq!((returns.recovers, returns.restored), (TRIALS, 0), "{returns:?}");
}

#[test]
fn a_walker_that_does_not_ask_is_found() {
    let place = Place::new();
    let arguments = ["coexist", "--trials", "2", "--out", "run", "--plant", "unasked"];
    let output = place.stress(&[&arguments[..], &["--only", "other=faulthandler,other=chains"]].concat());
    assert_eq!(output.status.code(), Some(exit::FINDINGS), "{output:?}");
    let rows = rows(&place, "run");
    assert_eq!(find(&rows, "faulthandler", "we-first", "guarded").kills, 2);
    assert_eq!(find(&rows, "chains", "we-first", "guarded").kills, 0);
}

#[test]
fn an_install_that_forgets_the_earlier_handler_is_found() {
    let place = Place::new();
    let arguments = ["coexist", "--trials", "2", "--out", "run", "--plant", "forgets"];
    let output = place.stress(&[&arguments[..], &["--only", "order=they-first,walker=guarded"]].concat());
    assert_eq!(output.status.code(), Some(exit::FINDINGS), "{output:?}");
    for row in rows(&place, "run") {
        let nothing_to_forget = row.other.starts_with("sampler-") || row.other == "sig-dfl";
        let kept = if nothing_to_forget { 2 } else { 0 };
        assert_eq!((row.kills, row.restored, row.reached), (0, kept, kept), "{row:?}");
    }
}

#[test]
fn bad_selections_are_one_line_with_the_remedy() {
    let place = Place::new();
    place.refuses(
        &["coexist", "--only", "other=nobody"],
        exit::USAGE,
        &["other=nobody", "known: faulthandler"],
    );
    place.refuses(&["coexist", "--only", "size=3"], exit::USAGE, &["walker=…"]);
    let none = ["coexist", "--only", "other=sampler-ignored,walker=guarded-unasked"];
    place.refuses(&none, exit::NOTHING_RAN, &["no cell"]);
}

//! Compares a stormed run with the runs without a storm, and says which outcome it is.
//!
//! | what happened | outcome, phase |
//! |---|---|
//! | a process of the program died in a walk | `crash`, walk |
//! | nothing moved any more, in a walk | `hang`, walk |
//! | it died of a fault of its own, and never without a storm | `crash`, target |
//! | it did not end in time, and always did without | `hang`, target |
//! | another exit status, another result of a test, no results | `contract_violation`: the storm was not invisible |
//! | the same results | what the walks' tallies say |
//!
//! "Another" is one that no run without a storm had: what differs among those is unstable, and is not judged. A changed result is
//! not yet the walker's doing: signals alone change programs that do not expect EINTR, and `signal.pause` returns for every signal
//! that has a handler (test_signal's test_itimer_real and its like). So a run with a change is followed by one under a storm that
//! walks nothing, and the note says whether it does the same ([`control`]).

use super::process::End;
use super::shared::Shared;
use super::{NONE, junit::Results};
use crate::crash;
use crate::page::phase_of;
use serde::Serialize;
use sigwalk_record::{Crash, Outcome, Phase};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;

/// What a test has where it did not run.
const ABSENT: &str = "(absent)";

/// What is compared of a run.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How it ended.
    pub end: End,
    /// Of single tests, where the program writes such.
    pub tests: Option<Results>,
    /// Hash of what it printed: information, never judged.
    pub stdout: u64,
}

/// A test with a result that it never had without a storm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub test: String,
    /// Its result without signals.
    pub without: String,
    /// Its result with them.
    pub with: String,
}

/// Runs without a storm.
#[derive(Debug, Default)]
pub struct Plain {
    /// Each run.
    pub runs: Vec<Seen>,
}

impl Plain {
    fn results_of<'a>(&'a self, test: &str) -> BTreeSet<&'a str> {
        let runs = self.runs.iter().filter_map(|run| run.tests.as_ref());
        runs.map(|tests| tests.get(test).map_or(ABSENT, String::as_str)).collect()
    }

    /// Every test that any of them ran.
    #[must_use]
    pub fn tests(&self) -> BTreeSet<&str> {
        self.runs
            .iter()
            .filter_map(|run| run.tests.as_ref())
            .flatten()
            .map(|(test, _)| test.as_str())
            .collect()
    }

    /// Tests whose results differ among them.
    #[must_use]
    pub fn unstable(&self) -> BTreeSet<&str> {
        self.tests().into_iter().filter(|test| self.results_of(test).len() > 1).collect()
    }

    /// Tests of `with` that have a result that none of these has.
    #[must_use]
    pub fn changes(&self, with: &Results) -> Vec<Change> {
        let mut tests = self.tests();
        tests.extend(with.keys().map(String::as_str));
        let change = |test: &str| {
            let without = self.results_of(test);
            let now = with.get(test).map_or(ABSENT, String::as_str);
            (!without.contains(now)).then(|| Change {
                test: test.to_owned(),
                without: without.into_iter().collect::<Vec<_>>().join(" or "),
                with: now.to_owned(),
            })
        };
        tests.into_iter().filter_map(change).collect()
    }

    fn ended(&self, end: End) -> bool {
        self.runs.iter().any(|run| run.end == end)
    }

    fn ends(&self) -> String {
        let ends: BTreeSet<String> = self.runs.iter().map(|run| run.end.to_string()).collect();
        ends.into_iter().collect::<Vec<_>>().join(" or ")
    }
}

/// What became of a stormed run.
#[derive(Debug)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// Where it was.
    pub phase: Phase,
    /// Of what it died, where it died.
    pub crash: Option<Crash>,
    /// What else is to be said.
    pub note: Option<String>,
    /// Tests with another result.
    pub changes: Vec<Change>,
}

impl Verdict {
    /// Says more.
    pub fn add_note(&mut self, text: &str) {
        let note = self.note.get_or_insert_default();
        let join = if note.is_empty() { "" } else { "; " };
        note.push_str(join);
        note.push_str(text);
    }

    /// Whether the storm did something to the program.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::ContractViolation | Outcome::Impossible | Outcome::Hang | Outcome::Crash
        )
    }
}

/// Whether a storm without walks changes what the storm of `run` changed: `signals` is a run under one.
#[must_use]
pub fn control(plain: &Plain, run: &Seen, signals: &Seen) -> &'static str {
    let changes = |seen: &Seen| seen.tests.as_ref().map(|tests| plain.changes(tests));
    let within = match (changes(run), changes(signals)) {
        (Some(walks), Some(alone)) => walks.iter().all(|change| alone.contains(change)),
        (None, None) => true,
        _ => false,
    };
    if within && run.end == signals.end {
        "signals without walks do the same"
    } else {
        "signals without walks do not do the same"
    }
}

/// Judges a stormed run.
#[must_use]
pub fn judge(plain: &Plain, run: &Seen, shared: &Shared, walker: &str) -> Verdict {
    let page = &shared.page;
    let changes = match &run.tests {
        Some(tests) => plain.changes(tests),
        None => Vec::new(),
    };
    let crash = page
        .crash()
        .map(|(phase, crash, pc)| (phase, Crash { site: (pc != 0).then(|| shared.describe(pc)), ..crash }));
    let verdict =
        |outcome, phase, crash, note| Verdict { outcome, phase, crash, note, changes: changes.clone() };
    let unlike = || format!("{}; without the storm: {}", run.end, plain.ends());
    // In any of its processes: a forked child that dies in a walk need not end the program.
    if let Some((phase, crash)) = crash.clone().filter(|(phase, _)| phase.is_walking()) {
        return verdict(Outcome::Crash, phase, Some(crash), Some(run.end.to_string()));
    }
    match run.end {
        End::Late(true) => {
            return verdict(Outcome::Hang, phase_of(page.walk_phase.load(Relaxed)), None, None);
        }
        // Runs without a storm that are late end the soak: nothing could be compared.
        End::Late(false) => return verdict(Outcome::Hang, Phase::Target, None, Some(unlike())),
        End::Signal(signal) if !plain.ended(run.end) => {
            if crash::SIGNALS.contains(&signal) {
                let found = crash.map(|(_, crash)| crash).filter(|crash| crash.signal == signal);
                let crash = found.unwrap_or(Crash { signal, address: None, site: None });
                return verdict(Outcome::Crash, Phase::Target, Some(crash), Some(unlike()));
            }
            if signal == libc::SIGKILL {
                let note = "ended by signal 9 from outside".to_owned();
                return verdict(Outcome::HarnessError, Phase::Target, None, Some(note));
            }
        }
        _ => {}
    }
    let mut why = Vec::new();
    if !plain.ended(run.end) {
        why.push(unlike());
    }
    if run.tests.is_none() && plain.runs.iter().all(|seen| seen.tests.is_some()) {
        why.push("wrote no results of tests; without the storm it did".into());
    }
    if !changes.is_empty() {
        let word = |change: &Change| format!("{}: {}, was {}", change.test, change.with, change.without);
        let first: Vec<String> = changes.iter().take(5).map(word).collect();
        why.push(format!("{} tests with another result: {}", changes.len(), first.join("; ")));
    }
    if !why.is_empty() {
        return verdict(Outcome::ContractViolation, Phase::Done, None, Some(why.join("; ")));
    }
    let (signals, tallies) = (shared.signals.load(Relaxed), page.tallies());
    if signals == 0 || (walker != NONE && page.walks.load(Relaxed) == 0) {
        // A program that refuses its arguments says why on stderr; a storm that could not begin does, too.
        let note = format!("{signals} signals and no walk: nothing was measured ({})", run.end);
        return verdict(Outcome::HarnessError, Phase::Setup, None, Some(note));
    }
    // The end of a program that dies by itself, too.
    let note = (run.end != End::Exited(0)).then(|| format!("{}, as without the storm", run.end));
    verdict(tallies.outcome(), Phase::Done, None, note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Tally;

    fn seen(end: End, tests: &[(&str, &str)]) -> Seen {
        let tests = tests.iter().map(|(test, result)| ((*test).to_owned(), (*result).to_owned())).collect();
        Seen { end, tests: Some(tests), stdout: 0 }
    }

    fn stormed() -> &'static Shared {
        let (shared, _file) = Shared::create().unwrap();
        shared.signals.store(10, Relaxed);
        shared.page.walks.store(10, Relaxed);
        shared.page.count(Tally::Complete);
        shared
    }

    fn plain() -> Plain {
        let ok = End::Exited(0);
        Plain {
            runs: vec![seen(ok, &[("a", "ok"), ("b", "ok")]), seen(ok, &[("a", "ok"), ("b", "failure")])],
        }
    }

    #[test]
    fn what_differs_without_a_storm_is_not_judged() {
        let plain = plain();
        assert_eq!(plain.unstable().into_iter().collect::<Vec<_>>(), ["b"]);
        for result in ["ok", "failure"] {
            let run = seen(End::Exited(0), &[("a", "ok"), ("b", result)]);
            assert_eq!(judge(&plain, &run, stormed(), "guarded").outcome, Outcome::Complete, "{result}");
        }
    }

    #[test]
    fn every_other_result_is_a_changed_one() {
        for (end, tests) in [
            (End::Exited(0), &[("a", "failure"), ("b", "ok")][..]),
            (End::Exited(0), &[("a", "ok"), ("b", "error")]),
            (End::Exited(0), &[("b", "ok")]),
            (End::Exited(0), &[("a", "ok"), ("b", "ok"), ("c", "ok")]),
            (End::Exited(2), &[("a", "ok"), ("b", "ok")]),
        ] {
            let verdict = judge(&plain(), &seen(end, tests), stormed(), "guarded");
            assert_eq!(verdict.outcome, Outcome::ContractViolation, "{end} {tests:?}");
            assert!(verdict.is_finding() && verdict.note.is_some());
        }
        let without_results = Seen { tests: None, ..seen(End::Exited(0), &[]) };
        let verdict = judge(&plain(), &without_results, stormed(), "guarded");
        assert_eq!(verdict.outcome, Outcome::ContractViolation);
    }

    #[test]
    fn a_crash_is_the_walkers_in_a_walk_only_and_in_any_process() {
        let same = seen(End::Exited(0), &[("a", "ok"), ("b", "ok")]);
        let shared = stormed();
        shared.page.record_crash(libc::SIGSEGV, Phase::Walk, 0, 0);
        // The program's own, later, hides nothing.
        shared.page.record_crash(libc::SIGABRT, Phase::Target, 0, 0);
        let verdict = judge(&plain(), &same, shared, "pr-b1");
        assert_eq!((verdict.outcome, verdict.phase), (Outcome::Crash, Phase::Walk));
        assert_eq!(verdict.crash.unwrap().signal, libc::SIGSEGV);

        let died = Seen { tests: None, ..seen(End::Signal(libc::SIGSEGV), &[]) };
        let verdict = judge(&plain(), &died, stormed(), "pr-b1");
        assert_eq!((verdict.outcome, verdict.phase), (Outcome::Crash, Phase::Target));
        let dies_always = Plain { runs: vec![died.clone(), died.clone()] };
        assert_eq!(judge(&dies_always, &died, stormed(), "pr-b1").outcome, Outcome::Complete);
    }

    #[test]
    fn the_control_tells_signals_from_walks() {
        let changed = seen(End::Exited(2), &[("a", "failure"), ("b", "ok")]);
        let more = seen(End::Exited(2), &[("a", "failure"), ("b", "error")]);
        let unchanged = seen(End::Exited(0), &[("a", "ok"), ("b", "ok")]);
        let same = "signals without walks do the same";
        assert_eq!(control(&plain(), &changed, &changed), same);
        assert_eq!(control(&plain(), &changed, &more), same);
        assert_ne!(control(&plain(), &more, &changed), same);
        assert_ne!(control(&plain(), &changed, &unchanged), same);
    }

    #[test]
    fn a_storm_that_never_came_measured_nothing() {
        let same = seen(End::Exited(0), &[("a", "ok"), ("b", "ok")]);
        let (calm, _file) = Shared::create().unwrap();
        assert_eq!(judge(&plain(), &same, calm, "guarded").outcome, Outcome::HarnessError);
        calm.signals.store(1, Relaxed);
        assert_eq!(judge(&plain(), &same, calm, "guarded").outcome, Outcome::HarnessError);
        assert_eq!(judge(&plain(), &same, calm, NONE).outcome, Outcome::Complete);
    }
}

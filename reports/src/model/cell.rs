//! One cell: counts of trials, and the rates that follow.

use super::stepping::Stepping;
use crate::stats::{Interval, clopper_pearson, zero_event_bound};
use sigwalk_record::{Cell, Outcome, Phase, Tallies, Trial};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// k events in n trials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Trials with the event.
    pub k: u64,
    /// Trials.
    pub n: u64,
}

impl Count {
    /// Two-sided 95 % interval.
    pub fn interval(self) -> Interval {
        clopper_pearson(self.k, self.n)
    }

    /// Upper 95 % bound as printed beside k/n: one-sided when nothing happened, else the upper end of the interval.
    pub fn bound(self) -> f64 {
        if self.k == 0 { zero_event_bound(self.n) } else { self.interval().high }
    }
}

/// What is counted: one column of the report each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The process died in a walk, reading a frame or what hangs off it.
    CrashFrame,
    /// The process died in a walk, in the list of threads.
    CrashThreadList,
    /// The process died in a walk, at a thread's name.
    CrashThreadName,
    /// The process died outside any walk.
    CrashTarget,
    /// A walk did not end.
    Hang,
    /// The trial stood still outside any walk.
    HangTarget,
    /// A walk did what a handler must not do.
    ContractViolation,
    /// Some walk returned a wrong stack without saying so.
    Impossible,
    /// Silent: an edge that does not exist.
    Splice,
    /// Silent: a line that cannot be.
    WrongLine,
    /// Silent: cut and not said so.
    Prefix,
    /// Silent: true a moment before.
    Stale,
    /// Detected: ended early and said so.
    Truncated,
    /// Detected: refused and said so.
    Rejected,
    /// Detected: a load faulted and was recovered.
    RecoveredFault,
}

impl Event {
    /// All of them, with their names in `summary.json`.
    pub const ALL: [(Event, &'static str); 15] = [
        (Event::CrashFrame, "crash_frame"),
        (Event::CrashThreadList, "crash_thread_list"),
        (Event::CrashThreadName, "crash_thread_name"),
        (Event::CrashTarget, "crash_target"),
        (Event::Hang, "hang"),
        (Event::HangTarget, "hang_target"),
        (Event::ContractViolation, "contract_violation"),
        (Event::Impossible, "impossible"),
        (Event::Splice, "splice"),
        (Event::WrongLine, "wrong_line"),
        (Event::Prefix, "prefix"),
        (Event::Stale, "stale"),
        (Event::Truncated, "truncated"),
        (Event::Rejected, "rejected"),
        (Event::RecoveredFault, "recovered_fault"),
    ];

    /// Whether it is the oracle's judgement of an answer: a walker that prints has none.
    pub fn is_judgement(self) -> bool {
        matches!(self, Event::Impossible | Event::Splice | Event::WrongLine | Event::Prefix | Event::Stale)
    }

    /// Whether the trial shows it. Crash and hang are the trial's one outcome; the rest is "in at least one walk", so
    /// that a crash at the end of a trial does not hide the wrong stacks before it.
    pub(super) fn in_trial(self, trial: &Trial) -> bool {
        let (crash, hang) = (trial.outcome == Outcome::Crash, trial.outcome == Outcome::Hang);
        let tallies = &trial.tallies;
        match self {
            Event::CrashFrame => crash && trial.phase == Phase::Walk,
            Event::CrashThreadList => crash && trial.phase == Phase::ThreadList,
            Event::CrashThreadName => crash && trial.phase == Phase::ThreadName,
            Event::CrashTarget => crash && !trial.phase.is_walking(),
            Event::Hang => hang && trial.phase.is_walking(),
            Event::HangTarget => hang && !trial.phase.is_walking(),
            Event::ContractViolation => trial.outcome == Outcome::ContractViolation,
            Event::Impossible => tallies.silent() > 0 || trial.outcome == Outcome::Impossible,
            Event::Splice => tallies.splice > 0,
            Event::WrongLine => tallies.wrong_line > 0,
            Event::Prefix => tallies.prefix > 0,
            Event::Stale => tallies.stale > 0,
            Event::Truncated => tallies.truncated > 0 || trial.outcome == Outcome::Truncated,
            Event::Rejected => tallies.rejected > 0 || trial.outcome == Outcome::Rejected,
            Event::RecoveredFault => tallies.recovered_faults > 0 || trial.outcome == Outcome::RecoveredFault,
        }
    }
}

/// A cell and what was counted in it.
#[derive(Debug)]
pub struct CellStats {
    /// As declared.
    pub cell: Cell,
    /// Trials declared, by campaign.
    pub declared: BTreeMap<String, u64>,
    /// Trials by outcome, harness errors among them.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Walks over all trials: shown, never an n.
    pub walks: u64,
    /// Walks that returned an impossible stack and did not say so: shown beside the trials that had one, never a k.
    pub silent_walks: u64,
    /// Walks that were due and not begun: shown beside the walks.
    pub missed: u64,
    /// What stepping met.
    pub stepping: Stepping,
    /// The first note of an impossible stack.
    pub example: Option<String>,
    /// The first note of a harness error.
    pub harness_note: Option<String>,
    /// Milliseconds of all trials up to the first that showed the cell's known bug, that one included.
    pub first_hit_ms: Option<f64>,
    spent_ms: f64,
    events: [u64; Event::ALL.len()],
    /// Walks of all trials, by what they were.
    pub tallies: Tallies,
}

impl CellStats {
    /// An empty cell.
    pub fn new(cell: &Cell) -> Self {
        Self {
            cell: cell.clone(),
            declared: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            walks: 0,
            silent_walks: 0,
            missed: 0,
            stepping: Stepping::default(),
            example: None,
            harness_note: None,
            first_hit_ms: None,
            spent_ms: 0.0,
            events: [0; Event::ALL.len()],
            tallies: Tallies::default(),
        }
    }

    /// Whether another run declared the same experiment (n may differ between shards and campaigns).
    pub fn same_experiment(&self, other: &Cell) -> bool {
        let cell = &self.cell;
        (&cell.workload, &cell.walker, &cell.target, &cell.fault, &cell.params)
            == (&other.workload, &other.walker, &other.target, &other.fault, &other.params)
    }

    /// Whether it is one of the many cells of a sweep, each with few trials: its name ends in what is swept.
    pub fn swept(&self) -> bool {
        self.cell.id.rsplit('/').next().is_some_and(|last| last.contains('='))
    }

    /// Counts a trial.
    pub fn add(&mut self, trial: &Trial) {
        *self.outcomes.entry(trial.outcome).or_default() += 1;
        self.spent_ms += trial.millis;
        if self.cell.bug.as_ref().is_some_and(|bug| bug.hit.contains(&trial.outcome)) {
            self.first_hit_ms.get_or_insert(self.spent_ms);
        }
        if trial.outcome == Outcome::HarnessError {
            self.harness_note = self.harness_note.take().or_else(|| trial.note.clone());
            return;
        }
        self.walks += trial.walks;
        self.tallies.add(&trial.tallies);
        self.silent_walks += trial.tallies.silent();
        self.missed += trial.tallies.missed;
        // Instructions between the loads of an interleaved walk are no boundaries that were walked.
        if self.cell.workload == "step" {
            self.stepping.add(trial);
        }
        for (index, (event, _)) in Event::ALL.iter().enumerate() {
            self.events[index] += u64::from(event.in_trial(trial));
        }
        if self.example.is_none() && self.cell.judged && Event::Impossible.in_trial(trial) {
            self.example.clone_from(&trial.note);
        }
    }

    /// Trials that measured something.
    pub fn n(&self) -> u64 {
        self.outcomes.values().sum::<u64>() - self.harness_errors()
    }

    /// Trials in which the harness itself failed.
    pub fn harness_errors(&self) -> u64 {
        self.outcomes.get(&Outcome::HarnessError).copied().unwrap_or(0)
    }

    /// Trials declared over all campaigns.
    pub fn declared(&self) -> u64 {
        self.declared.values().sum()
    }

    /// k/n of an event.
    pub fn count(&self, event: Event) -> Count {
        Count { k: self.events[event as usize], n: self.n() }
    }

    /// The same, or nothing where nobody judged: that is not a count of zero.
    pub fn judged(&self, event: Event) -> Option<Count> {
        (self.cell.judged || !event.is_judgement()).then(|| self.count(event))
    }

    /// Name of target and fault, as one label.
    pub fn target_label(&self) -> String {
        if self.cell.fault.is_empty() {
            self.cell.target.clone()
        } else {
            format!("{} + {}", self.cell.target, self.cell.fault)
        }
    }

    /// The same with the rows of the catalogue that it stands for.
    pub fn target_with_ids(&self) -> String {
        match self.cell.ids.as_slice() {
            [] => self.target_label(),
            ids => format!("{} ({})", self.target_label(), ids.join(", ")),
        }
    }

    /// What of the id tells it from a cell of the same target and walker: ` depth=1,work=0` of a swept one; empty when nothing does.
    pub fn variant(&self) -> String {
        let Cell { id, interpreter, workload, target, walker, fault, .. } = &self.cell;
        let rest =
            id.strip_prefix(&format!("{interpreter}/{workload}/{target}/{walker}")).unwrap_or_default();
        let rest = match fault.is_empty() {
            true => rest,
            false => rest.strip_prefix(&format!("/{fault}")).unwrap_or(rest),
        };
        rest.replace('/', " ")
    }

    /// Trials whose worst outcome is one that the walker itself reported: cut, refused, saved from a fault.
    pub fn reported(&self) -> Count {
        let of = |outcome| self.outcomes.get(&outcome).copied().unwrap_or(0);
        let k = of(Outcome::Truncated) + of(Outcome::Rejected) + of(Outcome::RecoveredFault);
        Count { k, n: self.n() }
    }

    /// The parameters as one text.
    pub fn params(&self) -> String {
        self.cell.params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

/// The cell with the worst count: one with an event before one without, one of its own before one of a sweep, then the highest
/// bound. Cells are compared, never added up: they differ in target. A cell without the count is passed over.
pub fn worst<'a>(
    cells: &[&'a CellStats],
    count: impl Fn(&CellStats) -> Option<Count>,
) -> Option<(&'a CellStats, Count)> {
    let counted = cells.iter().filter_map(|cell| Some((*cell, count(cell)?)));
    counted.max_by(severity)
}

/// The order of [`worst`]: what is worse is greater.
pub fn severity(a: &(&CellStats, Count), b: &(&CellStats, Count)) -> Ordering {
    (a.1.k > 0)
        .cmp(&(b.1.k > 0))
        .then((a.1.k > 0 || !a.0.swept()).cmp(&(b.1.k > 0 || !b.0.swept())))
        .then(a.1.bound().total_cmp(&b.1.bound()))
        .then(b.0.cell.id.cmp(&a.0.cell.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(id: &str) -> CellStats {
        CellStats::new(&Cell { id: id.to_owned(), ..Cell::default() })
    }

    /// A hundred trials of each point of a curve bound nothing that three hundred of the plain cell have not bounded better.
    #[test]
    fn a_sweep_shows_events_and_does_not_loosen_bounds() {
        let (plain, swept) =
            (cell("3.15/other/call-tree/guarded"), cell("3.15/other/call-tree/guarded/depth=1,work=3"));
        assert!(swept.swept() && !plain.swept());
        let worst_of = |hits: u64| {
            let count = |cell: &CellStats| {
                Some(if cell.swept() { Count { k: hits, n: 100 } } else { Count { k: 0, n: 300 } })
            };
            worst(&[&plain, &swept], count).map(|(cell, found)| (cell.swept(), found.k, found.n))
        };
        assert_eq!(worst_of(0), Some((false, 0, 300)));
        assert_eq!(worst_of(1), Some((true, 1, 100)));
    }
}

//! What a trial's end means, and the row of a cell.

use super::shared::{Said, Shared, Stage};
use super::trial::Cast;
use sigwalk_record::{Coexistence, SCHEMA};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

/// How the process of a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// It stood still, and was killed.
    Late,
}

/// The row of a cell, trial by trial.
pub struct Tally {
    row: Coexistence,
    /// Where guarded loads are not protected, the walker reads in another way.
    falls_back: bool,
    notes: BTreeMap<String, u64>,
}

impl Tally {
    /// No trial yet.
    #[must_use]
    pub fn new(cast: &Cast, interpreter: &str) -> Tally {
        let row = Coexistence {
            schema: SCHEMA,
            interpreter: interpreter.to_owned(),
            walker: cast.sampler.name.into(),
            other: cast.component.name.into(),
            order: cast.order.name().into(),
            ours: cast.sampler.ours,
            ..Coexistence::default()
        };
        Tally { row, falls_back: cast.sampler.falls_back, notes: BTreeMap::new() }
    }

    /// Counts a trial.
    ///
    /// # Errors
    /// It could not be judged: the harness failed, or a walk said what no walk may say.
    pub fn add(&mut self, ended: Ended, shared: &Shared) -> Result<(), String> {
        let stage = shared.stage();
        let outside = [libc::SIGKILL, libc::SIGTERM, libc::SIGINT, libc::SIGHUP];
        match ended {
            Ended::Exit(0) if stage == Stage::Done => self.survived(shared)?,
            _ if shared.page.failed.load(Relaxed) != 0 => {
                return Err(shared.page.note().unwrap_or_default());
            }
            Ended::Signal(signal) if outside.contains(&signal) => {
                return Err(format!("ended by signal {signal} from outside"));
            }
            _ if stage == Stage::Setup => return Err(format!("{ended:?} before anything was installed")),
            died => {
                self.row.kills += 1;
                self.note(format!("{} {}", death(died), stage.name()));
            }
        }
        self.row.n += 1;
        if shared.alarmed.load(Relaxed) > 0 {
            self.note("the other component took our bad load for a crash".into());
        }
        Ok(())
    }

    fn survived(&mut self, shared: &Shared) -> Result<(), String> {
        let protected = shared.protected.load(Relaxed) == 2;
        let said = [0, 1].map(|turn| shared.said(turn));
        match said {
            [Said::Failed, Said::Complete] if self.falls_back && !protected => self.row.falls_back += 1,
            // Loads that nobody asked about recover, too, where the other component hands our fault on.
            [Said::Failed, Said::Complete] => self.row.recovers += 1,
            [first @ (Said::Unprotected | Said::Taken), second] if first == second => {
                self.row.loses_recovery += 1;
                self.note(first.name().into());
            }
            [first, second] => {
                return Err(format!(
                    "the walk over the bad address gave {}, and that over the undamaged stack {}",
                    first.name(),
                    second.name()
                ));
            }
        }
        self.row.restored += u64::from(shared.restored.load(Relaxed));
        self.row.reached += u64::from(shared.reached.load(Relaxed) == 2);
        Ok(())
    }

    fn note(&mut self, text: String) {
        *self.notes.entry(text).or_default() += 1;
    }

    /// The row of all trials.
    #[must_use]
    pub fn row(self) -> Coexistence {
        let notes: Vec<String> = self.notes.iter().map(|(text, count)| format!("{text} ×{count}")).collect();
        Coexistence { note: notes.join("; "), ..self.row }
    }
}

/// A way of ours that killed, or did not leave the signals to whom they belong.
#[must_use]
pub fn is_finding(row: &Coexistence) -> bool {
    row.ours && (row.kills > 0 || row.restored < row.n || row.reached < row.n)
}

fn death(ended: Ended) -> String {
    match ended {
        Ended::Exit(code) => format!("ended by the other component with {code}"),
        Ended::Late => "stood still".into(),
        Ended::Signal(libc::SIGSEGV) => "SIGSEGV".into(),
        Ended::Signal(libc::SIGBUS) => "SIGBUS".into(),
        Ended::Signal(libc::SIGPROF) => "SIGPROF".into(),
        Ended::Signal(libc::SIGABRT) => "SIGABRT".into(),
        Ended::Signal(signal) => format!("signal {signal}"),
    }
}

//! Rows that are shown as they were written: contract, coexistence, lifetimes, allocations.

use super::find::Found;
use super::ingest::{Ingest, Origin};
use super::lines::{self, Done};
use super::mutated::possible;
use crate::failure::Failure;
use sigwalk_record::{Allocated, Coexistence, Contract, Kind, Lifetime};
use std::path::Path;

impl Ingest<'_, '_> {
    /// The rows of a run of these kinds.
    pub fn measured(&mut self, run: &Found, origin: &Origin, path: &Path) -> Result<Option<Done>, Failure> {
        match run.manifest.kind {
            Kind::Contract => lines::each(path, |line, row: Contract| {
                let walks = row.walks;
                let counts: Vec<u64> =
                    [walks, row.frames, row.stack].into_iter().chain(row.touched.values().copied()).collect();
                possible(path, line, &counts)?;
                let most = row.violations.values().max().copied().unwrap_or_default();
                adds_up(path, line, most <= walks, "more walks with a violation than walks")?;
                let key = ["contract", &row.subject, &row.context].map(str::to_owned);
                self.row(run, origin, path, line, &row.interpreter, key.into())?;
                self.records.contracts.push(row);
                Ok(())
            }),
            Kind::Coexistence => lines::each(path, |line, row: Coexistence| {
                let parts = [row.recovers, row.falls_back, row.loses_recovery, row.kills];
                possible(path, line, &parts)?;
                let sum: u64 = parts.iter().sum();
                let survived = sum - row.kills;
                let right = sum == row.n && row.restored <= survived && row.reached <= survived;
                adds_up(path, line, right, "the outcomes do not add up to n")?;
                let key = ["coexistence", &row.walker, &row.other, &row.order].map(str::to_owned);
                self.row(run, origin, path, line, &row.interpreter, key.into())?;
                self.records.coexistence.push(row);
                Ok(())
            }),
            Kind::Lifetimes => lines::each(path, |line, row: Lifetime| {
                let parts = [row.alive, row.dead, row.recycled, row.wrong];
                possible(path, line, &parts)?;
                let sum: u64 = parts.iter().sum();
                let gone = sum - row.alive;
                let by_trial = row.by_trial.iter().fold([0_u64; 2], |[k, n], trial| {
                    [k.saturating_add(trial[0]), n.saturating_add(trial[1])]
                });
                let right = sum == row.n
                    && row.noticed <= gone
                    && row.false_alarms <= row.alive
                    && row.by_trial.len() as u64 == row.trials
                    && by_trial == [gone, sum]
                    && row.by_trial.iter().all(|[gone, n]| gone <= n);
                adds_up(path, line, right, "the outcomes do not add up to n")?;
                let key =
                    ["lifetime", &row.churn, &row.technique, &row.delay_ns.to_string()].map(str::to_owned);
                self.row(run, origin, path, line, &row.interpreter, key.into())?;
                self.records.lifetimes.push(row);
                Ok(())
            }),
            _ => lines::each(path, |line, row: Allocated| {
                possible(path, line, &[row.size, row.count])?;
                let mut key = vec!["allocated".to_owned(), row.program.clone(), row.size.to_string()];
                key.extend(row.stack.iter().cloned());
                self.row(run, origin, path, line, &row.interpreter, key)?;
                self.records.allocations.push(row);
                Ok(())
            }),
        }
    }

    fn row(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        interpreter: &str,
        mut key: Vec<String>,
    ) -> Result<(), Failure> {
        self.same_interpreter(run, path, line, interpreter)?;
        key.push(interpreter.to_owned());
        self.once.take(run, origin, path, line, key)
    }
}

fn adds_up(path: &Path, line: u64, right: bool, reason: &str) -> Result<(), Failure> {
    if right { Ok(()) } else { Err(lines::at(path, line, format!("{reason}; run it again"))) }
}

//! Records into aggregates, one row at a time, refusing what does not belong together.

use super::find::Found;
use super::lines::{self, Done};
use super::mutated::{MOST, Once, possible};
use super::{Watch, builds, seen::Seen};
use crate::failure::Failure;
use crate::model::cell::CellStats;
use crate::model::records::{Records, Run};
use crate::progress::Progress;
use sigwalk_record::{Cell, Cost, Count, Kind, Trial};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// (interpreter tag, campaign id): within these an index means one trial.
pub type Origin = (String, String);

pub struct Ingest<'a, 'w> {
    pub(super) records: Records,
    seen: BTreeMap<Origin, Seen>,
    /// Where each row about mutated memory came from.
    pub(super) once: Once,
    /// Whether a file of the run that is being read was cut short.
    cut: bool,
    progress: &'a mut Progress,
    watch: Option<&'w mut dyn Watch>,
}

impl<'a, 'w> Ingest<'a, 'w> {
    /// Nothing yet.
    pub fn new(progress: &'a mut Progress, watch: Option<&'w mut dyn Watch>) -> Self {
        let (records, seen, once) = Default::default();
        Self { records, seen, once, cut: false, progress, watch }
    }

    /// Keeps what a comparison needs of every trial.
    pub fn for_comparison(mut self) -> Self {
        self.records.seeds.keep();
        self
    }

    /// Takes the manifest of a run. All manifests come before all rows.
    pub fn manifest(&mut self, run: &Found) -> Result<(), Failure> {
        builds::add(&mut self.records.builds, run)?;
        let manifest = &run.manifest;
        let campaign = &manifest.campaign;
        self.records.campaigns.entry(campaign.id.clone()).or_insert_with(|| campaign.clone());
        for cell in &manifest.cells {
            self.declare(run, cell)?;
        }
        Ok(())
    }

    fn declare(&mut self, run: &Found, cell: &Cell) -> Result<(), Failure> {
        let campaign = &run.manifest.campaign.id;
        let refuse = |reason: String| {
            Err(Failure::incompatible(format!(
                "{}:1: cell {}: {reason}",
                run.dir.join("manifest.json").display(),
                cell.id
            )))
        };
        if cell.interpreter != run.manifest.interpreter.tag {
            return refuse(format!(
                "interpreter {} in a run of {}; restore the manifest or leave this directory out",
                cell.interpreter, run.manifest.interpreter.tag
            ));
        }
        if cell.n > MOST {
            return refuse(format!(
                "{} trials are more than any run can make; restore the manifest or leave this directory out",
                cell.n
            ));
        }
        let known = self.records.cells.entry(cell.id.clone()).or_insert_with(|| CellStats::new(cell));
        if !known.same_experiment(cell) {
            return refuse("declared differently in another run; a rate belongs to one set of parameters: report them apart".to_owned());
        }
        let declared = known.declared.entry(campaign.clone()).or_default();
        *declared = (*declared).max(cell.n);
        // Judged by one run and not by another: together they were not.
        known.cell.judged &= cell.judged;
        // The campaign of known bugs may share a cell with one that does not care.
        if known.cell.bug.is_none() {
            known.cell.bug.clone_from(&cell.bug);
        }
        if known.cell.not_available.is_empty() {
            known.cell.not_available.clone_from(&cell.not_available);
        }
        Ok(())
    }

    /// Takes the rows of a run.
    pub fn rows(&mut self, run: &Found) -> Result<(), Failure> {
        let manifest = &run.manifest;
        let origin = (manifest.interpreter.tag.clone(), manifest.campaign.id.clone());
        let name = manifest.kind.file();
        let path = run.dir.join(name);
        let done = match manifest.kind {
            Kind::Trials => {
                lines::each(&path, |line, trial: Trial| self.trial(run, &origin, &path, line, &trial))?
            }
            Kind::Mutations => self.mutated(run, &origin)?,
            Kind::Cost => {
                self.counts(run)?;
                lines::each(&path, |line, row: Cost| self.cost(run, &path, line, row))?
            }
            Kind::Contract | Kind::Coexistence | Kind::Lifetimes | Kind::Allocations => {
                self.measured(run, &origin, &path)?
            }
        };
        let shown = run.dir.join(name).display().to_string();
        let nothing_expected = !manifest.complete
            || (!manifest.cells.is_empty()
                && manifest.cells.iter().all(|cell| !cell.not_available.is_empty()));
        if done.is_none() && !nothing_expected {
            return Err(Failure::incompatible(format!(
                "{shown}: missing, though the manifest calls the run complete; restore the file or leave this directory out"
            )));
        }
        let Done { rows, dropped } = done.unwrap_or_default();
        self.cut_short(&shown, dropped);
        if !manifest.complete {
            self.records.notices.push(format!(
                "{}: the run was not finished; its rows count, and the report is exploratory",
                run.dir.display()
            ));
        }
        self.records.runs.push(Run {
            dir: run.dir.display().to_string(),
            file: name,
            kind: manifest.kind,
            interpreter: manifest.interpreter.tag.clone(),
            campaign: manifest.campaign.name.clone(),
            campaign_id: manifest.campaign.id.clone(),
            profile: manifest.environment.profile.clone(),
            load: manifest.environment.load.clone(),
            settings: manifest.environment.other.clone(),
            complete: manifest.complete,
            started: manifest.started.clone(),
            ended: manifest.ended.clone(),
            rows,
            dropped: std::mem::take(&mut self.cut),
        });
        Ok(())
    }

    fn trial(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        trial: &Trial,
    ) -> Result<(), Failure> {
        let tallies = &trial.tallies;
        let counts = [
            trial.walks,
            trial.frames,
            trial.boundaries,
            tallies.complete,
            tallies.truncated,
            tallies.rejected,
            tallies.recovered_faults,
            tallies.splice,
            tallies.wrong_line,
            tallies.prefix,
            tallies.stale,
            tallies.no_thread_state,
            tallies.missed,
        ];
        possible(path, line, &counts)?;
        trial.illegal.iter().try_for_each(|illegal| possible(path, line, &[illegal.count]))?;
        // A cell must be declared by this campaign: an id known from elsewhere may mean other parameters.
        let known =
            self.records.cells.get_mut(&trial.cell).filter(|cell| cell.declared.contains_key(&origin.1));
        let Some(cell) = known else {
            return Err(lines::at(
                path,
                line,
                format!(
                    "cell {} is not in the manifest; restore the manifest or leave this directory out",
                    trial.cell
                ),
            ));
        };
        let seen = match self.seen.get_mut(origin) {
            Some(seen) => seen,
            None => self.seen.entry(origin.clone()).or_default(),
        };
        if !seen.insert(trial.trial) {
            return Err(lines::at(
                path,
                line,
                format!(
                    "trial {} of campaign {} was read before; name each shard once and no copy of it",
                    trial.trial, origin.1
                ),
            ));
        }
        if let Some(watch) = &mut self.watch {
            watch.trial(&run.manifest.campaign, &cell.cell, trial)?;
        }
        self.progress.row(&run.dir)?;
        cell.add(trial);
        self.records.pairs.add(cell, trial);
        self.records.seeds.add(&cell.cell, trial, self.records.runs.len());
        self.records.buckets.add(&cell.cell, trial, &run.dir);
        Ok(())
    }

    fn cost(&mut self, run: &Found, path: &Path, line: u64, row: Cost) -> Result<(), Failure> {
        self.same_interpreter(run, path, line, &row.interpreter)?;
        if row.frames == 0 || row.samples.is_empty() || row.samples.iter().any(|sample| sample.iters == 0) {
            return Err(lines::at(
                path,
                line,
                "no frames, no samples or a batch of no iterations; run the benches again",
            ));
        }
        self.records.cost.add(row, self.records.runs.len());
        Ok(())
    }

    /// What was counted stands beside the costs, where it could be counted.
    fn counts(&mut self, run: &Found) -> Result<(), Failure> {
        let path = run.dir.join("counts.jsonl");
        let done = lines::each(&path, |line, row: Count| {
            self.same_interpreter(run, &path, line, &row.interpreter)?;
            if row.counts.is_empty() {
                return Err(lines::at(&path, line, "no count; run the benches again"));
            }
            self.records.cost.count(row);
            Ok(())
        })?;
        self.cut_short(&path.display().to_string(), done.and_then(|done| done.dropped));
        Ok(())
    }

    pub(super) fn cut_short(&mut self, file: &str, dropped: Option<u64>) {
        self.cut |= dropped.is_some();
        self.records.notices.extend(dropped.map(|line| {
            format!("{file}:{line}: the last line was cut short and is left out; the rows before it count")
        }));
    }

    pub(super) fn same_interpreter(
        &self,
        run: &Found,
        path: &Path,
        line: u64,
        tag: &str,
    ) -> Result<(), Failure> {
        let expected = &run.manifest.interpreter.tag;
        if tag == expected {
            return Ok(());
        }
        Err(lines::at(
            path,
            line,
            format!("interpreter {tag} in a run of {expected}; give each interpreter its own run directory"),
        ))
    }

    /// The records, unless nothing ran.
    pub fn finish(self, dirs: &[PathBuf]) -> Result<Records, Failure> {
        let named = dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ");
        if self.records.runs.is_empty() {
            return Err(Failure::nothing_ran(format!(
                "{named}: no manifest.json here or below; run a campaign first, e.g. scripts/evaluate --quick"
            )));
        }
        if self.records.runs.iter().all(|run| run.rows == 0) {
            return Err(Failure::nothing_ran(format!(
                "{named}: the campaign holds no record; run it first, e.g. scripts/evaluate --quick"
            )));
        }
        Ok(self.records)
    }
}

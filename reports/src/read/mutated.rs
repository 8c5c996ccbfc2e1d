//! Rows of `mutations.jsonl` and of the files beside it.

use super::find::Found;
use super::ingest::{Ingest, Origin};
use super::lines::{self, Done};
use crate::failure::Failure;
use crate::model::{check, injected, mutation};
use sigwalk_record::{Check, Freed, Injection, Mode, Mutation, Record};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// More of anything than a campaign can make: sums of such counts would not fit.
pub(super) const MOST: u64 = 1 << 48;

/// The same row in two runs of one campaign: one of them is a copy.
#[derive(Debug, Default)]
pub struct Once(BTreeMap<(Origin, Vec<String>), PathBuf>);

impl Once {
    pub(super) fn take(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        key: Vec<String>,
    ) -> Result<(), Failure> {
        if origin.1.is_empty() {
            return Ok(());
        }
        let first = self.0.entry((origin.clone(), key)).or_insert_with(|| run.dir.clone());
        if *first == run.dir {
            return Ok(());
        }
        let reason = format!(
            "the same row of campaign {} is in {}; name each run once and no copy of it",
            origin.1,
            first.display()
        );
        Err(lines::at(path, line, reason))
    }
}

impl Ingest<'_, '_> {
    /// A run of mutations; what stands beside it first.
    pub fn mutated(&mut self, run: &Found, origin: &Origin) -> Result<Option<Done>, Failure> {
        let mut beside = 0;
        beside += self.file(run, "checks.jsonl", |ingest, path, line, row: Check| {
            ingest.check(run, origin, path, line, row)
        })?;
        beside += self.file(run, "injections.jsonl", |ingest, path, line, row: Injection| {
            ingest.injection(run, origin, path, line, row)
        })?;
        beside += self.file(run, "freed.jsonl", |ingest, path, line, row: Freed| {
            ingest.freed(run, origin, path, line, &row)
        })?;
        let path = run.dir.join("mutations.jsonl");
        let done = lines::each(&path, |line, row: Mutation| self.mutation(run, origin, &path, line, row))?;
        Ok(match done {
            Some(done) => Some(Done { rows: done.rows + beside, ..done }),
            None => (beside > 0).then_some(Done { rows: beside, dropped: None }),
        })
    }

    /// A file that may be missing; how many rows it has.
    fn file<T: Record>(
        &mut self,
        run: &Found,
        name: &str,
        mut take: impl FnMut(&mut Self, &Path, u64, T) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let path = run.dir.join(name);
        let done = lines::each(&path, |line, row: T| take(self, &path, line, row))?.unwrap_or_default();
        self.cut_short(&path.display().to_string(), done.dropped);
        Ok(done.rows)
    }

    fn mutation(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        row: Mutation,
    ) -> Result<(), Failure> {
        self.same_interpreter(run, path, line, &row.interpreter)?;
        possible(path, line, &[row.walks, row.stacks, row.hops])?;
        if !mutation::adds_up(&row) {
            let reason =
                format!("the outcomes do not add up to {} walks; run the mutations again", row.walks);
            return Err(lines::at(path, line, reason));
        }
        let key = mutation::key(&row);
        let (interpreter, walker, field, model) = key.clone();
        self.once.take(run, origin, path, line, vec!["m".into(), interpreter, walker, field, model])?;
        self.records.mutations.add(key, row);
        Ok(())
    }

    fn check(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        row: Check,
    ) -> Result<(), Failure> {
        self.same_interpreter(run, path, line, &row.interpreter)?;
        possible(path, line, &[row.walks, row.stacks])?;
        if let Some(reason) = check::contradiction(&row) {
            let reason = format!("check {}: {reason}; run the mutations again", row.check);
            return Err(lines::at(path, line, reason));
        }
        let (interpreter, family, name, field, model) = check::key(&row);
        self.once.take(run, origin, path, line, vec!["c".into(), interpreter, family, name, field, model])?;
        self.records.checks.add(row);
        Ok(())
    }

    fn injection(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        row: Injection,
    ) -> Result<(), Failure> {
        self.same_interpreter(run, path, line, &row.interpreter)?;
        possible(path, line, &[row.walks, row.stacks, row.longest, row.failed, row.unprotected])?;
        if !injected::adds_up(&row) {
            let reason =
                format!("the outcomes do not add up to {} walks; run the injection again", row.walks);
            return Err(lines::at(path, line, reason));
        }
        if (row.mode == Mode::Rate) != (row.per_million > 0) || row.per_million > 1_000_000 {
            let reason = format!(
                "mode {} with {} parts of a million; run the injection again",
                row.mode.name(),
                row.per_million
            );
            return Err(lines::at(path, line, reason));
        }
        let (interpreter, walker, mode, per_million) = injected::key(&row);
        let key = vec!["i".into(), interpreter, walker, mode.name().into(), per_million.to_string()];
        self.once.take(run, origin, path, line, key)?;
        self.records.injections.add(row);
        Ok(())
    }

    fn freed(
        &mut self,
        run: &Found,
        origin: &Origin,
        path: &Path,
        line: u64,
        row: &Freed,
    ) -> Result<(), Failure> {
        self.same_interpreter(run, path, line, &row.interpreter)?;
        possible(path, line, &[row.objects])?;
        let (interpreter, model, word, found) = injected::freed_key(row);
        self.once.take(run, origin, path, line, vec!["f".into(), interpreter, model, word, found])?;
        self.records.freed.add(row);
        Ok(())
    }
}

pub(super) fn possible(path: &Path, line: u64, counts: &[u64]) -> Result<(), Failure> {
    match counts.iter().find(|count| **count > MOST) {
        None => Ok(()),
        Some(count) => Err(lines::at(
            path,
            line,
            format!(
                "{count} is more than any run can count; restore the file, or leave this run directory out"
            ),
        )),
    }
}

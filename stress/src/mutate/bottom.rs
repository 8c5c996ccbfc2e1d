//! What is done at the bottom of a stack: one thread, attached, in native code. A fault is made, everybody walks, it is taken
//! back.

use super::campaign::{Campaign, Group, Inject};
use super::change::{Change, Writable};
use super::checks::Checks;
use super::counters::{Counters, Head, all_pairs};
use super::differential::{Differential, Theirs};
use super::process::Told;
use super::stack::{Captured, KINDS, Memory, SOURCE};
use super::subjects::{self, Answer, COUNT, CPYTHON_C, How, Subjects};
use super::tally::{self, Outcome, Verdict};
use super::victims::Victims;
use crate::inject;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sigwalk::reader::VmReader;
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::{self, Entry, Reads};
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::ffi::CString;
use std::sync::{Arc, Mutex};

/// What a stack's process needs; made before it is forked.
#[derive(Clone, Copy)]
pub struct Worker {
    /// The interpreter, as its parent sees it.
    pub live: &'static Live,
    /// What is to be done.
    pub campaign: &'static Campaign,
    /// Where values may point.
    pub memory: Memory,
    /// Where walks are counted.
    pub counters: Counters,
    /// CPython's own helpers, where this interpreter has them.
    pub theirs: Option<Theirs>,
    /// Tag of the interpreter.
    pub tag: &'static str,
    /// Draws that are told.
    pub told: Told,
}

/// Draws for each that is wanted: where nearly nothing applies to a stack, the campaign says so instead of going on.
const TRIES: u64 = 100;

impl Worker {
    /// Makes the stack of that number, and does all that is to be done at its bottom.
    ///
    /// # Errors
    /// Of Python, or a healthy stack whose strict walk is not complete.
    pub fn run(self, stack: u64) -> Result<(), String> {
        // Of this process: the reader was made by its parent.
        let live: &'static Live = Box::leak(Box::new(self.live.reading(VmReader::own())));
        let worker = Worker { live, ..self };
        let random = ChaCha8Rng::seed_from_u64(self.campaign.seed(stack));
        Python::attach(|py| worker.on_a_fresh_stack(py, stack, random))
            .map_err(|error: PyErr| format!("making a stack: {error}"))?
    }

    fn on_a_fresh_stack(
        self,
        py: Python<'_>,
        stack: u64,
        mut random: ChaCha8Rng,
    ) -> PyResult<Result<(), String>> {
        let globals = PyDict::new(py);
        py.run(&CString::new(SOURCE)?, Some(&globals), None)?;
        let depth = random.random_range(4..16);
        let kinds: Vec<&str> = (0..depth).map(|_| KINDS[random.random_range(0..KINDS.len())]).collect();
        let gaps: Vec<u32> = (0..7).map(|_| [0, 0, 1, 3, 40][random.random_range(0..5)]).collect();
        let result = Arc::new(Mutex::new((random, Err("the bottom was not reached".to_owned()))));
        let shared = Arc::clone(&result);
        let bottom = PyCFunction::new_closure(
            py,
            None,
            None,
            move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<i32> {
                let (random, result) = &mut *shared.lock().expect("one thread");
                *result = self.at_the_bottom(arguments.py(), stack, random)?;
                Ok(0)
            },
        )?;
        let make = globals.get_item("make_stack")?.expect("stack.py defines it");
        make.call1((kinds, gaps, bottom))?.call1((1,))?;
        let (_, result) = &mut *result.lock().expect("one thread");
        Ok(std::mem::replace(result, Ok(())))
    }

    fn at_the_bottom(
        &self,
        py: Python<'_>,
        stack: u64,
        random: &mut ChaCha8Rng,
    ) -> PyResult<Result<(), String>> {
        let (victims, kept) = Victims::make(py, self.live)?;
        for row in victims.found(self.live, self.tag) {
            self.counters.leave(&serde_json::to_string(&row).expect("plain data"));
        }
        let result = Captured::here(self.live, self.memory, victims)
            .and_then(|captured| self.all_groups(&captured, stack, random));
        drop(kept);
        Ok(result)
    }

    fn all_groups(&self, stack: &Captured<'_>, number: u64, random: &mut ChaCha8Rng) -> Result<(), String> {
        for group in &self.campaign.groups {
            Walkers::new(self, stack, group)?.all_draws(group, random)?;
        }
        match &self.campaign.inject {
            Some(inject) if number.is_multiple_of(inject.every) => self.inject(stack, inject, random),
            _ => Ok(()),
        }
    }

    /// Loads that fail, and pages that are taken away.
    fn inject(&self, stack: &Captured<'_>, inject: &Inject, random: &mut ChaCha8Rng) -> Result<(), String> {
        let request = Request::new(&self.live.interpreter, stack.tstate, Detail::Line);
        // Of a walker that reads raw each failed load is a crash: there is nothing to find out.
        let everybody: Vec<&'static Entry> =
            walkers::ALL.iter().filter(|entry| entry.reads != Reads::Raw).collect();
        let plan = inject::Plan { rate_walks: inject.walks, pages: true };
        let mut rows = inject::Rows::default();
        inject::on_this_stack(self.live, &request, &everybody, random, &plan, &mut rows)?;
        for row in rows.records(self.tag) {
            self.counters.leave(&serde_json::to_string(&row).expect("plain data"));
        }
        for line in rows.silent.iter().chain(&rows.deaths) {
            self.counters.leave(line);
        }
        Ok(())
    }
}

/// The walkers of a group on one stack.
struct Walkers<'a> {
    worker: &'a Worker,
    stack: &'a Captured<'a>,
    subjects: Subjects,
    /// Those that are here.
    who: Vec<usize>,
    /// Their own answers on the healthy stack; none of those that refuse it.
    undisturbed: Vec<Option<Answer>>,
    differential: Option<Differential>,
    /// Families whose checks are asked about.
    checks: Vec<Checks<'a>>,
    request: Request<'a>,
}

impl<'a> Walkers<'a> {
    fn new(worker: &'a Worker, stack: &'a Captured<'a>, group: &Group) -> Result<Walkers<'a>, String> {
        let mut subjects = Subjects::new(worker.live, worker.theirs, &group.walkers)
            .map_err(|error| format!("a process that walks from outside: {error}"))?;
        let request = Request::new(&worker.live.interpreter, stack.tstate, Detail::Line);
        let who: Vec<usize> = group.walkers.iter().copied().filter(|&index| subjects.has(index)).collect();
        // The strict walk of a healthy stack is the interpreter's own chain: stress/tests/walk_equality.rs.
        let mut reference = Answer::default();
        subjects.walk(subjects::reference(), &request, &mut reference)?;
        if !matches!(reference.how, How::Ended(Walk { end: End::Complete, .. })) {
            return Err(format!("the undisturbed strict walk ended: {:?}", reference.how));
        }
        let mut undisturbed = Vec::new();
        for &index in &who {
            let mut answer = Answer::default();
            subjects.walk(index, &request, &mut answer)?;
            let verdict = tally::judge(reads_raw(index), &answer, &reference.frames);
            worker.counters.count(index, usize::MAX, &verdict);
            // A walker that refuses the healthy stack has no answer to compare with, and sits this stack out. It happens:
            // the shim of a specialised `__init__` (3.13+) has stale words as globals and builtins, and where one of them
            // is NULL, SafeGetCode believes no such frame.
            let complete = matches!(answer.how, How::Ended(Walk { end: End::Complete, .. }));
            undisturbed.push(complete.then_some(answer));
        }
        let theirs = worker.theirs.filter(|_| group.compare);
        let mut differential = theirs.map(|theirs| Differential::new(theirs, stack));
        if let Some(differential) = &mut differential {
            differential.compare(worker.live, &request, &Change::default(), || "the healthy stack".into());
        }
        let checks = group.checks.iter().map(|family| {
            Checks::new(worker.live, family, &worker.counters, stack, &request, &reference.frames)
        });
        let checks = checks.collect();
        Ok(Walkers { worker, stack, subjects, who, undisturbed, differential, checks, request })
    }

    fn all_draws(mut self, group: &Group, random: &mut ChaCha8Rng) -> Result<(), String> {
        let all = all_pairs();
        let number = |pair| all.iter().position(|other| *other == pair).expect("a pair");
        let numbers: Vec<usize> = group.pairs.iter().copied().map(number).collect();
        let (mut done, mut tries) = (0, 0);
        let (mut writable, mut answer) = (Writable::default(), Answer::default());
        while done < group.draws {
            tries += 1;
            if tries > group.draws * TRIES {
                return Err("hardly any of the faults of a group can be made on this stack".into());
            }
            let drawn = random.random_range(0..group.pairs.len());
            let (pair, number) = (group.pairs[drawn], numbers[drawn]);
            let drawn = pair
                .field
                .place(self.stack, random)
                .and_then(|place| Some((pair.model.change(pair.field, &place, self.stack, random)?, place)));
            let Some((mut change, place)) = drawn else { continue };
            if !change.make(&mut writable) {
                continue;
            }
            done += 1;
            let about = || {
                let words: Vec<String> = change
                    .writes()
                    .iter()
                    .map(|write| format!("{} := {:#x}", write.at, write.value))
                    .collect();
                let (field, model) = (pair.field.name(), pair.model.name());
                format!("draw {done}: {field} of frame {}, {model}: {}", place.frame, words.join(", "))
            };
            let shown = match self.worker.told {
                Told::Nothing => false,
                Told::One(draw) => draw == done,
                Told::All => true,
            };
            let request = match change.tstate {
                Some(tstate) => Request { tstate, ..self.request },
                None => self.request,
            };
            self.worker.counters.set_head(Head::Pair, number as u32);
            let result = self.everybody(number, &request, &mut answer, |walker, verdict| {
                if shown {
                    self.worker.counters.leave(&format!("{}: {walker} {}", about(), said(verdict)));
                }
            });
            if let Some(differential) = &mut self.differential {
                differential.compare(self.worker.live, &request, &change, about);
            }
            self.checks.iter_mut().for_each(|checks| checks.all(number, &request));
            change.undo();
            result?;
        }
        self.finish();
        Ok(())
    }

    fn everybody(
        &mut self,
        number: usize,
        request: &Request<'_>,
        answer: &mut Answer,
        mut heard: impl FnMut(&str, &Verdict),
    ) -> Result<(), String> {
        for (&index, undisturbed) in self.who.iter().zip(&self.undisturbed) {
            let Some(undisturbed) = undisturbed else { continue };
            self.worker.counters.set_head(Head::Walking, index as u32 + 1);
            self.subjects.walk(index, request, answer)?;
            let verdict = tally::judge_all(reads_raw(index), answer, undisturbed);
            self.worker.counters.count(index, number, &verdict);
            heard(subjects::name(index), &verdict);
        }
        self.worker.counters.set_head(Head::Walking, 0);
        Ok(())
    }

    fn finish(self) {
        let counters = &self.worker.counters;
        for index in 0..COUNT {
            let longest = u32::try_from(self.subjects.longest[index].as_nanos()).unwrap_or(u32::MAX);
            counters.longest(index, longest);
        }
        if let Some(differential) = self.differential {
            let add = |which, more: u32| counters.set_head(which, counters.head(which) + more);
            add(Head::Compared, differential.compared);
            add(Head::Excluded, differential.excluded);
            add(Head::Differing, differential.differing);
            differential.shown.iter().for_each(|line| counters.leave(line));
        }
    }
}

/// Whether the walker itself does not protect its loads.
fn reads_raw(index: usize) -> bool {
    index == CPYTHON_C || walkers::ALL.get(index).is_some_and(|entry| entry.reads == Reads::Raw)
}

fn said(verdict: &Verdict) -> String {
    let site = |site: usize| subjects::site_names().nth(site).unwrap_or("?");
    match verdict {
        Verdict { site: Some(index), outcome, .. } => format!("{} at {}", outcome.name(), site(*index)),
        Verdict { outcome: Outcome::Hang, hops, .. } => format!("hang after {hops} hops"),
        Verdict { outcome, .. } => outcome.name().into(),
    }
}

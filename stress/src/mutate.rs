//! Mutation: at the bottom of a real stack, change one place of a real frame, code object or line table, walk with
//! every walker, compare with its undisturbed answer, restore.
//!
//! A walker that reads raw would die of a bad load; here it runs with the same policy over guarded loads, and a load
//! that fails is counted as the crash it would have been. Nothing else runs meanwhile: one thread, attached, in native
//! code. The same seed makes the same stacks and the same draws; where a value is an address, or is compared with one, the
//! outcome is this process's own, since the kernel places memory anew each time.

pub mod classes;
mod differential;
pub mod fields;
#[allow(dead_code, reason = "the campaign is about to use it")]
pub mod names;
mod stack;
mod tally;
mod walks;

use crate::cli::Mutate;
use crate::command::{Session, become_build_for};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::records::{RunDir, now};
use crate::word::{is_writable, load, store};
use crate::{hash, interrupt};
use differential::{Answer, Differential};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sigwalk::frame::Frame;
use sigwalk::walk::{Detail, End, Request, Truncated, Walk};
use sigwalk::walkers::{self, Reads};
use sigwalk_embed::Live;
use sigwalk_embed::cpython_c::{self, Tried};
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use sigwalk_record::{Campaign, Kind, Manifest, Mutation, SCHEMA, exit};
use stack::{Captured, KINDS, Memory, SOURCE};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex};
use walks::{Walked, Walks};

/// Loads a walk may make. A whole walk of these stacks with lines makes at most some thousands; one that needs more is
/// called a hang.
const LOADS: u32 = 50_000;
/// Frames a walk may deliver.
const FRAMES: usize = 256;

/// Index in the rows: walker, field, class.
type Key = (usize, usize, usize);

struct Campaigner {
    live: &'static Live,
    walkers: Walks,
    memory: Memory,
    random: ChaCha8Rng,
    walks: u64,
    seed: u64,
    /// Stacks begun.
    stack: u64,
    /// None where this interpreter has no `cpython-c`.
    differential: Option<Differential>,
    rows: BTreeMap<Key, Mutation>,
    failure: Option<String>,
}

/// Runs `stress mutate`.
///
/// # Errors
/// The interpreter, the directory, or a stack whose undisturbed walk is not complete.
pub fn run(arguments: &Mutate) -> Result<i32, Failure> {
    become_build_for(arguments.python.as_deref())?;
    // Before Python: its fault handler must be under ours.
    let differential = Differential::prepare();
    let session = Session::start()?;
    let text =
        format!("mutate stacks={} walks={} seed={}", arguments.stacks, arguments.walks, arguments.seed);
    let manifest = Manifest {
        schema: SCHEMA,
        kind: Kind::Mutations,
        campaign: Campaign { name: "mutate".into(), id: format!("{:016x}", hash::text(&text)), text },
        interpreter: session.interpreter.clone(),
        environment: session.environment.clone(),
        cells: Vec::new(),
        shard: None,
        complete: false,
        started: now(),
        ended: String::new(),
    };
    let mut records = RunDir::create(&arguments.out, manifest)?;
    if let Err(why) = &differential {
        eprintln!("{}: not available: {why}", cpython_c::NAME);
    }
    interrupt::prepare();
    let mut random = ChaCha8Rng::seed_from_u64(arguments.seed);
    let memory = Memory::reserve(|| random.next_u64())?;
    let campaigner = Arc::new(Mutex::new(Campaigner {
        live: session.live,
        walkers: Walks::new(session.live)
            .map_err(|error| Failure::missing(format!("a process that walks from outside: {error}")))?,
        memory,
        random,
        walks: arguments.walks,
        seed: arguments.seed,
        stack: 0,
        differential: differential.ok(),
        rows: BTreeMap::new(),
        failure: None,
    }));
    let mut progress = Progress::new(format!("mutate on {}", session.interpreter.tag), arguments.stacks);
    let mut done = 0;
    while done < arguments.stacks && !interrupt::asked() {
        Python::attach(|py| on_a_fresh_stack(py, &campaigner))
            .map_err(|error| Failure::internal(format!("making a stack: {error}")))?;
        if let Some(why) = &campaigner.lock().expect("one thread").failure {
            return Err(Failure::internal(why.clone()));
        }
        done += 1;
        progress.step("stacks");
    }
    let rows = std::mem::take(&mut campaigner.lock().expect("one thread").rows);
    let walks: u64 = rows.values().map(|row| row.walks).sum();
    for row in rows.into_values() {
        records.append(&Mutation { interpreter: session.interpreter.tag.clone(), stacks: done, ..row })?;
    }
    records.finish(done == arguments.stacks)?;
    progress.finish("stacks");
    println!("{}: {walks} walks on {done} stacks", arguments.out.display());
    println!("longest walks: {}", campaigner.lock().expect("one thread").walkers.longest());
    if let Some(differential) = &campaigner.lock().expect("one thread").differential {
        let Differential { compared, differing, excluded, .. } = differential;
        println!(
            "{}: {compared} walks of our model compared with it, {differing} differ; {excluded} not compared: they read their own stack",
            cpython_c::NAME
        );
        for line in &differential.shown {
            eprintln!("{line}");
        }
        if *differing > 0 {
            return Ok(exit::FINDINGS);
        }
    }
    Ok(if done == arguments.stacks { exit::OK } else { exit::INTERRUPTED })
}

fn on_a_fresh_stack(py: Python<'_>, campaigner: &Arc<Mutex<Campaigner>>) -> PyResult<()> {
    let globals = PyDict::new(py);
    py.run(&CString::new(SOURCE)?, Some(&globals), None)?;
    let shared = Arc::clone(campaigner);
    let bottom = PyCFunction::new_closure(
        py,
        None,
        None,
        move |_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>| -> i32 {
            let mut campaigner = shared.lock().expect("one thread");
            if let Err(why) = campaigner.on_this_stack() {
                campaigner.failure = Some(why);
            }
            0
        },
    )?;
    let (kinds, gaps) = {
        let random = &mut campaigner.lock().expect("one thread").random;
        let depth = random.random_range(4..16);
        let kinds: Vec<&str> = (0..depth).map(|_| KINDS[random.random_range(0..KINDS.len())]).collect();
        let gaps: Vec<u32> = (0..7).map(|_| [0, 0, 1, 3, 40][random.random_range(0..5)]).collect();
        (kinds, gaps)
    };
    let make = globals.get_item("make_stack")?.expect("stack.py defines it");
    make.call1((kinds, gaps, bottom))?.call1((1,))?;
    Ok(())
}

impl Campaigner {
    /// All mutations of one stack. Runs at its bottom.
    fn on_this_stack(&mut self) -> Result<(), String> {
        let live = self.live;
        self.stack += 1;
        let captured = Captured::here(live, self.memory)?;
        let request = Request::new(&live.interpreter, captured.tstate, Detail::Line);
        let answers = (0..walkers::ALL.len())
            .map(|index| self.walkers.walk(index, &request))
            .collect::<Result<Vec<Walked>, String>>()?;
        // The strict walk of a healthy stack is the interpreter's own chain: stress/tests/walk_equality.rs.
        let reference = match &answers[reference_index()] {
            (Walk { end: End::Complete, .. }, frames) => frames.clone(),
            (walk, _) => return Err(format!("the undisturbed strict walk ended: {:?}", walk.end)),
        };
        for (index, (walk, frames)) in answers.iter().enumerate() {
            self.tally((index, CONTROL, CONTROL), walk, frames, &reference);
        }
        if let Some(differential) = &mut self.differential {
            differential.begin(&captured);
        }
        let healthy = self.differential.as_ref().map(|differential| differential.walk(&request));
        if let Some(answer) = &healthy {
            self.tally_c((CPYTHON_C, CONTROL, CONTROL), answer, &reference);
            self.compare(&request, 0, answer, || "the healthy stack".into());
        }
        // A walker that refuses the healthy stack has no answer to compare with, and sits this stack out. It happens:
        // the shim of a specialised `__init__` (3.13+) has stale words as globals and builtins, and where one of them is
        // NULL, SafeGetCode believes no such frame.
        let undisturbed: Vec<Option<&Vec<Frame>>> =
            answers.iter().map(|(walk, frames)| (walk.end == End::Complete).then_some(frames)).collect();
        let healthy =
            healthy.filter(|answer| matches!(answer.tried, Tried::Ended(Walk { end: End::Complete, .. })));
        let mut left = self.walks;
        while left > 0 {
            let field = self.random.random_range(0..fields::ALL.len());
            let class = self.random.random_range(0..classes::ALL.len());
            let Some(place) = fields::ALL[field].place(&captured, &mut self.random) else { continue };
            if !is_writable(place.at) {
                continue;
            }
            let mask = u64::MAX >> (64 - place.width * 8);
            let before = load(place.at, place.width);
            let value = classes::ALL[class].value(&place, before, &captured, &mut self.random) & mask;
            // A value that is already there is no mutation.
            if value == before {
                continue;
            }
            left -= 1;
            store(place.at, place.width, value);
            let results: Result<Vec<Option<Walked>>, String> = undisturbed
                .iter()
                .enumerate()
                .map(|(index, healthy)| {
                    healthy.is_some().then(|| self.walkers.walk(index, &request)).transpose()
                })
                .collect();
            let theirs = self.differential.as_ref().map(|differential| differential.walk(&request));
            if let Some(answer) = &theirs {
                self.compare(&request, value, answer, || {
                    let (field, class) = (fields::ALL[field].name(), classes::ALL[class].name());
                    format!(
                        "{field} of frame {} at {}, {before:#x} changed to {value:#x} ({class})",
                        place.frame, place.at
                    )
                });
            }
            store(place.at, place.width, before);
            let results = results?;
            for (index, result) in results.iter().enumerate() {
                if let (Some((walk, frames)), Some(expected)) = (result, undisturbed[index]) {
                    self.tally((index, field, class), walk, frames, expected);
                }
            }
            if let (Some(answer), Some(healthy)) = (&theirs, &healthy) {
                self.tally_c((CPYTHON_C, field, class), answer, &healthy.frames);
            }
        }
        Ok(())
    }

    /// Holds the models to `answer`. `change` says what was changed on this stack, to `value`.
    fn compare(&mut self, request: &Request<'_>, value: u64, answer: &Answer, change: impl Fn() -> String) {
        let (seed, stack) = (self.seed, self.stack);
        if let Some(differential) = &mut self.differential {
            let about = || format!("seed {seed}, stack {stack}, {}", change());
            differential.compare(self.live, request, value, answer, about);
        }
    }

    fn tally(&mut self, key: Key, walk: &Walk, frames: &[Frame], expected: &[Frame]) {
        let reads = walkers::ALL[key.0].reads;
        tally::tally(self.row(key), reads, walk, frames, expected);
    }

    fn tally_c(&mut self, key: Key, answer: &Answer, expected: &[Frame]) {
        let row = self.row(key);
        match answer.tried {
            Tried::Crashed(bad) => {
                row.walks += 1;
                row.would_crash += 1;
                *row.crash_sites.entry(bad.step.into()).or_default() += 1;
            }
            // There is no hop budget as proposed: what the limit ended would go on for ever.
            Tried::Ended(Walk { end: End::Truncated(Truncated::HopBudget), .. }) => {
                row.walks += 1;
                row.hang += 1;
            }
            Tried::Ended(walk) => tally::tally(row, Reads::Raw, &walk, &answer.frames, expected),
        }
    }

    fn row(&mut self, key: Key) -> &mut Mutation {
        let (walker, field, class) = key;
        self.rows.entry(key).or_insert_with(|| Mutation {
            schema: SCHEMA,
            walker: walkers::ALL.get(walker).map_or(cpython_c::NAME, |entry| entry.name).into(),
            field: fields::ALL.get(field).map_or(Mutation::CONTROL.0, |field| field.name()).into(),
            model: classes::ALL.get(class).map_or(Mutation::CONTROL.1, |class| class.name()).into(),
            ..Mutation::default()
        })
    }
}

/// Index, as field and as class, of the control: the healthy stack, walked by everyone. False alarms show there.
const CONTROL: usize = usize::MAX;

/// Index, as walker, of `cpython-c`, which is not among the walkers of the root crate.
const CPYTHON_C: usize = usize::MAX;

/// The walker whose answer on a healthy stack counts as the truth.
fn reference_index() -> usize {
    walkers::ALL.iter().position(|entry| entry.name == "guarded").expect("a registered walker")
}

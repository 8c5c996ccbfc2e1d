//! Mutation: at the bottom of a real stack, change one place of a real frame, code object or line table, walk with
//! every walker, compare with its undisturbed answer, restore.
//!
//! A walker that reads raw would die of a bad load; here it runs with the same policy over guarded loads, and a load
//! that fails is counted as the crash it would have been. Nothing else runs meanwhile: one thread, attached, in native
//! code. Each stack has a process of its own, without address randomisation, forked from one that never changes: the same campaign
//! gives the same counts on the same build, and any stack again alone (`--stack`).

mod bottom;
mod campaign;
mod change;
mod checkpoint;
mod checks;
mod counters;
mod differential;
pub mod fields;
mod lines;
pub mod models;
pub mod names;
mod process;
mod stack;
mod subjects;
mod tally;
mod victims;

use crate::cli::Mutate;
use crate::command::{Session, become_build_for, start_python};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::records::{RunDir, now};
use crate::{exact, interrupt};
use bottom::Worker;
use campaign::Campaign;
use checkpoint::{Checkpoint, Done};
use counters::{Counters, Head};
use differential::Theirs;
use process::{Ended, Nursery, Task, Told};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sigwalk_embed::cpython_c;
use sigwalk_record::{Kind, Manifest, SCHEMA, exit};
use stack::Memory;
use std::os::fd::AsRawFd;

/// Runs `stress mutate`.
///
/// # Errors
/// The interpreter, the directory, or a stack whose undisturbed walk is not complete.
pub fn run(arguments: &Mutate) -> Result<i32, Failure> {
    become_build_for(arguments.python.as_deref())?;
    let campaign = Campaign::read(&arguments.campaign)?;
    // The nurseries inherit it; a hash seed, too.
    exact::stand_still()?;
    if campaign.asks_the_c()
        && let Err(why) = Theirs::prepare()
    {
        eprintln!("{}: not available: {why}", cpython_c::NAME);
    }
    let jobs = if arguments.stack.is_some() { 1 } else { arguments.jobs };
    let nurseries = (0..jobs).map(|_| Nursery::start(&campaign.declared.text));
    let mut run = Run { nurseries: nurseries.collect::<Result<_, _>>()?, died: 0 };
    if let Some(stack) = arguments.stack {
        return run.replay(&campaign, stack, arguments.draw.map_or(Told::All, Told::One));
    }
    let session = Session::start()?;
    let counters = run.nurseries[0].counters;
    let manifest = Manifest {
        schema: SCHEMA,
        kind: Kind::Mutations,
        campaign: campaign.declared.clone(),
        interpreter: session.interpreter.clone(),
        environment: session.environment.clone(),
        cells: Vec::new(),
        shard: None,
        complete: false,
        started: now(),
        ended: String::new(),
    };
    let (out, tag) = (&arguments.out, &session.interpreter.tag);
    let mut checkpoint = Checkpoint::new(out, &campaign.declared.id, tag, &session.environment.commit);
    let mut done = if arguments.resume { checkpoint.read(&counters)? } else { Done::default() };
    let mut records = match arguments.resume {
        true => RunDir::again(out, manifest)?,
        false => RunDir::create(out, manifest)?,
    };
    interrupt::prepare();
    let mut progress = Progress::new(format!("{} on {tag}", campaign.declared.name), campaign.stacks);
    done.stacks.iter().for_each(|_| progress.step("stacks"));
    run.all(&campaign, &mut done, |done| {
        progress.step("stacks");
        checkpoint.write(done, false)
    })?;
    checkpoint.write(&done, true)?;
    let stacks = done.stacks.len() as u64;
    let complete = stacks == campaign.stacks;
    progress.finish("stacks");
    for line in &done.lines.said {
        eprintln!("{line}");
    }
    if !complete {
        println!("{}: {stacks} of {} stacks; go on with --resume", out.display(), campaign.stacks);
        return Ok(exit::INTERRUPTED);
    }
    let rows = done.totals.rows(&counters, tag, stacks);
    for row in &rows {
        records.append(row)?;
    }
    let checks = done.totals.checks(&counters, tag, stacks);
    records.beside("checks.jsonl", &checks)?;
    records.beside("freed.jsonl", &done.lines.freed())?;
    records.beside("injections.jsonl", &done.lines.injections(tag))?;
    records.finish(complete)?;
    checkpoint.remove();
    let walks: u64 = rows.iter().map(|row| row.walks).sum();
    println!("{}: {walks} walks on {stacks} stacks", out.display());
    Ok(run.verdict(&done))
}

/// Runs the hidden verb: a nursery.
///
/// # Errors
/// It was not started by `stress mutate`, or the interpreter cannot be walked.
pub fn nursery() -> Result<i32, Failure> {
    let (text, counters) = process::inherited()
        .map_err(|error| Failure::usage(format!("{}: {error}; stress mutate starts it", process::VERB)))?;
    let campaign: &'static Campaign = Box::leak(Box::new(Campaign::parse(&text).map_err(Failure::usage)?));
    // Before Python: its fault handler must be under ours.
    let theirs = Theirs::prepare();
    // No more than is needed: what the machine says of itself has another length each time, and so has what is allocated next.
    let live = start_python()?;
    let tag: &'static str = Box::leak(sigwalk_embed::interpreter()?.tag.into_boxed_str());
    let mut random = ChaCha8Rng::seed_from_u64(campaign.id);
    let memory = Memory::reserve(|| random.next_u64())?;
    stack::warm_up().map_err(|error| Failure::internal(format!("warming up: {error}")))?;
    let worker = Worker { live, campaign, memory, counters, theirs: theirs.ok(), tag, told: Told::Nothing };
    process::serve(move |task| body(Worker { told: task.told, ..worker }, task.stack))
}

/// What a stack's process does.
fn body(worker: Worker, stack: u64) -> i32 {
    match worker.run(stack) {
        Ok(()) => exit::OK,
        Err(why) => {
            worker.counters.leave(&format!("stack {stack}: {why}"));
            exit::INTERNAL
        }
    }
}

struct Run {
    nurseries: Vec<Nursery>,
    /// Stacks whose process died.
    died: u64,
}

impl Run {
    /// All stacks that are not done.
    fn all(
        &mut self,
        campaign: &Campaign,
        done: &mut Done,
        mut step: impl FnMut(&Done) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut left = (0..campaign.stacks).filter(|stack| !done.stacks.contains(stack)).collect::<Vec<_>>();
        left.reverse();
        loop {
            for nursery in self.nurseries.iter_mut().filter(|nursery| nursery.busy.is_none()) {
                if let Some(stack) = left.pop().filter(|_| !interrupt::asked()) {
                    nursery.begin(Task { stack, told: Told::Nothing })?;
                }
            }
            if self.nurseries.iter().all(|nursery| nursery.busy.is_none()) {
                return Ok(());
            }
            for index in ready(&self.nurseries) {
                let stack = self.nurseries[index].busy.expect("it was begun");
                let ended = self.nurseries[index].end()?;
                self.add(index, stack, ended, done)?;
                step(done)?;
            }
        }
    }

    /// Adds what a stack's process has left.
    fn add(&mut self, index: usize, stack: u64, ended: Ended, done: &mut Done) -> Result<(), Failure> {
        let counters = self.nurseries[index].counters;
        let lines = counters.lines();
        match ended {
            Ended::Code(exit::OK) => {}
            Ended::Code(_) => return Err(Failure::internal(lines.last().cloned().unwrap_or_default())),
            Ended::Signal(signal) => {
                self.died += 1;
                done.lines.said.push(format!("stack {stack}: {}", how_it_died(&counters, signal)));
            }
        }
        lines.into_iter().for_each(|line| done.lines.take(line));
        counters.take(&mut done.totals);
        done.stacks.insert(stack);
        Ok(())
    }

    /// One stack again, and what its draws gave.
    fn replay(&mut self, campaign: &Campaign, stack: u64, told: Told) -> Result<i32, Failure> {
        if stack >= campaign.stacks {
            return Err(Failure::usage(format!("the campaign has stacks 0 to {}", campaign.stacks - 1)));
        }
        let mut done = Done::default();
        self.nurseries[0].begin(Task { stack, told })?;
        let ended = self.nurseries[0].end()?;
        self.add(0, stack, ended, &mut done)?;
        for line in &done.lines.said {
            println!("{line}");
        }
        Ok(self.verdict(&done))
    }

    fn verdict(&self, done: &Done) -> i32 {
        let head = |which| done.totals.head(which);
        if head(Head::Compared) > 0 {
            println!(
                "{}: {} walks of our model compared with it, {} differ; {} not compared: they read their own stack",
                cpython_c::NAME,
                head(Head::Compared),
                head(Head::Differing),
                head(Head::Excluded)
            );
        }
        let longest = |subject: usize| {
            let took = done.totals.longest(subject);
            (took > 0).then(|| format!("{} {:.1} µs", subjects::name(subject), took as f64 / 1e3))
        };
        let longest: Vec<String> = (0..subjects::COUNT).filter_map(longest).collect();
        if !longest.is_empty() {
            println!("longest walks: {}", longest.join(", "));
        }
        if self.died > 0 {
            println!("{} stacks' processes died while they walked: see above", self.died);
        }
        if head(Head::Differing) > 0 || self.died > 0 { exit::FINDINGS } else { exit::OK }
    }
}

fn how_it_died(counters: &Counters, signal: i32) -> String {
    let walking = counters.head(Head::Walking) as usize;
    let pairs = counters::all_pairs();
    let doing = match (walking.checked_sub(1), pairs.get(counters.head(Head::Pair) as usize)) {
        (Some(subject), Some(pair)) => format!(
            "in a walk of {} over {} ({})",
            subjects::name(subject),
            pair.field.name(),
            pair.model.name()
        ),
        _ => "outside of a walk".into(),
    };
    format!("its process died of signal {signal} {doing}")
}

/// Nurseries whose stack has ended; waits for one, or for a moment.
fn ready(nurseries: &[Nursery]) -> Vec<usize> {
    let mut fds: Vec<libc::pollfd> = nurseries
        .iter()
        .map(|nursery| {
            let fd = if nursery.busy.is_some() { nursery.answers().as_raw_fd() } else { -1 };
            libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
        })
        .collect();
    process::poll(&mut fds);
    (0..fds.len()).filter(|&index| fds[index].revents != 0).collect()
}

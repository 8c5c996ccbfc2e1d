//! Cost of a walk per frame and depth, on the interpreter that PYO3_PYTHON names.
//!
//! ```text
//! cargo bench                                         everything
//! cargo bench -- walk/100/guarded                     what a filter matches: walk/DEPTH, lookup, growth, checks, stdlib/STACK
//! SIGWALK_QUICK=1 cargo bench                         a twentieth of the time
//! SIGWALK_COST_DIR=runs/cost-3.15 cargo bench         records for `report build`
//! ```

use criterion::{BenchmarkGroup, Throughput, measurement::WallTime};
use sigwalk::walkers::{self, Reads};
use sigwalk_benches::checks::{self, Sides};
use sigwalk_benches::depth::{DEPTHS, Ladder, USUAL};
use sigwalk_benches::failure::Failure;
use sigwalk_benches::growth::{self, Pair};
use sigwalk_benches::place::{Native, Place};
use sigwalk_benches::planted::{Plant, VARIABLE};
use sigwalk_benches::record::Recorder;
use sigwalk_benches::settings::{Settings, Share, listing};
use sigwalk_benches::subjects::{self, Label, Subject};
use sigwalk_benches::{stacks, syscalls};
use sigwalk_embed::pyo3::Python;
use sigwalk_embed::{Live, Options};
use sigwalk_record::{Cost, Count, Counted, Sample, What};
use std::process::exit;
use std::time::Duration;

fn main() {
    if let Err(failure) = run() {
        stop(&failure);
    }
}

fn run() -> Result<(), Failure> {
    sigwalk_embed::initialize(Options::default())?;
    let settings = Settings::from_environment();
    let plant = Plant::from_environment()?;
    let mut recorder = Recorder::new(settings, plant.as_ref())?;
    let mut criterion = settings.criterion(recorder.tag());
    Python::attach(|py| {
        let native = Native::new(Live::find()?);
        let ladder = Ladder::new(py, native)?;
        let mut walks = subjects::of_walk(py)?;
        if let Some(plant) = &plant {
            eprintln!("sigwalk: {VARIABLE}={plant}: these are no costs of that subject");
            walks = plant.slow(walks)?;
        }
        for depth in DEPTHS {
            let place = ladder.place(depth)?;
            let mut group = criterion.benchmark_group(format!("walk/{depth}"));
            settings.group(&mut group, Share::Whole);
            for subject in walks.iter_mut().filter(|subject| subject.depths().contains(&depth)) {
                bench(&mut group, &mut recorder, &place, subject.as_mut());
            }
            group.finish();
        }
        let mut group = criterion.benchmark_group("lookup");
        settings.group(&mut group, Share::Whole);
        for subject in &mut subjects::of_lines(py)? {
            bench(&mut group, &mut recorder, &ladder.place(1)?, subject.as_mut());
        }
        group.finish();
        // Before the stacks of the standard library, whose modules stay loaded.
        let mut group = criterion.benchmark_group("growth");
        settings.group(&mut group, Share::Both);
        for pair in &mut growth::pairs(py, &ladder)? {
            bench_pair(&mut group, &mut recorder, pair.as_mut());
        }
        group.finish();
        let mut group = criterion.benchmark_group("checks");
        settings.group(&mut group, Share::Both);
        group.sample_size(settings.samples * checks::SAMPLES);
        for sides in &mut checks::all() {
            bench_sides(&mut group, &mut recorder, &ladder.place(USUAL)?, sides);
        }
        group.finish();
        for place in stacks::places(py, native)? {
            let name = place.stack.unwrap_or_default();
            let mut group = criterion.benchmark_group(format!("stdlib/{name}"));
            settings.group(&mut group, Share::Half);
            for subject in walks.iter_mut().filter(|subject| subjects::on_stacks(&subject.label())) {
                bench(&mut group, &mut recorder, &place, subject.as_mut());
            }
            group.finish();
        }
        if !listing() {
            count_calls(&mut recorder, &ladder.place(USUAL)?)?;
        }
        Ok::<_, Failure>(())
    })?;
    criterion.final_summary();
    recorder.finish()
}

/// Runs one subject at one place, if Criterion's filter lets it run, and keeps its batches.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    recorder: &mut Recorder,
    place: &Place<'_>,
    subject: &mut dyn Subject,
) {
    let (label, expected) = (subject.label(), subject.expected(place.depth));
    let mut batches: Vec<Sample> = Vec::new();
    let mut verified = false;
    group.throughput(Throughput::Elements(expected));
    group.bench_function(label.id(), |bencher| {
        if !verified {
            verify(place, subject);
            verified = true;
        }
        bencher.iter_custom(|iters| match place.at(|here| subject.batch(here, iters)) {
            Ok(time) => {
                batches.push(sample(iters, time));
                // Criterion divides by it.
                time.max(Duration::from_nanos(1))
            }
            Err(failure) => stop(&failure),
        });
    });
    let depths = subject.depths();
    let absent = (place.stack.is_none() && depths.len() > 1 && depths != DEPTHS)
        .then(|| format!("timed at the depths {depths:?} only"));
    let note = [subject.note(), absent].into_iter().flatten().collect::<Vec<_>>().join("; ");
    recorder.add(Cost { frames: expected, ..row(label, place.depth, place.stack, note) }, &batches);
}

/// Runs both sides of a pair in every batch. What Criterion prints is about both together, a thousand walks each; the
/// records hold them apart.
fn bench_pair(group: &mut BenchmarkGroup<'_, WallTime>, recorder: &mut Recorder, pair: &mut dyn Pair) {
    let names = pair.subjects();
    let mut batches = [Vec::new(), Vec::new()];
    let (mut first, mut prepared) = (0, false);
    group.throughput(Throughput::Elements(2 * USUAL * growth::WALKS));
    group.bench_function(format!("{}+{}/{}", names[0], names[1], growth::WHAT.name()), |bencher| {
        if !prepared {
            pair.prepare().unwrap_or_else(|failure| stop(&failure));
            prepared = true;
        }
        bencher.iter_custom(|iters| {
            let walks = iters * growth::WALKS;
            let mut both = Duration::from_nanos(1);
            for side in [first, 1 - first] {
                match pair.batch(side, walks) {
                    Ok(time) => {
                        batches[side].push(sample(walks, time));
                        both += time;
                    }
                    Err(failure) => stop(&failure),
                }
            }
            first = 1 - first;
            both
        });
    });
    for (side, (name, batches)) in names.iter().zip(&batches).enumerate() {
        let label = Label { subject: (*name).to_owned(), what: growth::WHAT, sink: None };
        recorder.add(row(label, USUAL, None, pair.note(side)), batches);
    }
}

/// Runs a policy and the same without each of its checks, in rounds. What Criterion prints is about a round of all; the records hold
/// them apart, and their samples of one index are from the same rounds.
fn bench_sides(
    group: &mut BenchmarkGroup<'_, WallTime>,
    recorder: &mut Recorder,
    place: &Place<'_>,
    sides: &mut Sides,
) {
    let mut batches: Vec<Vec<Sample>> = vec![Vec::new(); sides.subjects.len()];
    let mut verified = false;
    group.throughput(Throughput::Elements(USUAL * sides.walks()));
    group.bench_function(sides.id(), |bencher| {
        if !verified {
            sides.subjects.iter_mut().for_each(|subject| verify(place, subject.as_mut()));
            verified = true;
        }
        bencher.iter_custom(|rounds| match place.at(|here| sides.rounds(here, rounds)) {
            Ok(times) => {
                for (batches, time) in batches.iter_mut().zip(&times) {
                    batches.push(sample(rounds * checks::WALKS, *time));
                }
                times.iter().sum::<Duration>().max(Duration::from_nanos(1))
            }
            Err(failure) => stop(&failure),
        });
    });
    for (subject, batches) in sides.subjects.iter().zip(&batches) {
        recorder.add(row(subject.label(), USUAL, None, checks::NOTE.to_owned()), batches);
    }
}

fn sample(iters: u64, time: Duration) -> Sample {
    Sample { iters, ns: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) }
}

fn row(label: Label, depth: u64, stack: Option<&str>, note: String) -> Cost {
    Cost {
        schema: sigwalk_record::SCHEMA,
        interpreter: String::new(),
        subject: label.subject,
        what: label.what,
        depth,
        frames: depth,
        stack: stack.map(str::to_owned),
        sink: label.sink.map(str::to_owned),
        samples: Vec::new(),
        note: Some(note).filter(|note| !note.is_empty()),
    }
}

/// System calls of a walk with lines, of every walker that runs in this process.
fn count_calls(recorder: &mut Recorder, place: &Place<'_>) -> Result<(), Failure> {
    for entry in walkers::ALL.iter().filter(|entry| entry.reads != Reads::Outside) {
        let subject = subjects::name(entry.name);
        match place.at(|here| syscalls::of_walk(here, entry.live))? {
            Ok(counts) => {
                println!("syscalls/{}/{subject}/line: {counts:?} a walk", place.depth);
                recorder.count(Count {
                    schema: sigwalk_record::SCHEMA,
                    interpreter: String::new(),
                    counted: Counted::Syscalls,
                    subject,
                    what: What::Line,
                    depth: place.depth,
                    counts,
                });
            }
            // A machine without the right to trace is told so, and its report says "not measured".
            Err(error) => eprintln!("sigwalk: the system calls of {subject} were not counted: {error}"),
        }
    }
    Ok(())
}

/// Ends everything when a subject does not deliver what the interpreter says is there.
fn verify(place: &Place<'_>, subject: &mut dyn Subject) {
    let (id, expected) = (subject.label().id(), subject.expected(place.depth));
    let broken = |why: String| -> ! {
        let (depth, stack) = (place.depth, place.stack.unwrap_or("ladder"));
        stop(&Failure::internal(format!(
            "{id} at depth {depth} of {stack} is broken and cannot be timed: {why}"
        )))
    };
    match place.at(|here| subject.verify(here)) {
        Ok(Ok(frames)) if frames == expected => {}
        Ok(Ok(frames)) => broken(format!("{frames} frames instead of {expected}")),
        Ok(Err(failure)) | Err(failure) => broken(failure.to_string()),
    }
}

fn stop(failure: &Failure) -> ! {
    eprintln!("sigwalk: {failure}");
    exit(failure.code)
}

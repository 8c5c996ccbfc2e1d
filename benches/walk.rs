//! Cost of a walk per frame and depth, on the interpreter that PYO3_PYTHON names.
//!
//! ```text
//! cargo bench                                         everything
//! cargo bench -- walk/100/guarded                     what a filter matches
//! SIGWALK_QUICK=1 cargo bench                         a fifth of the time
//! SIGWALK_COST_DIR=runs/cost-3.15 cargo bench         records for `report build`
//! ```

use criterion::{BenchmarkGroup, Throughput, measurement::WallTime};
use sigwalk_benches::depth::{DEPTHS, Ladder};
use sigwalk_benches::failure::Failure;
use sigwalk_benches::record::Recorder;
use sigwalk_benches::settings::{self, Settings};
use sigwalk_benches::subjects::{self, Subject};
use sigwalk_embed::pyo3::Python;
use sigwalk_embed::{Live, Options};
use sigwalk_record::{Cost, Sample};
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
    let mut recorder = Recorder::new(settings)?;
    let mut criterion = settings.criterion(recorder.tag());
    Python::attach(|py| {
        let ladder = Ladder::new(py, Live::find()?)?;
        let mut walks = subjects::of_walk(py)?;
        for depth in DEPTHS {
            let mut group = criterion.benchmark_group(format!("walk/{depth}"));
            for subject in &mut walks {
                bench(&mut group, &mut recorder, &ladder, depth, subject.as_mut());
            }
            group.finish();
        }
        let mut group = criterion.benchmark_group("lookup");
        for subject in &mut subjects::of_lines(py)? {
            bench(&mut group, &mut recorder, &ladder, 1, subject.as_mut());
        }
        group.finish();
        Ok::<_, Failure>(())
    })?;
    criterion.final_summary();
    recorder.finish()
}

/// Runs one subject at one depth, if Criterion's filter lets it run, and keeps its batches.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    recorder: &mut Recorder,
    ladder: &Ladder<'_>,
    depth: u64,
    subject: &mut dyn Subject,
) {
    let (label, expected) = (subject.label(), subject.expected(depth));
    let mut batches: Vec<Sample> = Vec::new();
    let mut verified = false;
    settings::flat(group);
    group.throughput(Throughput::Elements(expected));
    group.bench_function(label.id(), |bencher| {
        if !verified {
            verify(ladder, depth, subject);
            verified = true;
        }
        bencher.iter_custom(|iters| match ladder.at(depth, |here| subject.batch(here, iters)) {
            Ok(time) => {
                let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                batches.push(Sample { iters, ns });
                // Criterion divides by it.
                time.max(Duration::from_nanos(1))
            }
            Err(failure) => stop(&failure),
        });
    });
    let row = Cost {
        schema: sigwalk_record::SCHEMA,
        interpreter: String::new(),
        subject: label.subject.to_owned(),
        what: label.what,
        depth,
        frames: expected,
        sink: label.sink.map(str::to_owned),
        samples: Vec::new(),
        note: subject.note(),
    };
    recorder.add(row, &batches);
}

/// Ends everything when a subject does not deliver what the interpreter says is there.
fn verify(ladder: &Ladder<'_>, depth: u64, subject: &mut dyn Subject) {
    let (id, expected) = (subject.label().id(), subject.expected(depth));
    let broken = |why: String| -> ! {
        stop(&Failure::internal(format!("{id} at depth {depth} is broken and cannot be timed: {why}")))
    };
    match ladder.at(depth, |here| subject.verify(here)) {
        Ok(Ok(frames)) if frames == expected => {}
        Ok(Ok(frames)) => broken(format!("{frames} frames instead of {expected}")),
        Ok(Err(failure)) | Err(failure) => broken(failure.to_string()),
    }
}

fn stop(failure: &Failure) -> ! {
    eprintln!("sigwalk: {failure}");
    exit(failure.code)
}

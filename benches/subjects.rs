//! What is timed, one file a kind. The order of [`of_walk`] is the order of the benches: those that a ratio compares run
//! one after the other, so that drift of the machine touches both.

#![allow(unsafe_code)]

mod call_stack;
mod cpython_c;
mod dump;
mod floor;
mod frame_objects;
mod lookup;
mod parse;
mod raw;
mod tracemalloc;
pub(crate) mod walkers;

use crate::depth::DEPTHS;
use crate::failure::Failure;
use crate::place::Here;
use sigwalk_embed::pyo3::Python;
use sigwalk_record::What;
use std::time::{Duration, Instant};

/// Names a subject, in Criterion's output and in records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Who walks.
    pub subject: String,
    /// What an iteration delivers.
    pub what: What,
    /// Where text goes, for those that print.
    pub sink: Option<&'static str>,
}

impl Label {
    fn new(subject: &str, what: What) -> Self {
        Label { subject: subject.to_owned(), what, sink: None }
    }

    /// `guarded/line`, `dump_traceback/names/memfd`.
    #[must_use]
    pub fn id(&self) -> String {
        let sink = self.sink.map_or_else(String::new, |sink| format!("/{}", sink.replace('/', "_")));
        format!("{}/{}{sink}", self.subject, self.what.name())
    }
}

/// Something that walks the stack it stands on.
pub trait Subject {
    /// Its names.
    fn label(&self) -> Label;

    /// Frames that one iteration must deliver from a stack of `depth`.
    fn expected(&self, depth: u64) -> u64 {
        depth
    }

    /// Those of [`DEPTHS`] at which it is measured; the record says so when they are not all.
    fn depths(&self) -> &'static [u64] {
        &DEPTHS
    }

    /// What a reader of the figures should know.
    fn note(&self) -> Option<String> {
        None
    }

    /// Walks once and compares with what the interpreter says: the frames delivered. A bench of a broken walk is worth
    /// nothing.
    ///
    /// # Errors
    /// How the walk differs from the interpreter's own chain.
    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure>;

    /// Walks `iters` times: the time of that, without any preparation.
    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration;
}

/// A walker's name as a subject's: records have it without hyphens.
#[must_use]
pub fn name(walker: &str) -> String {
    walker.replace('-', "_")
}

/// The walks, each measured at its depths.
///
/// # Errors
/// A baseline that this interpreter does not have under any name.
pub fn of_walk(py: Python<'_>) -> Result<Vec<Box<dyn Subject>>, Failure> {
    let mut subjects: Vec<Box<dyn Subject>> = vec![Box::new(floor::Floor), Box::new(raw::Raw::default())];
    subjects.extend(walkers::all());
    subjects.push(Box::new(call_stack::CallStack::default()));
    subjects.extend(cpython_c::all());
    subjects.push(Box::new(frame_objects::FrameObjects));
    subjects.push(Box::new(tracemalloc::Tracemalloc::new(py)?));
    subjects.extend(dump::all(py)?);
    subjects.push(Box::new(parse::DumpAndParse::new(py)?));
    Ok(subjects)
}

/// The walks that are measured on real stacks: `(subject, what)` of those of [`of_walk`].
pub const ON_STACKS: [(&str, What); 9] = [
    ("floor", What::Chain),
    ("raw", What::Code),
    ("guarded", What::Code),
    ("guarded", What::Line),
    ("guarded_warm", What::Line),
    ("guarded", What::Names),
    ("pr_b1", What::Line),
    ("tracemalloc", What::Line),
    ("dump_traceback", What::Names),
];

/// Whether a label is one of [`ON_STACKS`]; of those that print, the one that prints to /dev/null.
#[must_use]
pub fn on_stacks(label: &Label) -> bool {
    ON_STACKS.contains(&(&label.subject, label.what)) && label.sink.is_none_or(|sink| sink == "/dev/null")
}

/// Lookups of a line in a table, which no depth changes.
///
/// # Errors
/// Whatever Python raises.
pub fn of_lines(py: Python<'_>) -> Result<Vec<Box<dyn Subject>>, Failure> {
    lookup::all(py)
}

/// The timed loop. Each iteration begins when the one before has ended, as a walk in a handler does.
///
/// Without the fence a processor that looks some hundred instructions ahead runs several short walks at once: the bare
/// chase then took 0.7 ns a hop, half of what a load from the nearest cache takes, which no walk that stands alone can.
#[inline(always)]
fn timed(iters: u64, mut once: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..iters {
        once();
        serialize();
    }
    start.elapsed()
}

/// No later instruction starts before all earlier ones have ended.
#[inline(always)]
fn serialize() {
    // SAFETY: `lfence` is in every x86-64, and changes nothing.
    unsafe { std::arch::x86_64::_mm_lfence() };
}

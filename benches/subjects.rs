//! What is timed, one file a kind. The order of [`of_walk`] is the order of the benches: those that a ratio compares run
//! one after the other, so that drift of the machine touches both.

mod cpython_c;
mod dump;
mod floor;
mod frame_objects;
mod lookup;
mod parse;
mod raw;
mod tracemalloc;
mod walkers;

use crate::depth::Here;
use crate::failure::Failure;
use sigwalk_embed::pyo3::Python;
use sigwalk_record::What;
use std::time::{Duration, Instant};

/// Names a subject, in Criterion's output and in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Who walks.
    pub subject: &'static str,
    /// What an iteration delivers.
    pub what: What,
    /// Where text goes, for those that print.
    pub sink: Option<&'static str>,
}

impl Label {
    const fn new(subject: &'static str, what: What) -> Self {
        Label { subject, what, sink: None }
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

/// The walks, measured at every depth.
///
/// # Errors
/// A baseline that this interpreter does not have under any name.
pub fn of_walk(py: Python<'_>) -> Result<Vec<Box<dyn Subject>>, Failure> {
    let mut subjects: Vec<Box<dyn Subject>> = vec![Box::new(floor::Floor), Box::new(raw::Raw::default())];
    subjects.extend(walkers::all());
    subjects.extend(cpython_c::all());
    subjects.push(Box::new(frame_objects::FrameObjects));
    subjects.push(Box::new(tracemalloc::Tracemalloc::new(py)?));
    subjects.extend(dump::all(py)?);
    subjects.push(Box::new(parse::DumpAndParse::new(py)?));
    Ok(subjects)
}

/// Lookups of a line in a table, which no depth changes.
///
/// # Errors
/// Whatever Python raises.
pub fn of_lines(py: Python<'_>) -> Result<Vec<Box<dyn Subject>>, Failure> {
    lookup::all(py)
}

/// The timed loop.
#[inline(always)]
fn timed(iters: u64, mut once: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..iters {
        once();
    }
    start.elapsed()
}

//! The walkers of the root crate, each over the reader it is used with, and the strict one over raw loads too: same
//! policy, other loads, so that the quotient is the price of guarding a load.

use super::{Label, Subject, timed};
use crate::depth::Here;
use crate::failure::Failure;
use crate::reference;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::interpreter::Interpreter;
use sigwalk::reader::{GuardedReader, RawReader, Reader};
use sigwalk::text::{self, Copied, TextError};
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::{PrB1, PrB1Hops, Readers, Strict, Walker};
use sigwalk_record::What;
use std::hint::black_box;
use std::marker::PhantomData;
use std::time::Duration;

/// Room for a name: what a sampling profiler gives one in a record of fixed size.
const NAME: usize = 128;
/// File and function of one frame.
type Names = [[u8; NAME]; 2];

/// In the order they run in: the two sides of `guarded_vs_raw` are neighbours.
pub(super) fn all() -> Vec<Box<dyn Subject>> {
    let raw: fn(&Readers) -> RawReader = |readers| readers.raw;
    let guarded: fn(&Readers) -> GuardedReader = |readers| readers.guarded;
    vec![
        Box::new(Walked::<Strict, _>::new("raw_strict", What::Code, raw)),
        Box::new(Walked::<Strict, _>::new("guarded", What::Code, guarded)),
        Box::new(Walked::<PrB1, _>::new("pr_b1", What::Code, raw)),
        Box::new(Walked::<PrB1, _>::new("pr_b1", What::Line, raw)),
        Box::new(Walked::<PrB1Hops, _>::new("pr_b1_hops", What::Line, raw)),
        Box::new(Walked::<Strict, _>::new("guarded", What::Line, guarded)),
        Box::new(Walked::<Strict, _>::new("guarded", What::Names, guarded)),
    ]
}

struct Walked<W, R> {
    subject: &'static str,
    what: What,
    reader: fn(&Readers) -> R,
    frames: Vec<Frame>,
    names: Vec<Names>,
    walker: PhantomData<W>,
}

impl<W: Walker, R: Reader> Walked<W, R> {
    fn new(subject: &'static str, what: What, reader: fn(&Readers) -> R) -> Self {
        Walked { subject, what, reader, frames: Vec::new(), names: Vec::new(), walker: PhantomData }
    }

    /// The buffers at their sizes, outside of what is timed.
    fn prepare<'a>(&mut self, here: &'a Here<'_>) -> (R, Request<'a>) {
        self.frames.resize(here.depth as usize + 1, Frame::default());
        self.names.resize(here.depth as usize + 1, [[0; NAME]; 2]);
        let detail = if self.what == What::Code { Detail::Code } else { Detail::Line };
        ((self.reader)(&here.live.readers), Request::new(&here.live.interpreter, here.tstate, detail))
    }
}

/// One walk, as a handler would call it.
#[inline(never)]
fn walk<W: Walker, R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
    W::walk(reader, request, out)
}

/// `co_filename` and `co_qualname`: the pointers are loaded through the reader too.
#[inline(never)]
fn copy_names<R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    frame: &Frame,
    into: &mut Names,
) -> Result<[Copied; 2], TextError> {
    let offsets = &interpreter.layout.code;
    let [file, function] = into;
    Ok([
        text::copy(reader, interpreter, reader.addr(frame.code.plus(offsets.filename))?, file)?,
        text::copy(reader, interpreter, reader.addr(frame.code.plus(offsets.qualname))?, function)?,
    ])
}

impl<W: Walker, R: Reader> Subject for Walked<W, R> {
    fn label(&self) -> Label {
        Label::new(self.subject, self.what)
    }

    fn note(&self) -> Option<String> {
        (self.what == What::Names).then(|| format!("file and qualified name copied, up to {NAME} bytes each"))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let (reader, request) = self.prepare(here);
        let mut out = FrameBuf::new(&mut self.frames);
        let walk = walk::<W, R>(&reader, &request, &mut out);
        if walk.end != End::Complete {
            return Err(Failure::internal(format!("ended as {}", walk.end.name())));
        }
        reference::compare(&reference::stack(here)?, out.frames(), self.what != What::Code)
            .map_err(Failure::internal)?;
        if self.what == What::Names {
            for (frame, names) in out.frames().iter().zip(&mut self.names) {
                let copied = copy_names(&reader, request.interpreter, frame, names)
                    .map_err(|error| Failure::internal(format!("no names: {error:?}")))?;
                let [file, function] = [0, 1].map(|name| &names[name][..copied[name].bytes]);
                if file != b"sigwalk_bench/ladder.py" || !function.starts_with(b"rung_") {
                    return Err(Failure::internal(format!(
                        "wrong names {:?}",
                        String::from_utf8_lossy(file)
                    )));
                }
            }
        }
        Ok(out.frames().len() as u64)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let (reader, request) = self.prepare(here);
        let (frames, names) = (&mut self.frames, &mut self.names);
        if self.what != What::Names {
            return timed(iters, || {
                let mut out = FrameBuf::new(frames);
                let ended = walk::<W, R>(black_box(&reader), black_box(&request), &mut out);
                black_box((ended, out.frames()));
            });
        }
        timed(iters, || {
            let mut out = FrameBuf::new(frames);
            let ended = walk::<W, R>(black_box(&reader), black_box(&request), &mut out);
            for (frame, names) in out.frames().iter().zip(names.iter_mut()) {
                let copied = copy_names(&reader, request.interpreter, frame, names);
                let _ = black_box((copied, names));
            }
            black_box((ended, out.frames()));
        })
    }
}

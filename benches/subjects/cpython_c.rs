//! CPython's own inline helpers under the same walk as `pr_b1`, compiled in C with the interpreter's flags: whether our model
//! of them costs what they cost.

use super::{Label, Subject, timed};
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::walk::{Detail, End, Request};
use sigwalk_embed::cpython_c::{CpythonC, available};
use sigwalk_record::What;
use std::hint::black_box;
use std::time::Duration;

struct Walked {
    walker: CpythonC,
    what: What,
    frames: Vec<Frame>,
}

/// With and without lines; none, and a note, where this interpreter has no such helpers.
pub(super) fn all() -> Vec<Box<dyn Subject>> {
    match available() {
        Ok(walker) => [What::Code, What::Line]
            .map(|what| Box::new(Walked { walker, what, frames: Vec::new() }) as Box<dyn Subject>)
            .into(),
        Err(why) => {
            eprintln!("cpython_c: not available: {why}");
            Vec::new()
        }
    }
}

impl Walked {
    /// The buffer at its size, outside of what is timed.
    fn prepare<'a>(&mut self, here: &'a Here<'_>) -> Request<'a> {
        self.frames.resize(here.depth as usize + 1, Frame::default());
        let detail = if self.what == What::Code { Detail::Code } else { Detail::Line };
        Request::new(&here.live.interpreter, here.tstate, detail)
    }
}

impl Subject for Walked {
    fn label(&self) -> Label {
        Label::new("cpython_c", self.what)
    }

    fn note(&self) -> Option<String> {
        Some("inline helpers from the interpreter's headers, PyCode_Addr2Line from its libpython".to_owned())
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let request = self.prepare(here);
        let mut out = FrameBuf::new(&mut self.frames);
        let walk = self.walker.walk(&request, &mut out);
        if walk.end != End::Complete {
            return Err(Failure::internal(format!("ended as {}", walk.end.name())));
        }
        reference::compare(&reference::stack(here)?, out.frames(), self.what != What::Code)
            .map_err(Failure::internal)?;
        Ok(out.frames().len() as u64)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let request = self.prepare(here);
        let (walker, frames) = (self.walker, &mut self.frames);
        timed(iters, || {
            let mut out = FrameBuf::new(frames);
            let ended = walker.walk(black_box(&request), &mut out);
            black_box((ended, out.frames()));
        })
    }
}

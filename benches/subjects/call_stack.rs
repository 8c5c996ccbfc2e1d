//! Design A of the PR: the stack as plain data of fixed size, names included, collected by the strict walk over guarded
//! loads. What the printed text and a parser give back at twenty to a hundred times the cost.

use super::{Label, Subject, timed};
use crate::depth::FEW;
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk::call_stack::{FrameInfo, collect};
use sigwalk::walk::{Detail, End, Request};
use sigwalk_record::What;
use std::hint::black_box;
use std::time::Duration;

/// The collector and the caller's array.
#[derive(Debug, Default)]
pub(super) struct CallStack {
    frames: Vec<FrameInfo>,
}

impl CallStack {
    fn prepare<'a>(&mut self, here: &'a Here<'_>) -> Request<'a> {
        self.frames.resize(here.depth as usize + 1, FrameInfo::EMPTY);
        Request::new(&here.live.interpreter, here.tstate, Detail::Line)
    }
}

impl Subject for CallStack {
    fn label(&self) -> Label {
        Label::new("call_stack", What::Names)
    }

    fn depths(&self) -> &'static [u64] {
        &FEW
    }

    fn note(&self) -> Option<String> {
        Some(format!("frames of {} bytes: line, file and function as escaped ASCII", size_of::<FrameInfo>()))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let request = self.prepare(here);
        let collected = collect(&here.live.readers.guarded, &request, &mut self.frames);
        if collected.end != End::Complete {
            return Err(Failure::internal(format!("ended as {}", collected.end.name())));
        }
        let known = reference::stack(here)?;
        let found = &self.frames[..collected.frames];
        if !found.iter().map(|frame| frame.line).eq(known.iter().map(|frame| frame.line)) {
            return Err(Failure::internal(format!("{} frames or other lines", collected.frames)));
        }
        // The names themselves are compared with faulthandler's, on real interpreters, by stress/embed/tests/call_stack.rs.
        let nameless = |frame: &&FrameInfo| frame.filename().is_none() || frame.name().is_none();
        match found.iter().find(nameless) {
            Some(frame) => Err(Failure::internal(format!("no names at line {}", frame.line))),
            None => Ok(collected.frames as u64),
        }
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let request = self.prepare(here);
        let (reader, frames) = (&here.live.readers.guarded, &mut self.frames);
        timed(iters, || {
            let collected = collect(black_box(reader), black_box(&request), frames);
            black_box((collected, &*frames));
        })
    }
}

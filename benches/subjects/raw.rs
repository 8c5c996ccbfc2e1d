//! The least that a profiler needs: code object and instruction offset of every Python frame, by raw loads, with no check
//! but the one that tells a Python frame from an entry frame. What the checks cost is the distance from here.

use super::{Label, Subject, floor, timed};
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf, NO_LINE};
use sigwalk::layout::Layout;
use sigwalk::reader::{Fault, RawReader, Reader};
use sigwalk_record::What;
use std::hint::black_box;
use std::time::Duration;

/// The walk and its buffer.
#[derive(Debug, Default)]
pub struct Raw {
    frames: Vec<Frame>,
}

#[inline(never)]
fn walk(reader: RawReader, layout: &Layout, tstate: Addr, out: &mut FrameBuf<'_>) -> Result<(), Fault> {
    // One comparison either way: an owner is never above 127.
    let entry = layout.frame.entry_owner.unwrap_or(u8::MAX);
    let tag = u64::from(layout.frame.tagged);
    let mut frame = floor::head(reader, layout, tstate);
    while !frame.is_null() {
        let previous = reader.addr(frame.plus(layout.frame.previous))?;
        if reader.u8(frame.plus(layout.frame.owner))? < entry {
            let executable = reader.addr(frame.plus(layout.frame.executable))?;
            let instruction = reader.addr(frame.plus(layout.frame.instruction))?;
            let code = Addr::new(executable.get() & !tag);
            let lasti = instruction.minus(code.plus(layout.code.adaptive)) as i32;
            if !out.push(Frame { frame, code, lasti, line: NO_LINE }) {
                break;
            }
        }
        frame = previous;
    }
    Ok(())
}

impl Subject for Raw {
    fn label(&self) -> Label {
        Label::new("raw", What::Code)
    }

    fn note(&self) -> Option<String> {
        Some("raw loads, entry frames skipped, nothing else checked".to_owned())
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        self.frames.resize(here.depth as usize + 1, Frame::default());
        let mut out = FrameBuf::new(&mut self.frames);
        let _ = walk(here.live.readers.raw, &here.live.interpreter.layout, here.tstate, &mut out);
        reference::compare(&reference::stack(here)?, out.frames(), false).map_err(Failure::internal)?;
        Ok(out.frames().len() as u64)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let (reader, layout) = (here.live.readers.raw, &here.live.interpreter.layout);
        self.frames.resize(here.depth as usize + 1, Frame::default());
        let frames = &mut self.frames;
        timed(iters, || {
            let mut out = FrameBuf::new(frames);
            let _ = walk(black_box(reader), black_box(layout), black_box(here.tstate), &mut out);
            black_box(out.frames());
        })
    }
}

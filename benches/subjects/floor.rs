//! The floor: a bare chase of `previous` over the same frames. Every walk must do at least this, one dependent load a
//! frame, and no walk can be faster.

use super::{Label, Subject, timed};
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::layout::{Head, Layout};
use sigwalk::reader::{RawReader, Reader};
use sigwalk::walk::{Detail, Request};
use sigwalk::walkers::{Strict, Walker};
use sigwalk_record::What;
use std::hint::black_box;
use std::time::Duration;

/// Follows the chain and counts.
#[derive(Debug)]
pub struct Floor;

/// The innermost frame; the raw walk begins with the same loads.
#[inline(always)]
pub(super) fn head(reader: RawReader, layout: &Layout, tstate: Addr) -> Addr {
    let load = |at| reader.addr(at).unwrap_or(Addr::NULL);
    match layout.thread.head {
        Head::Direct { current_frame } => load(tstate.plus(current_frame)),
        Head::Cframe { cframe, current_frame } => load(load(tstate.plus(cframe)).plus(current_frame)),
    }
}

/// Frames of any kind until NULL.
#[inline(never)]
fn chase(reader: RawReader, layout: &Layout, tstate: Addr) -> u64 {
    let mut frame = head(reader, layout, tstate);
    let mut hops = 0;
    while !frame.is_null() {
        hops += 1;
        frame = reader.addr(frame.plus(layout.frame.previous)).unwrap_or(Addr::NULL);
    }
    hops
}

impl Subject for Floor {
    fn label(&self) -> Label {
        Label::new("floor", What::Chain)
    }

    fn note(&self) -> Option<String> {
        Some(
            "raw loads of `previous` until NULL, entry frames followed but not counted as delivered; on stacks of some dozen \
             frames the processor begins the next chase before one has ended, and the figure is below the latency of a load"
                .to_owned(),
        )
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let known = reference::stack(here)?.len() as u64;
        // The chain also holds entry frames. How many, a walk that tells them apart says.
        let mut frames = vec![Frame::default(); known as usize + 1];
        let request = Request::new(&here.live.interpreter, here.tstate, Detail::Code);
        let walk = Strict::walk(&here.live.readers.guarded, &request, &mut FrameBuf::new(&mut frames));
        let hops = chase(here.live.readers.raw, &here.live.interpreter.layout, here.tstate);
        let entries = u64::from(walk.hops).wrapping_sub(known);
        // A stack without a call through C has two at most; a real one as many as it has such calls.
        // 3.15 has a base frame, which ends the strict walk and is one more hop here.
        if !(hops == known + entries || hops == known + entries + 1) || (here.stack.is_none() && entries > 2)
        {
            return Err(Failure::internal(format!(
                "{hops} hops, where the strict walk made {} for {known} frames",
                walk.hops
            )));
        }
        Ok(known)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let (reader, layout) = (here.live.readers.raw, &here.live.interpreter.layout);
        timed(iters, || {
            black_box(chase(black_box(reader), black_box(layout), black_box(here.tstate)));
        })
    }
}

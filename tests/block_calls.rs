//! How many calls a walk makes of a source that pays by the call: few, whatever ends it.
#![cfg(not(loom))]

mod image;

use image::{Entry, Function, MINORS, OlderChunk, Process, Slot};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{BlockReader, ByLoads, FaultKind, ImageReader, Source};
use sigwalk::walk::{Detail, End, Rejected, Truncated, strict};
use std::cell::Cell;

/// Counts calls, and copies by loads.
struct Counted<'a> {
    calls: &'a Cell<u32>,
    source: ByLoads<ImageReader<'a>>,
}

impl Source for Counted<'_> {
    fn copy(&self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        self.calls.set(self.calls.get() + 1);
        self.source.copy(blocks, into)
    }
}

/// How a walk with `room` frames ends, how many it delivers, and the calls that it makes.
fn walk(process: &Process, room: usize) -> (End, usize, u32) {
    let (regions, calls) = (process.regions(), Cell::new(0));
    let reader = loop {
        // Other tests of this file hold places meanwhile, for a moment.
        if let Some(reader) =
            BlockReader::new(Counted { calls: &calls, source: ByLoads(ImageReader::new(&regions)) })
        {
            break reader;
        }
        std::thread::yield_now();
    };
    let mut frames = vec![Frame::default(); room];
    let mut out = FrameBuf::new(&mut frames);
    let walk = strict::walk(&reader, &process.request(Detail::Code), &mut out);
    (walk.end, out.frames().len(), calls.get())
}

#[test]
fn a_walk_that_ends_early_costs_no_call_a_frame() {
    let slots: Vec<Slot> = std::iter::repeat_n(Function, 60).chain([Entry]).collect();
    for minor in MINORS {
        let process = Process::new(minor, &slots);
        let (end, frames, whole) = walk(&process, 64);
        assert_eq!((end, frames), (End::Complete, 60), "3.{minor}");
        let (end, frames, cut) = walk(&process, 40);
        assert_eq!((end, frames), (End::Truncated(Truncated::BufferFull), 40), "3.{minor}");
        assert!(cut <= whole + 1, "3.{minor}: {cut} calls for 40 frames, {whole} for all");
        // Nor does a chain that ends in the void, before its head is read again.
        let mut process = Process::new(minor, &slots);
        process.put(process.previous(40), 0x10);
        let (end, frames, torn) = walk(&process, 64);
        assert_eq!((end, frames), (End::Rejected(Rejected::FrameShape), 41), "3.{minor}");
        assert!(torn <= whole + 1, "3.{minor}: {torn} calls for 41 frames, {whole} for all");
    }
}

#[test]
fn a_chunk_more_costs_two_calls_more() {
    for minor in MINORS {
        let calls = |chunks: usize| {
            let mut slots = vec![Function];
            for _ in 1..chunks {
                slots.extend([OlderChunk, Function]);
            }
            slots.push(Entry);
            let (end, frames, calls) = walk(&Process::new(minor, &slots), 64);
            assert_eq!((end, frames), (End::Complete, chunks), "3.{minor}");
            calls
        };
        // Its innermost frame, which says that there is a chunk, and the chunk. A place for copies holds four of them.
        assert_eq!(calls(12) - calls(2), 20, "3.{minor}");
    }
}

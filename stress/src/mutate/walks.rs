//! Walks by the registered walkers, and how long the longest took.

use super::{FRAMES, LOADS};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::walk::{Request, Walk};
use sigwalk::walkers::{self, Entry, Reads};
use sigwalk_embed::Live;
use sigwalk_embed::outside::Outside;
use std::time::{Duration, Instant};

/// How a walk went, and its frames.
pub(super) type Walked = (Walk, Vec<Frame>);

/// Who walks.
pub(super) struct Walks {
    live: &'static Live,
    outside: Outside,
    longest: Vec<Duration>,
}

/// A walk that takes longer is made again: what is left is the walker's own time and not the scheduler's.
const SUSPICIOUS: Duration = Duration::from_micros(20);
const REPETITIONS: u32 = 4;

impl Walks {
    pub(super) fn new(live: &'static Live) -> std::io::Result<Walks> {
        let longest = vec![Duration::ZERO; walkers::ALL.len()];
        Ok(Walks { live, outside: Outside::start(live)?, longest })
    }

    /// A walk by the walker of that index.
    pub(super) fn walk(&mut self, index: usize, request: &Request<'_>) -> Result<Walked, String> {
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        let (walk, mut took) = self.timed(index, request, &mut out)?;
        let protected = walkers::ALL[index].reads == Reads::Guarded;
        for _ in 0..REPETITIONS {
            if !protected || took < SUSPICIOUS.max(self.longest[index]) {
                break;
            }
            out.clear();
            took = took.min(self.timed(index, request, &mut out)?.1);
        }
        self.longest[index] = self.longest[index].max(took);
        Ok((walk, out.frames().to_vec()))
    }

    fn timed(
        &mut self,
        index: usize,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Result<(Walk, Duration), String> {
        let entry: &'static Entry = &walkers::ALL[index];
        let begun = Instant::now();
        let walk = match entry.reads {
            Reads::Outside => {
                self.outside.walk(entry, LOADS, request, out).map_err(|error| error.to_string())?
            }
            _ => (entry.counted)(&self.live.readers, LOADS, request, out),
        };
        Ok((walk, begun.elapsed()))
    }

    /// The longest walk of each walker that makes guarded loads, in words; the others wait for the kernel.
    pub(super) fn longest(&self) -> String {
        let of =
            |(entry, took): (&Entry, &Duration)| format!("{} {:.1} µs", entry.name, took.as_secs_f64() * 1e6);
        let guarded =
            walkers::ALL.iter().zip(&self.longest).filter(|(entry, _)| entry.reads == Reads::Guarded);
        guarded.map(of).collect::<Vec<_>>().join(", ")
    }
}

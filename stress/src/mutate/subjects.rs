//! Who walks over changed memory: the registered walkers, each with its own policy over loads that come back, and CPython's
//! own helpers with their faults caught.

use super::differential::Theirs;
use super::names::{self, Named};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::FaultKind;
use sigwalk::walk::{Request, Site, Walk};
use sigwalk::walkers::{self, Entry, Reads};
use sigwalk_embed::Live;
use sigwalk_embed::cpython_c::{self, Tried};
use sigwalk_embed::outside::Outside;
use std::time::{Duration, Instant};

/// Loads a walk may make at first. A whole walk of these stacks with lines makes at most some thousands.
pub const LOADS: u32 = 50_000;

/// Loads it may make where those were too few and it has not followed [`ENDLESS`] frames: a scan that leaves its line table
/// ends at the end of the mapping at the latest, mostly much earlier, and 256 times the line of a large function is a lot, too.
pub const MANY_LOADS: u32 = 1 << 22;

/// Hops after which a walk counts as endless. The chains have less than a hundred frames, and the buffer is full before.
pub const ENDLESS: u32 = 4096;

/// Frames a walk may deliver.
pub const FRAMES: usize = 256;

/// Index of `cpython-c`, which is not among the walkers of the root crate.
pub const CPYTHON_C: usize = walkers::ALL.len();

/// Index of the call stack with names.
const NAMES: usize = CPYTHON_C + 1;

/// How many there are.
pub const COUNT: usize = NAMES + 1;

/// The name of a subject.
pub fn name(index: usize) -> &'static str {
    match index {
        CPYTHON_C => cpython_c::NAME,
        NAMES => names::NAME,
        _ => walkers::ALL[index].name,
    }
}

/// All names.
pub fn names() -> Vec<&'static str> {
    (0..COUNT).map(name).collect()
}

/// The subject of that name.
pub fn index_of(wanted: &str) -> Option<usize> {
    (0..COUNT).find(|&index| name(index) == wanted)
}

/// The walker whose answer on a healthy stack counts as the truth.
pub fn reference() -> usize {
    index_of("guarded").expect("a registered walker")
}

/// Where loads of a subject can fail, by name: the sites of our walks, then the steps of the C.
pub fn site_names() -> impl Iterator<Item = &'static str> {
    Site::ALL.iter().map(|site| site.name()).chain(cpython_c::STEPS)
}

/// Number of [`site_names`].
pub const SITES: usize = Site::ALL.len() + cpython_c::STEPS.len();

/// What a walk gave.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it went.
    pub how: How,
    /// The frames.
    pub frames: Vec<Frame>,
    /// Their names, of who delivers any.
    pub named: Option<Named>,
}

/// How a walk went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// It came back.
    Ended(Walk),
    /// A real fault was caught: index of the site.
    Crashed(usize),
    /// It would go on for ever: after so many hops.
    Endless(u32),
}

impl Default for Answer {
    fn default() -> Self {
        Answer { how: How::Crashed(0), frames: Vec::with_capacity(FRAMES), named: None }
    }
}

/// Everybody who walks in this process.
pub struct Subjects {
    live: &'static Live,
    outside: Option<Outside>,
    theirs: Option<Theirs>,
    buffer: Box<[Frame; FRAMES]>,
    /// The longest walk of each that makes guarded loads.
    pub longest: [Duration; COUNT],
}

/// A walk that takes longer is made again: what is left is the walker's own time and not the scheduler's.
const SUSPICIOUS: Duration = Duration::from_micros(20);
const REPETITIONS: u32 = 4;

impl Subjects {
    /// Those of `wanted`; the process outside is made where one of them walks from there.
    ///
    /// # Errors
    /// The kernel has no process for it.
    pub fn new(live: &'static Live, theirs: Option<Theirs>, wanted: &[usize]) -> std::io::Result<Subjects> {
        let outside =
            wanted.iter().any(|&index| index < CPYTHON_C && walkers::ALL[index].reads == Reads::Outside);
        Ok(Subjects {
            live,
            outside: if outside { Some(Outside::start(live)?) } else { None },
            theirs,
            buffer: Box::new([Frame::default(); FRAMES]),
            longest: [Duration::ZERO; COUNT],
        })
    }

    /// Whether this process has the subject.
    pub fn has(&self, index: usize) -> bool {
        index != CPYTHON_C || self.theirs.is_some()
    }

    /// The walk of a subject, into `answer`.
    ///
    /// # Errors
    /// The process outside has died.
    pub fn walk(&mut self, index: usize, request: &Request<'_>, answer: &mut Answer) -> Result<(), String> {
        let mut out = FrameBuf::new(&mut self.buffer[..]);
        if index == NAMES {
            let named = names::walk(self.live, request, MANY_LOADS);
            answer.how = if named.spent { How::Endless(named.walk.hops) } else { How::Ended(named.walk) };
            answer.frames.clear();
            answer.frames.extend_from_slice(&named.frames);
            answer.named = Some(named);
            return Ok(());
        }
        if index == CPYTHON_C {
            let theirs = self.theirs.as_ref().ok_or("cpython-c is not available")?;
            answer.how = match theirs.walk(request, &mut out) {
                Tried::Ended(walk) if Theirs::is_endless(&walk) => How::Endless(walk.hops),
                Tried::Ended(walk) => How::Ended(walk),
                Tried::Crashed(bad) => {
                    How::Crashed(site_names().position(|site| site == bad.step).expect("a step of the C"))
                }
            };
        } else {
            let entry: &'static Entry = &walkers::ALL[index];
            let (mut walk, mut took) = timed(self.live, &mut self.outside, entry, request, &mut out)?;
            for _ in 0..REPETITIONS {
                if entry.reads != Reads::Guarded || took < SUSPICIOUS.max(self.longest[index]) {
                    break;
                }
                out.clear();
                let again = timed(self.live, &mut self.outside, entry, request, &mut out)?;
                (walk, took) = (again.0, took.min(again.1));
            }
            self.longest[index] = self.longest[index].max(took);
            answer.how = How::Ended(walk);
        }
        answer.frames.clear();
        answer.frames.extend_from_slice(out.frames());
        Ok(())
    }
}

/// Whether a walk was ended by the budget of loads although it may still end by itself: a strict walk follows up to 768 frames,
/// of which it emits 256, and the lines of these take more loads than an endless walk is given.
pub fn stopped_short(walk: &Walk) -> bool {
    walk.fault().is_some_and(|(_, kind)| kind == FaultKind::Budget) && walk.hops <= ENDLESS
}

fn timed(
    live: &Live,
    outside: &mut Option<Outside>,
    entry: &'static Entry,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Result<(Walk, Duration), String> {
    let begun = Instant::now();
    for loads in [LOADS, MANY_LOADS] {
        out.clear();
        let walk = match (entry.reads, &mut *outside) {
            (Reads::Outside, Some(outside)) => {
                outside.walk(entry, loads, request, out).map_err(|error| error.to_string())?
            }
            (Reads::Outside, None) => return Err("no process walks from outside".into()),
            _ => (entry.counted)(&live.readers, loads, request, out),
        };
        if loads == MANY_LOADS || !stopped_short(&walk) {
            return Ok((walk, begun.elapsed()));
        }
    }
    unreachable!("the second time is the last")
}

//! One walker over one image, with every load failing in turn.

use super::images::Captured;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::line_cache::LineCache;
use sigwalk::reader::{AnyReader, Before, Failing, ImageReader, Region};
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::Entry;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

const CAPACITY: usize = 64;
/// More loads than a walk of these images can make: what needs more does not end.
const LOADS: u32 = 60_000;
/// Silent answers of a sweep that are printed.
const SHOWN: u64 = 3;

/// What is asked of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Code,
    Line,
    /// Lines, out of a cache that has them.
    Warm,
    /// Lines, out of an empty cache.
    Cold,
}

impl Asked {
    pub const ALL: [Asked; 4] = [Asked::Code, Asked::Line, Asked::Warm, Asked::Cold];

    const fn detail(self) -> Detail {
        match self {
            Asked::Code => Detail::Code,
            _ => Detail::Line,
        }
    }

    const fn cached(self) -> bool {
        matches!(self, Asked::Warm | Asked::Cold)
    }
}

/// How loads fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Transient,
    Persistent,
}

/// What a sweep saw. The five outcomes partition `walks`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Loads of the undisturbed walk, or of the longest one.
    pub longest: u64,
    pub walks: u64,
    /// The walk said that a load failed.
    pub fault: u64,
    /// The walk said that it could not believe what it had.
    pub rejected: u64,
    /// The undisturbed answer, called complete.
    pub unharmed: u64,
    /// Another answer, called complete; or a part that is no part of the undisturbed one; or a line cache that gives wrong lines
    /// to the walk after.
    pub silent: u64,
    pub panic: u64,
    /// Loads that failed.
    pub failed: u64,
}

impl Counts {
    fn fields(&self) -> [u64; 8] {
        [
            self.longest,
            self.walks,
            self.fault,
            self.rejected,
            self.unharmed,
            self.silent,
            self.panic,
            self.failed,
        ]
    }

    pub fn add(&mut self, other: Counts) {
        *self = Counts {
            longest: self.longest.max(other.longest),
            walks: self.walks + other.walks,
            fault: self.fault + other.fault,
            rejected: self.rejected + other.rejected,
            unharmed: self.unharmed + other.unharmed,
            silent: self.silent + other.silent,
            panic: self.panic + other.panic,
            failed: self.failed + other.failed,
        };
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields().map(|field| field.to_string());
        f.write_str(&fields.join(","))
    }
}

impl FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<u64> = text.split(',').filter_map(|field| field.parse().ok()).collect();
        let [longest, walks, fault, rejected, unharmed, silent, panic, failed] = fields[..] else {
            return Err(format!("no counts: {text}"));
        };
        Ok(Counts { longest, walks, fault, rejected, unharmed, silent, panic, failed })
    }
}

/// A walker, an image and what is asked.
pub struct Sweep<'a> {
    pub entry: &'a Entry,
    pub captured: &'a Captured,
    pub regions: &'a [Region<'a>],
    pub asked: Asked,
}

impl Sweep<'_> {
    /// The n-th load fails, for n = 1, 2, … until a walk makes no such load. Prints what is silent.
    ///
    /// # Panics
    /// The undisturbed walk does not give CPython's answer.
    pub fn run(&self, mode: Mode) -> Counts {
        let mut counts = Counts::default();
        for nth in 1.. {
            let failing = match mode {
                Mode::Transient => Failing::transient(nth),
                Mode::Persistent => Failing::persistent(nth),
            };
            let failing = failing.within(LOADS);
            let cache = LineCache::new();
            if self.asked == Asked::Warm {
                self.undisturbed(&cache);
            }
            let mut frames = [Frame::default(); CAPACITY];
            let tried = catch_unwind(AssertUnwindSafe(|| self.walk(&failing, &cache, &mut frames)));
            counts.longest = counts.longest.max(u64::from(failing.made()));
            if failing.failed() == 0 {
                let Ok((walk, len)) = tried else { panic!("{} without any failure", self.about(mode, 0)) };
                assert!(self.is_right(walk.end, &frames[..len]), "{}: {walk:?}", self.about(mode, 0));
                return counts;
            }
            counts.walks += 1;
            counts.failed += u64::from(failing.failed());
            let Ok((walk, len)) = tried else {
                counts.panic += 1;
                continue;
            };
            let frames = &frames[..len];
            if self.is_wrong(&walk, frames) || (self.asked.cached() && !self.undisturbed(&cache)) {
                if counts.silent < SHOWN {
                    println!("{}: {walk:?} {frames:?}", self.about(mode, nth));
                }
                counts.silent += 1;
            } else if walk.end == End::Complete {
                counts.unharmed += 1;
            } else if walk.fault().is_some() {
                counts.fault += 1;
            } else {
                counts.rejected += 1;
            }
        }
        unreachable!()
    }

    fn about(&self, mode: Mode, nth: u32) -> String {
        format!("{}, {:?}, load {nth} fails, {mode:?}", self.entry.name, self.asked)
    }

    fn walk(&self, failing: &Failing, cache: &LineCache, frames: &mut [Frame]) -> (Walk, usize) {
        let hook = |load| failing.before(load);
        let reader = Before::new(AnyReader::Image(ImageReader::new(self.regions)), &hook);
        let Captured { interpreter, tstate, .. } = self.captured;
        let request = Request::new(interpreter, *tstate, self.asked.detail());
        let request = if self.asked.cached() { request.with_lines(cache) } else { request };
        let mut out = FrameBuf::new(frames);
        let walk = (self.entry.hooked)(&reader, &request, &mut out);
        (walk, out.frames().len())
    }

    /// A walk no load of which fails, and whether it is right.
    fn undisturbed(&self, cache: &LineCache) -> bool {
        let mut frames = [Frame::default(); CAPACITY];
        let (walk, len) = self.walk(&Failing::none(), cache, &mut frames);
        self.is_right(walk.end, &frames[..len])
    }

    fn is_right(&self, end: End, frames: &[Frame]) -> bool {
        end == End::Complete && self.captured.is_answer(frames, self.asked.detail() == Detail::Line)
    }

    /// Called complete and not right; or frames before the end that are not the innermost ones.
    fn is_wrong(&self, walk: &Walk, frames: &[Frame]) -> bool {
        match walk.end {
            End::Complete => !self.is_right(walk.end, frames),
            _ => !self.captured.begins_with(frames),
        }
    }
}

//! One visit: the walk, the truth, and what is counted. Between the two the thread does nothing but walk, so they are of
//! the same moment.
#![allow(unsafe_code)]

use super::compare::{difference, same};
use super::{Place, Side, State, public};
use crate::attempt::{FRAMES, tally_of};
use crate::page::Tally;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::text;
use sigwalk::walk::End;
use sigwalk_embed::own_frames::Standing;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What has been written down: 0 nothing, [`DETECTED`], [`SILENT`]. A silent failure replaces a detected one.
static WITNESS: AtomicU32 = AtomicU32::new(0);
const DETECTED: u32 = 1;
const SILENT: u32 = 2;

impl State {
    /// Walks the calling thread, compares and counts.
    #[inline(never)]
    pub(super) fn visit(&self, place: Place) {
        // SAFETY: the address of the calling thread's errno, which the allocator may have set, or a walk may.
        let errno = unsafe { &mut *libc::__errno_location() };
        let before = *errno;
        self.compare(place);
        *errno = before;
    }

    fn compare(&self, place: Place) {
        let context = self.context;
        let page = context.page;
        // The raw domain is used by threads that Python does not know (yet, or any more).
        let Some(tstate) = context.live.own.state(&context.live.readers.guarded) else {
            return page.count(Tally::NoThreadState);
        };
        let standing = self.oracle.standing(tstate);
        if standing == Standing::MayBeFreed {
            return page.count(Tally::NoThreadState);
        }
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        let walk = context.walk(self.walker, tstate, &mut out);
        let said = out.frames();
        let mut room = [const { MaybeUninit::uninit() }; FRAMES];
        // SAFETY: the calling thread's bound state, which is attached, or of a whole interpreter; this is a function that the
        // interpreter called, and the thread does nothing else meanwhile.
        let (truth, there) = unsafe { self.oracle.of(tstate, &mut room) };
        let silent = match walk.end {
            End::Complete => difference(truth, there, said),
            // It says itself that it is not all there is. What it does say must be the innermost part: nothing moved meanwhile.
            _ => (!truth.get(..said.len()).is_some_and(|inner| same(inner, said))).then_some(Tally::Splice),
        };
        let tally = silent.or_else(|| tally_of(walk.end)).unwrap_or(Tally::Complete);
        page.count(tally);
        // A stack that is deeper than the buffer is no event.
        if tally != Tally::Complete && !(tally == Tally::Truncated && there > FRAMES) {
            let rank = if silent.is_some() { SILENT } else { DETECTED };
            self.keep_witness(rank, place, &format_args!("{:?}", walk.end), said, truth);
        }
        let is_due = self.public > 0 && page.walks.load(Relaxed).is_multiple_of(self.public);
        if is_due
            && standing == Standing::Attached
            && place.domain != "raw"
            && page.lenient.load(Relaxed) == 0
        {
            let mut room = [Frame::default(); FRAMES];
            let asked = public::frames(&mut room);
            if !public::agrees(truth, asked) {
                page.failed.store(1, Relaxed);
                let who = format_args!("the public functions, not the walker");
                self.keep_witness(SILENT, place, &who, asked, truth);
            }
        }
    }

    /// Writes the first failure of its rank down, here and now: the code objects may be gone at the end. Not in a signal handler, so
    /// that Rust's own allocator may be used.
    #[cold]
    fn keep_witness(
        &self,
        rank: u32,
        place: Place,
        end: &std::fmt::Arguments<'_>,
        said: &[Frame],
        truth: &[Frame],
    ) {
        if WITNESS.fetch_max(rank, Relaxed) >= rank {
            return;
        }
        let side = if place.side == Side::Before { "before" } else { "after" };
        let words = |frames: &[Frame]| {
            let words: Vec<String> = frames.iter().take(10).map(|frame| self.describe(frame)).collect();
            format!("{} frames: {}", frames.len(), words.join(" < "))
        };
        self.context.page.leave_note(&format!(
            "{side} {} of the domain {}, innermost first: said ({end}) {}; the interpreter: {}",
            place.function,
            place.domain,
            words(said),
            words(truth)
        ));
    }

    fn describe(&self, frame: &Frame) -> String {
        let live = &self.context.live;
        let reader = &live.readers.guarded;
        let mut name = [0; 40];
        let copied = live.word(frame.code.plus(live.interpreter.layout.code.qualname)).and_then(|at| {
            text::copy(reader, &live.interpreter, sigwalk::addr::Addr::new(at), &mut name).ok()
        });
        let name = match copied {
            Some(copied) => String::from_utf8_lossy(&name[..copied.bytes]).into_owned(),
            None => format!("?{}", frame.code),
        };
        format!("{name}:{}+{}", frame.line, frame.lasti)
    }
}

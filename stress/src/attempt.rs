//! One attempt: a walk in a handler or on another thread, judged on the spot and counted on the shared page.
//!
//! # Invariant
//!
//! The context is published once, before the first signal can arrive, and never freed: a handler may use it at any time.
//! Everything here runs in signal handlers: no allocation, no lock, no call into the interpreter.
#![allow(unsafe_code)]

use crate::fault::Fault;
use crate::oracle::{Oracle, Verdict};
use crate::page::{Page, Tally, phase_code};
use crate::sample::{self, Sample};
use crate::subject::{Judged, Subject};
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{FaultKind, VmReader};
use sigwalk::sync::Kept;
use sigwalk::walk::{Detail, End, Request, Truncated, Walk};
use sigwalk_embed::Live;
use sigwalk_record::Phase;
use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Frames a walk may deliver.
pub const FRAMES: usize = 128;

/// Frames of an impossible stack that are kept: how many, and two words each.
const WITNESS: usize = 16;
const WITNESS_WORDS: usize = 1 + 2 * WITNESS;

/// What a handler needs.
pub struct Context {
    /// The interpreter.
    pub live: Live,
    /// Whose walk it is.
    pub subject: Subject,
    /// What is done to the frames before each walk, and taken back.
    pub fault: Option<&'static Fault>,
    /// Who judges.
    pub oracle: &'static Oracle,
    /// Where it is counted.
    pub page: &'static Page,
    /// Whether each walk leaves a sample on the page, for a consumer.
    carries: bool,
    /// The first impossible stack.
    witness: Kept<WITNESS_WORDS>,
}

static CONTEXT: AtomicPtr<Context> = AtomicPtr::new(std::ptr::null_mut());

thread_local! {
    /// Phase of this thread. Constant initialiser and no destructor: a handler's access is a plain load of the
    /// executable's static TLS, never a first-touch allocation.
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Target) };
}

/// What the calling thread is doing. For the crash reporter.
pub fn phase() -> Phase {
    PHASE.get()
}

impl Context {
    /// A context whose trial has not begun.
    pub fn new(live: Live, subject: Subject, oracle: &'static Oracle, page: &'static Page) -> Self {
        Context { live, subject, fault: None, oracle, page, carries: false, witness: Kept::new() }
    }

    /// The same, whose walks leave samples on the page, or do not.
    #[must_use]
    pub fn carrying(self, carries: bool) -> Self {
        Context { carries, ..self }
    }

    /// The same with a fault.
    #[must_use]
    pub fn with_fault(self, fault: Option<&'static Fault>) -> Self {
        Context { fault, ..self }
    }

    /// The same in a process that was just forked: without a witness of its own yet, and whoever reads through the kernel reads
    /// this process and not its parent.
    #[must_use]
    pub fn in_forked_child(&self) -> Self {
        let live = self.live.reading(VmReader::own());
        Context::new(live, self.subject, self.oracle, self.page).with_fault(self.fault).carrying(self.carries)
    }

    /// Publishes the context for handlers of this process, for ever.
    pub fn publish(self) -> &'static Context {
        let context: &'static Context = Box::leak(Box::new(self));
        CONTEXT.store(std::ptr::from_ref(context).cast_mut(), Ordering::Release);
        context
    }

    /// Runs `step` in a walking phase of the calling thread.
    pub fn in_phase<T>(&self, phase: Phase, step: impl FnOnce() -> T) -> T {
        self.page.walk_phase.store(phase_code(phase), Ordering::Relaxed);
        self.page.steps.fetch_add(1, Ordering::Relaxed);
        self.page.walking.fetch_add(1, Ordering::Relaxed);
        let before = PHASE.replace(phase);
        let result = step();
        PHASE.set(before);
        self.page.walking.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// Walks the calling thread, judges, counts: what it counted.
    pub fn attempt_own(&self) -> Tally {
        self.attempt_found(self.live.own.state(&self.live.readers.guarded))
    }

    /// Walks from the state of a thread, where it has one: what it counted.
    pub fn attempt_found(&self, tstate: Option<Addr>) -> Tally {
        match tstate {
            Some(tstate) => self.attempt(tstate),
            None => {
                self.page.count(Tally::NoThreadState);
                Tally::NoThreadState
            }
        }
    }

    /// Walks from `tstate`, and counts that. Who judges is the caller.
    pub fn walk(&self, walker: Judged, tstate: Addr, out: &mut FrameBuf<'_>) -> Walk {
        self.page.walks.fetch_add(1, Ordering::Relaxed);
        let request = Request::new(&self.live.interpreter, tstate, Detail::Line);
        let walk = self.in_phase(Phase::Walk, || walker.walk(&self.live.readers, &request, out));
        self.page.frames.fetch_add(out.frames().len() as u64, Ordering::Relaxed);
        walk
    }

    /// Walks from `tstate`, judges, counts: what it counted.
    pub fn attempt(&self, tstate: Addr) -> Tally {
        let _made = match self.fault.map(|fault| fault.make(&self.live, tstate)) {
            // These frames do not allow it: no trial of the fault, and no walk.
            Some(None) => return Tally::NoThreadState,
            made => made,
        };
        let walker = match self.subject {
            Subject::Judged(walker) => walker,
            Subject::Faulthandler(handler) => {
                // It prints, so its answer is not judged: what is measured is whether it comes back.
                let called = self.in_phase(Phase::Walk, || handler.call());
                self.page.walks.fetch_add(u64::from(called), Ordering::Relaxed);
                let tally = if called { Tally::Complete } else { Tally::NoThreadState };
                self.page.count(tally);
                return tally;
            }
        };
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        let walk = self.walk(walker, tstate, &mut out);
        if self.page.lenient.load(Ordering::Relaxed) != 0 {
            self.oracle.lenient.store(true, Ordering::Relaxed);
        }
        let tally = tally_of(walk.end).unwrap_or_else(|| match self.oracle.judge(out.frames()) {
            Verdict::Possible => Tally::Complete,
            Verdict::Splice => Tally::Splice,
            Verdict::WrongLine => Tally::WrongLine,
            Verdict::Prefix => Tally::Prefix,
        });
        if matches!(tally, Tally::Splice | Tally::WrongLine | Tally::Prefix) {
            self.keep_witness(out.frames());
        }
        self.page.count(tally);
        if self.carries {
            sample::push(self.page, Sample::of(tally, walk.end, out.frames()));
        }
        tally
    }

    fn keep_witness(&self, stack: &[Frame]) {
        let mut words = [0; WITNESS_WORDS];
        words[0] = stack.len().min(WITNESS) as u64;
        for (words, frame) in words[1..].chunks_exact_mut(2).zip(stack) {
            words.copy_from_slice(&[frame.code.get(), u64::from(frame.line as u32)]);
        }
        self.witness.keep(words);
    }

    /// The first impossible stack, in words. Not for handlers.
    pub fn witness(&self) -> Option<String> {
        let kept = self.witness.get()?;
        let frames = kept[1..].chunks_exact(2).take(kept[0] as usize).map(|words| Frame {
            code: Addr::new(words[0]),
            line: words[1] as u32 as i32,
            ..Frame::default()
        });
        let words: Vec<String> = frames.map(|frame| self.oracle.describe(&frame)).collect();
        Some(format!("first impossible stack, innermost first: {}", words.join(" < ")))
    }
}

/// What a walk's own word makes of it; `None` for one that says it is complete, which others judge.
pub fn tally_of(end: End) -> Option<Tally> {
    match end {
        End::Complete => None,
        End::Truncated(Truncated::Fault(_, fault)) if fault.kind != FaultKind::Budget => {
            Some(Tally::RecoveredFault)
        }
        End::Truncated(_) => Some(Tally::Truncated),
        End::Rejected(_) => Some(Tally::Rejected),
    }
}

/// The published context.
pub fn context() -> Option<&'static Context> {
    let context = CONTEXT.load(Ordering::Acquire);
    // SAFETY: null, or the leaked context of `publish`.
    unsafe { context.as_ref() }
}

/// No attempts from now on: signals that are still on their way find no context.
pub fn retire() {
    CONTEXT.store(std::ptr::null_mut(), Ordering::Release);
}

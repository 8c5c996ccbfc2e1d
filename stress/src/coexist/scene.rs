//! The signal's handler, and the native function at the bottom of the Python stack.
//!
//! # Invariant
//!
//! The scene is published before the first signal can come, and never freed. A signal is awaited by the one thread of the process, in
//! native code, so nobody else sees its frames while one of them is damaged.
#![allow(unsafe_code)]

use super::badly::Bad;
use super::disposition::{Disposition, block};
use super::samplers::Sampler;
use super::shared::{FRAMES, Said, Shared, Stage};
use crate::native::{self, Native};
use crate::{hash, timer};
use libc::{c_int, c_void, siginfo_t, timer_t};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::signal::{admit_faults, protected};
use sigwalk::walk::{Detail, End, Request, Truncated};
use sigwalk::walkers::Entry;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::ffi::PyObject;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

/// What the handler and the bottom of the stack need.
pub struct Scene {
    /// The interpreter.
    pub live: Live,
    /// Who walks.
    pub sampler: &'static Sampler,
    /// Its walker.
    pub walker: &'static Entry,
    /// The bad address.
    pub bad: Bad,
    /// Where it is told.
    pub shared: &'static Shared,
    /// Everything that is drawn.
    pub seed: u64,
    /// Sends the sampler's signal to this thread.
    pub timer: timer_t,
    /// The sampler's signal is blocked, and one may be pending.
    pub blocked: AtomicBool,
}

static SCENE: AtomicPtr<Scene> = AtomicPtr::new(std::ptr::null_mut());

/// A signal that has not come by then is a defect of the harness: a timer is over after half a millisecond.
const LATE: Duration = Duration::from_secs(20);

fn scene() -> Option<&'static Scene> {
    // SAFETY: null, or the leaked scene of `publish`.
    unsafe { SCENE.load(Acquire).as_ref() }
}

/// Another component's handler was called.
///
/// # Signal safety
/// Atomics.
pub fn heard() {
    if let Some(scene) = scene() {
        scene.shared.heard.fetch_add(1, Relaxed);
    }
}

/// The handler as it is installed. Not SA_ONSTACK: threads of Python have no alternate stack.
#[must_use]
pub fn disposition() -> Disposition {
    Disposition {
        handler: on_signal as *const () as usize,
        flags: libc::SA_SIGINFO | libc::SA_RESTART,
        mask: 0,
    }
}

/// # Signal safety
/// The walk's, and the question whether its loads are protected. errno is kept.
extern "C" fn on_signal(_: c_int, _: *mut siginfo_t, interrupted: *mut c_void) {
    // SAFETY: the context that the kernel gave this handler; the address of the calling thread's errno.
    let (_admitted, errno) = unsafe { (admit_faults(interrupted), &mut *libc::__errno_location()) };
    let before = *errno;
    if let Some(scene) = scene() {
        scene.sample();
    }
    *errno = before;
}

impl Scene {
    /// Publishes it for this process, for ever.
    pub fn publish(self) -> &'static Scene {
        let scene: &'static Scene = Box::leak(Box::new(self));
        SCENE.store(std::ptr::from_ref(scene).cast_mut(), Release);
        scene
    }

    fn sample(&self) {
        let shared = self.shared;
        let turn = shared.samples.fetch_add(1, Relaxed) as usize;
        if turn > 1 {
            return;
        }
        let protected = protected();
        if turn == 0 {
            shared.protected.store(1 + u32::from(protected), Relaxed);
        }
        if self.sampler.asks && !protected {
            return shared.say(turn, Said::Unprotected);
        }
        let Some(tstate) = self.live.own.state(&self.live.readers.guarded) else { return };
        let heard = shared.heard.load(Relaxed);
        let said = self.walk(turn, tstate);
        shared.alarmed.fetch_add(shared.heard.load(Relaxed) - heard, Relaxed);
        shared.say(turn, said);
    }

    fn walk(&self, turn: usize, tstate: sigwalk::addr::Addr) -> Said {
        let damaged = turn == 0;
        let made = if damaged { self.bad.make(&self.live, tstate, self.seed >> 32) } else { None };
        if damaged && made.is_none() {
            return Said::Other;
        }
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        let request = Request::new(&self.live.interpreter, tstate, Detail::Line);
        let walk = (self.walker.live)(&self.live.readers, &request, &mut out);
        drop(made);
        match walk.end {
            End::Truncated(Truncated::Fault(_, fault)) if damaged && self.bad.holds(fault.at) => {
                self.shared.keep(out.frames());
                Said::Failed
            }
            End::Complete if !damaged && self.shared.kept_begins(out.frames()) => Said::Complete,
            _ => Said::Other,
        }
    }

    /// Blocks the sampler's signal, and has one sent: it is pending from now on.
    pub fn make_pending(&self) -> Result<(), String> {
        self.blocked.store(true, Relaxed);
        block(self.sampler.signal, true);
        self.send(0, || false)
    }

    /// Sets the timer and waits until `came`, or until its signal has been sent. A signal of a timer of this very thread that is
    /// neither blocked nor ignored is delivered at the latest when the call that asks returns.
    fn send(&self, turn: u64, came: impl Fn() -> bool) -> Result<(), String> {
        let gap = 20_000 + hash::mix(self.seed ^ turn) % 500_000;
        timer::set(self.timer, 0, gap, 0);
        let begun = Instant::now();
        while !came() && timer::remaining(self.timer) > 0 {
            if begun.elapsed() > LATE {
                return Err("a timer's signal was not sent".into());
            }
            std::hint::spin_loop();
        }
        Ok(())
    }

    /// Has the signal of walk `turn` sent; whether it came to our handler.
    fn deliver(&self, turn: u32) -> Result<bool, String> {
        let came = || self.shared.samples.load(Relaxed) > turn;
        if self.blocked.swap(false, Relaxed) {
            block(self.sampler.signal, false);
        }
        if !came() {
            self.send(u64::from(turn) + 1, came)?;
        }
        Ok(came())
    }

    /// Both walks.
    fn both(&self) -> Result<(), String> {
        for (turn, stage) in [Stage::BadAddress, Stage::Healthy].into_iter().enumerate() {
            self.shared.enter(stage);
            if self.deliver(turn as u32)? {
                continue;
            }
            // It did not come: that must be somebody's doing.
            if Disposition::of(self.sampler.signal) == disposition() {
                return Err("the sampler's signal was sent and did not come, and nobody had taken it".into());
            }
            self.shared.say(turn, Said::Taken);
        }
        self.shared.enter(Stage::Python);
        Ok(())
    }
}

/// The function that the Python stack ends in.
pub const BOTTOM: Native = Native::plain(c"bottom", bottom);

unsafe extern "C-unwind" fn bottom(_: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    if let Some(scene) = scene()
        && let Err(why) = scene.both()
    {
        scene.shared.page.leave_note(&why);
        scene.shared.page.failed.store(1, Relaxed);
    }
    native::none()
}

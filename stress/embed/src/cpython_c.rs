//! The walker `cpython-c`: the very code under review. CPython's own inline helpers, compiled from the interpreter's
//! installed internal headers, under the walk that a profiler would write with the four functions of PR 148930. What is
//! CPython's own and what is rebuilt: `c/cpython_c.c`.
//!
//! # Invariant
//!
//! A [`CpythonC`] exists only where the shim was compiled, and from headers of the very version that is loaded. A
//! [`Recovery`] exists only after the shim's handler was installed *under* sigwalk's, which hands it every fault that is not
//! a guarded load's. The shim writes to the buffer and the result that it is given and to nothing else.
#![allow(unsafe_code)]

#[cfg(not(cpython_c))]
#[path = "cpython_c/absent.rs"]
mod ffi;
#[cfg(cpython_c)]
#[path = "cpython_c/ffi.rs"]
mod ffi;

use crate::hexversion;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::signal::{self, Owner};
use sigwalk::walk::{Detail, End, Rejected, Request, Truncated, Walk};
use std::ffi::{c_int, c_void};

/// Name in campaigns and records.
pub const NAME: &str = "cpython-c";

/// One line for lists.
pub const ABOUT: &str =
    "CPython's own inline helpers, compiled from its internal headers: raw loads, no hop budget";

/// `struct sigwalk_walk` of `c/cpython_c.h`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Raw {
    end: i32,
    count: u32,
    hops: u32,
    step: i32,
    signal: i32,
    has_address: i32,
    address: u64,
    pc: u64,
}

/// `enum sigwalk_step`, as records name them: the helper whose load it is, or the field.
pub const STEPS: [&str; 6] = [
    "tstate.current_frame",
    "_PyFrame_IsIncomplete",
    "_PyFrame_SafeGetCode",
    "_PyFrame_SafeGetLasti",
    "_PyCode_SafeAddr2Line",
    "frame.previous",
];

/// The walker.
#[derive(Clone, Copy, Debug)]
pub struct CpythonC(());

/// Proof that faults of [`CpythonC::try_walk`] are caught.
#[derive(Clone, Copy, Debug)]
pub struct Recovery(());

/// How the skip loop of [`CpythonC::try_walk`] finds complete frames: as `sigwalk::walk::pr_b1::Skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// `_PyFrame_IsIncomplete`, unguarded.
    AsProposed,
    /// Only after `_PyFrame_SafeGetCode` believes the code.
    Guarded,
}

/// A load that would have killed the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLoad {
    /// SIGSEGV or SIGBUS.
    pub signal: c_int,
    /// The first byte that could not be read. `None` for a general-protection fault, that is, an address that is not canonical.
    pub address: Option<Addr>,
    /// The instruction.
    pub pc: u64,
    /// Whose load it was: a helper or a field.
    pub step: &'static str,
    /// Frames followed until then.
    pub hops: u32,
}

/// How a walk went that may not have come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It ended. [`Truncated::HopBudget`] is the hang that it would have been without a limit.
    Ended(Walk),
    /// It would have crashed.
    Crashed(BadLoad),
}

/// The walker, or why this interpreter has none. Not for handlers.
///
/// # Errors
/// Its version is from before the helpers, its internal headers are not installed, or are another version's.
pub fn available() -> Result<CpythonC, &'static str> {
    let why_not = env!("SIGWALK_EMBED_CPYTHON_C");
    if !why_not.is_empty() {
        return Err(why_not);
    }
    if ffi::version() != hexversion() {
        return Err("the internal headers are another version's than the loaded libpython");
    }
    Ok(CpythonC(()))
}

/// Installs the handler under which [`CpythonC::try_walk`] comes back. Before [`crate::Live::find`], which installs sigwalk's
/// on top; a fault that is neither's goes to whoever was there before, once.
///
/// # Errors
/// sigwalk's handler is there already; the kernel refuses; a debug build, whose asserts end the process.
pub fn catch_faults() -> Result<Recovery, &'static str> {
    available()?;
    if env!("SIGWALK_EMBED_DEBUG") == "1" {
        return Err("a debug build: its helpers' asserts end the process");
    }
    if [libc::SIGSEGV, libc::SIGBUS].into_iter().any(|signal| signal::owner(signal) == Owner::Us) {
        return Err("sigwalk's fault handler was installed first");
    }
    // SAFETY: by `available` the shim is there; it installs a handler of its own.
    match unsafe { ffi::sigwalk_cpython_c_catch_faults() } {
        0 => Ok(Recovery(())),
        _ => Err("the kernel refuses the shim's fault handler"),
    }
}

impl CpythonC {
    /// The walk as a profiler would make it. The interpreter of the request is the loaded one: its offsets are compiled in.
    ///
    /// A load from a bad address ends the process, and a cycle of entry frames is followed for ever: whoever calls this has
    /// accepted both, as with [`sigwalk::reader::RawReader`].
    ///
    /// # Signal safety
    /// Loads only, in C; see `c/cpython_c.c`.
    pub fn walk(&self, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let mut raw = Raw::default();
        let (state, lines) = arguments(request);
        let room = out.room();
        let capacity = u32::try_from(room.len()).unwrap_or(u32::MAX);
        // SAFETY: by the module's invariant the shim is there, and writes up to `capacity` frames to the buffer. What it loads
        // from is the caller's to answer for, see above.
        unsafe { ffi::sigwalk_cpython_c_walk(state, lines, room.as_mut_ptr(), capacity, &mut raw) };
        out.advance(raw.count as usize);
        Walk { end: end(&raw), hops: raw.hops }
    }

    /// The same walk, coming back from a bad load and from an endless skip loop (after `hop_limit` hops, at least 1).
    ///
    /// Not for handlers, and no signal handler that loads raw may interrupt it: its fault would be taken for the walk's.
    pub fn try_walk(
        &self,
        _: Recovery,
        request: &Request<'_>,
        skip: Skip,
        hop_limit: u32,
        out: &mut FrameBuf<'_>,
    ) -> Tried {
        let mut raw = Raw::default();
        let (state, lines) = arguments(request);
        let room = out.room();
        let capacity = u32::try_from(room.len()).unwrap_or(u32::MAX);
        let guarded = c_int::from(skip == Skip::Guarded);
        // SAFETY: as in `walk`; and by the proof of `Recovery`, a bad load returns here by way of C frames only.
        unsafe {
            ffi::sigwalk_cpython_c_try_walk(
                state,
                lines,
                guarded,
                hop_limit.max(1),
                room.as_mut_ptr(),
                capacity,
                &mut raw,
            );
        }
        out.advance(raw.count as usize);
        if raw.end != 4 {
            return Tried::Ended(Walk { end: end(&raw), hops: raw.hops });
        }
        Tried::Crashed(BadLoad {
            signal: raw.signal,
            address: (raw.has_address != 0).then(|| Addr::new(raw.address)),
            pc: raw.pc,
            step: usize::try_from(raw.step)
                .ok()
                .and_then(|step| STEPS.get(step))
                .copied()
                .unwrap_or("unknown"),
            hops: raw.hops,
        })
    }
}

fn arguments(request: &Request<'_>) -> (*mut c_void, c_int) {
    (request.tstate.get() as *mut c_void, c_int::from(request.detail == Detail::Line))
}

/// `enum sigwalk_end`, but for the fault.
fn end(raw: &Raw) -> End {
    match raw.end {
        0 => End::Complete,
        1 => End::Truncated(Truncated::BufferFull),
        2 => End::Rejected(Rejected::NoCode),
        _ => End::Truncated(Truncated::HopBudget),
    }
}

/// One frame on either side.
const _: () = assert!(size_of::<Frame>() == 24 && std::mem::offset_of!(Frame, lasti) == 16);

//! The interpreter's own answer to "which frames are these", without a frame object: what `PyThreadState_GetFrame` and
//! `PyFrame_GetBack` would deliver, by CPython's own inline functions, compiled from the internal headers of the
//! interpreter that is loaded. See `c/own_frames.c`.
//!
//! # Invariant
//!
//! An [`OwnFrames`] exists only where the shim was compiled, and from headers of the very version that is loaded. The
//! shim writes to the buffer that it is given and to nothing else.
#![allow(unsafe_code)]

#[cfg(not(own_frames))]
#[path = "own_frames/absent.rs"]
mod ffi;
#[cfg(own_frames)]
#[path = "own_frames/ffi.rs"]
mod ffi;

use crate::hexversion;
use sigwalk::addr::Addr;
use sigwalk::frame::Frame;
use std::ffi::c_void;
use std::mem::MaybeUninit;

/// The oracle.
#[derive(Clone, Copy, Debug)]
pub struct OwnFrames(());

/// What a bound thread state is to its thread at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is attached.
    Attached,
    /// It is not, and the interpreter is whole: its frames stand still until it is attached again.
    Detached,
    /// It is not, and the interpreter is being finalised, which frees thread states that are still bound (S11).
    MayBeFreed,
}

/// The oracle, or why this interpreter has none.
///
/// # Errors
/// Its internal headers are not installed, do not compile, or are another version's.
pub fn available() -> Result<OwnFrames, &'static str> {
    let why_not = env!("SIGWALK_EMBED_OWN_FRAMES");
    if !why_not.is_empty() {
        return Err(why_not);
    }
    if ffi::version() != hexversion() {
        return Err("the internal headers are another version's than the loaded libpython");
    }
    Ok(OwnFrames(()))
}

impl OwnFrames {
    /// The complete frames of `tstate`, innermost first, as many as fit; and how many there are.
    ///
    /// # Safety
    ///
    /// `tstate` is alive and the calling thread's own, in a function that the interpreter called: its chain is whole,
    /// and nobody changes it meanwhile.
    pub unsafe fn of(self, tstate: Addr, room: &mut [MaybeUninit<Frame>]) -> (&[Frame], usize) {
        let capacity = u32::try_from(room.len()).unwrap_or(u32::MAX);
        // SAFETY: the caller's promise; by the module's invariant up to `capacity` frames are written, and exactly the first
        // `there` of them where fewer are there.
        unsafe {
            let there =
                ffi::sigwalk_own_frames(tstate.get() as *mut c_void, room.as_mut_ptr().cast(), capacity)
                    as usize;
            let filled = there.min(room.len());
            (std::slice::from_raw_parts(room.as_ptr().cast(), filled), there)
        }
    }

    /// What `tstate`, the calling thread's bound state, is to it now. Reads nothing of the state.
    #[must_use]
    pub fn standing(self, tstate: Addr) -> Standing {
        // SAFETY: by the module's invariant the shim is there; it compares the address and reads the runtime's own words.
        match unsafe { ffi::sigwalk_own_frames_standing(tstate.get() as *mut c_void) } {
            1 => Standing::Attached,
            0 => Standing::Detached,
            _ => Standing::MayBeFreed,
        }
    }
}

//! The shim's functions, as `c/own_frames.c` has them.

use sigwalk::frame::Frame;
use std::ffi::{c_int, c_void};

unsafe extern "C" {
    #[link_name = "sigwalk_own_frames_version"]
    static VERSION: u32;

    pub(super) fn sigwalk_own_frames(tstate: *mut c_void, frames: *mut Frame, capacity: u32) -> u32;
    pub(super) fn sigwalk_own_frames_standing(tstate: *mut c_void) -> c_int;
}

/// PY_VERSION_HEX of the headers.
pub(super) fn version() -> u32 {
    // SAFETY: a constant of the shim.
    unsafe { VERSION }
}

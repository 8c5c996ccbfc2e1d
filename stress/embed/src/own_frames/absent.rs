//! Where the shim was not compiled: `available` says so, and no value exists by which one of these could be called.

use sigwalk::frame::Frame;
use std::ffi::{c_int, c_void};

pub(super) unsafe fn sigwalk_own_frames(_: *mut c_void, _: *mut Frame, _: u32) -> u32 {
    unreachable!("the oracle is not available");
}

pub(super) unsafe fn sigwalk_own_frames_standing(_: *mut c_void) -> c_int {
    unreachable!("the oracle is not available");
}

pub(super) fn version() -> u32 {
    0
}

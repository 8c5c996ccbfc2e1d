//! Where the shim was not compiled: `available` says so, and no value exists by which one of these could be called.

use super::Raw;
use sigwalk::frame::Frame;
use std::ffi::{c_int, c_void};

pub(super) unsafe fn sigwalk_cpython_c_walk(_: *mut c_void, _: c_int, _: *mut Frame, _: u32, _: *mut Raw) {
    unreachable!("the walker is not available");
}

pub(super) unsafe fn sigwalk_cpython_c_try_walk(
    _: *mut c_void,
    _: c_int,
    _: c_int,
    _: u32,
    _: *mut Frame,
    _: u32,
    _: *mut Raw,
) {
    unreachable!("the walker is not available");
}

pub(super) unsafe fn sigwalk_cpython_c_catch_faults() -> c_int {
    unreachable!("the walker is not available");
}

pub(super) fn version() -> u32 {
    0
}

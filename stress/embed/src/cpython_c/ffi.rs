//! The shim's functions, as `c/cpython_c.c` has them.

use super::Raw;
use sigwalk::frame::Frame;
use std::ffi::{c_int, c_void};

unsafe extern "C" {
    #[link_name = "sigwalk_cpython_c_version"]
    static VERSION: u32;

    pub(super) fn sigwalk_cpython_c_walk(
        tstate: *mut c_void,
        lines: c_int,
        frames: *mut Frame,
        capacity: u32,
        out: *mut Raw,
    );
    pub(super) fn sigwalk_cpython_c_try_walk(
        tstate: *mut c_void,
        lines: c_int,
        guarded: c_int,
        hop_limit: u32,
        frames: *mut Frame,
        capacity: u32,
        out: *mut Raw,
    );
    pub(super) fn sigwalk_cpython_c_catch_faults() -> c_int;
}

/// PY_VERSION_HEX of the headers.
pub(super) fn version() -> u32 {
    // SAFETY: a constant of the shim.
    unsafe { VERSION }
}

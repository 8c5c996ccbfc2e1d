//! The public functions, inside a hook: is our oracle what `PyThreadState_GetFrame` and the rest say?
//!
//! They make frame objects, which allocates, tracks them for the garbage collector, and changes what becomes of the frames:
//! what dd-trace-py #16661 (P2) calls undefined behaviour inside an allocator's hook. So it is off by default, and never
//! part of a cell that is about walks. What makes it bearable for a check of the oracle:
//!
//! * the hooks of what it allocates itself pass on ([`super::OURS`]), so that it does not recurse;
//! * automatic collection is off meanwhile: on 3.11 an allocation collects on the spot, which would run destructors in the
//!   middle of, say, a list's resize. Later versions only ask the evaluation loop to;
//! * it touches frames and code objects only, none of which are half-made while their frame is complete (3.11.1 and later;
//!   gh-97002: a frame object that was made meanwhile is used);
//! * only attached, only under the domains mem and obj, never during finalisation.
#![allow(unsafe_code)]

use super::OURS;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, NO_LASTI};
use sigwalk_embed::pyo3::ffi;

/// The calling thread's frames, innermost first, as many as fit. Attached.
pub fn frames(room: &mut [Frame]) -> &[Frame] {
    let mut count = 0;
    OURS.set(true);
    // SAFETY: attached; each reference that a call returns is given back once; borrowed addresses are only compared.
    unsafe {
        let was_enabled = ffi::PyGC_Disable();
        let mut frame = ffi::PyThreadState_GetFrame(ffi::PyThreadState_Get());
        while !frame.is_null() {
            if let Some(place) = room.get_mut(count) {
                let code = ffi::PyFrame_GetCode(frame);
                let line = ffi::PyFrame_GetLineNumber(frame);
                *place = Frame { frame: Addr::NULL, code: Addr::new(code as u64), lasti: NO_LASTI, line };
                ffi::Py_DECREF(code.cast());
                count += 1;
            }
            let back = ffi::PyFrame_GetBack(frame);
            ffi::Py_DECREF(frame.cast());
            frame = back;
        }
        if was_enabled != 0 {
            ffi::PyGC_Enable();
        }
    }
    OURS.set(false);
    &room[..count]
}

/// Whether the public functions say what the oracle does.
pub fn agrees(truth: &[Frame], asked: &[Frame]) -> bool {
    super::compare::same(truth, asked)
}

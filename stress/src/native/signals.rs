//! `sigwalk_arm`, `sigwalk_room`, `sigwalk_lenient`: what targets ask of the harness.
#![allow(unsafe_code)]

use super::{Native, none};
use crate::attempt;
use crate::workload;
use sigwalk_embed::pyo3::ffi::{self, PyObject};
use std::sync::atomic::Ordering;

/// This family's functions.
pub const ALL: &[Native] = &[
    Native::plain(c"sigwalk_arm", arm),
    Native::plain(c"sigwalk_room", room),
    Native::plain(c"sigwalk_lenient", lenient),
];

/// Gives the calling thread a signal timer, if that is the workload.
unsafe extern "C-unwind" fn arm(_module: *mut PyObject, _argument: *mut PyObject) -> *mut PyObject {
    workload::arm();
    none()
}

/// Slots of 8 bytes that are left in the calling thread's current data-stack chunk; very many where it has none yet.
unsafe extern "C-unwind" fn room(_module: *mut PyObject, _argument: *mut PyObject) -> *mut PyObject {
    let room = attempt::context().and_then(|context| {
        let live = &context.live;
        let chunk = live.tstate()?.plus(live.interpreter.layout.thread.datastack_chunk);
        let (top, limit) = (live.word(chunk.plus(8))?, live.word(chunk.plus(16))?);
        Some(limit.saturating_sub(top) / 8)
    });
    // SAFETY: attached.
    unsafe { ffi::PyLong_FromUnsignedLongLong(room.unwrap_or(u64::MAX)) }
}

/// From here on, code that the oracle was not told of is no error: the interpreter runs code of its own.
unsafe extern "C-unwind" fn lenient(_module: *mut PyObject, _argument: *mut PyObject) -> *mut PyObject {
    if let Some(context) = attempt::context() {
        context.page.lenient.store(1, Ordering::Relaxed);
    }
    none()
}

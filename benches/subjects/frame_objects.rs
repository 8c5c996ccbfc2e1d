//! The public way: `PyThreadState_GetFrame` and `PyFrame_GetBack`. Makes a Python frame object of every frame, which
//! allocates: no signal handler and no allocator hook may call it.
#![allow(unsafe_code)]

use super::{Label, Subject, timed};
use crate::depth::FEW;
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk_embed::pyo3::ffi;
use sigwalk_record::What;
use std::hint::black_box;
use std::time::Duration;

/// Follows frame objects and counts.
#[derive(Debug)]
pub struct FrameObjects;

#[inline(never)]
fn walk(tstate: *mut ffi::PyThreadState) -> u64 {
    let mut frames = 0;
    // SAFETY: attached, and `tstate` is the calling thread's. Every frame is a strong reference that is given back once.
    unsafe {
        let mut frame = ffi::PyThreadState_GetFrame(tstate);
        while !frame.is_null() {
            frames += 1;
            let back = ffi::PyFrame_GetBack(frame);
            ffi::Py_DECREF(frame.cast());
            frame = back;
        }
    }
    frames
}

impl Subject for FrameObjects {
    fn label(&self) -> Label {
        Label::new("getframe_getback", What::Chain)
    }

    fn depths(&self) -> &'static [u64] {
        &FEW
    }

    fn note(&self) -> Option<String> {
        Some(
            "frame objects were made before by an untimed walk; references are taken and given back"
                .to_owned(),
        )
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let known = reference::stack(here)?.len() as u64;
        match walk(here.tstate.get() as *mut ffi::PyThreadState) {
            frames if frames == known => Ok(frames),
            frames => Err(Failure::internal(format!("{frames} frame objects instead of {known}"))),
        }
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let tstate = here.tstate.get() as *mut ffi::PyThreadState;
        black_box(walk(tstate));
        timed(iters, || {
            black_box(walk(black_box(tstate)));
        })
    }
}

//! tracemalloc's walk, through the function that extension modules call for their own allocations.
#![allow(unsafe_code)]

use super::{Label, Subject, timed};
use crate::depth::FEW;
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_record::What;
use std::ffi::{c_int, c_uint};
use std::time::Duration;

// pyo3 does not declare them. Exported by every libpython from 3.11 to 3.15.
unsafe extern "C" {
    fn PyTraceMalloc_Track(domain: c_uint, pointer: usize, size: usize) -> c_int;
    fn PyTraceMalloc_Untrack(domain: c_uint, pointer: usize) -> c_int;
}

/// A domain of our own, apart from CPython's 0 and numpy's 389047.
const DOMAIN: c_uint = 148_930;
/// A key, never dereferenced.
const POINTER: usize = 0x5167_7761_6c6b;

/// Tracks one allocation that is none.
pub struct Tracemalloc {
    module: Py<PyAny>,
}

impl Tracemalloc {
    pub(super) fn new(py: Python<'_>) -> Result<Self, Failure> {
        Ok(Tracemalloc { module: py.import("_tracemalloc")?.into_any().unbind() })
    }

    /// Runs `work` while tracemalloc keeps as many frames as there are. Started only now, so that no other subject pays
    /// for its allocator hooks.
    fn tracing<T>(&self, here: &Here<'_>, work: impl FnOnce() -> Result<T, PyErr>) -> Result<T, Failure> {
        let module = self.module.bind(here.py);
        module.call_method1("start", (here.depth,))?;
        let result = work();
        module.call_method0("stop")?;
        Ok(result?)
    }
}

#[inline(never)]
fn track() {
    // SAFETY: attached; the pair leaves nothing behind. Both return a status that is 0 while tracing.
    unsafe {
        PyTraceMalloc_Track(DOMAIN, POINTER, 1);
        PyTraceMalloc_Untrack(DOMAIN, POINTER);
    }
}

impl Subject for Tracemalloc {
    fn label(&self) -> Label {
        Label::new("tracemalloc", What::Line)
    }

    fn depths(&self) -> &'static [u64] {
        &FEW
    }

    fn note(&self) -> Option<String> {
        Some(
            "PyTraceMalloc_Track and Untrack, both timed, so that every track is a new one; its traceback was interned by an \
             untimed track"
                .to_owned(),
        )
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let known = reference::stack(here)?;
        let lines = self.tracing(here, || {
            // SAFETY: attached; given back below by `stop`, which forgets all traces.
            unsafe { PyTraceMalloc_Track(DOMAIN, POINTER, 1) };
            let traces: Vec<Bound<'_, PyAny>> =
                self.module.bind(here.py).call_method0("_get_traces")?.extract()?;
            for trace in traces {
                if trace.get_item(0)?.extract::<c_uint>()? == DOMAIN {
                    let frames: Vec<(String, i32)> = trace.get_item(2)?.extract()?;
                    return Ok(frames.into_iter().map(|(_, line)| line).collect::<Vec<_>>());
                }
            }
            Ok(Vec::new())
        })?;
        if !lines.iter().eq(known.iter().map(|frame| &frame.line)) {
            return Err(Failure::internal(format!(
                "{} frames or other lines, instead of {}",
                lines.len(),
                known.len()
            )));
        }
        Ok(lines.len() as u64)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let time = self.tracing(here, || {
            track();
            Ok(timed(iters, track))
        });
        // `verify` did the same and reported what can go wrong.
        time.unwrap_or_default()
    }
}

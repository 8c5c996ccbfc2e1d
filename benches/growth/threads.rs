//! Other Python threads, all blocked in a lock: an interpreter has a list of its threads, which a walk of one's own thread
//! must not follow.

use super::{Pair, timed};
use crate::failure::Failure;
use crate::place::Place;
use crate::subjects::Subject;
use sigwalk_embed::pyo3::prelude::*;
use std::time::Duration;

const COUNTS: [u64; 2] = [1, 64];

const SOURCE: &std::ffi::CStr = c"
import sys, threading, time

def start(count):
    gate = threading.Lock()
    gate.acquire()
    alive = threading.Semaphore(0)
    def wait():
        alive.release()
        with gate:
            pass
    threads = [threading.Thread(target=wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        alive.acquire()
    # From the semaphore into the lock: some instructions, for which each needs the GIL once more.
    time.sleep(0.005)
    return gate, threads, len(sys._current_frames()) - 1

def stop(gate, threads, _):
    gate.release()
    for thread in threads:
        thread.join()
";

/// One other thread, and 64.
pub(super) struct Threads<'py> {
    start: Bound<'py, PyAny>,
    stop: Bound<'py, PyAny>,
    place: Place<'py>,
    walk: Box<dyn Subject>,
}

impl<'py> Threads<'py> {
    pub(super) fn new(py: Python<'py>, place: Place<'py>, walk: Box<dyn Subject>) -> Result<Self, Failure> {
        let module = PyModule::from_code(py, SOURCE, c"sigwalk_bench/threads.py", c"threads")?;
        Ok(Threads { start: module.getattr("start")?, stop: module.getattr("stop")?, place, walk })
    }
}

impl Pair for Threads<'_> {
    fn subjects(&self) -> [&'static str; 2] {
        ["threads_1", "threads_64"]
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn note(&self, side: usize) -> String {
        format!(
            "guarded; other Python threads, blocked in a lock: {}; both sides in every batch",
            COUNTS[side]
        )
    }

    fn batch(&mut self, side: usize, walks: u64) -> Result<Duration, Failure> {
        let started = self.start.call1((COUNTS[side],))?;
        let others: u64 = started.get_item(2)?.extract()?;
        let time = timed(&self.place, self.walk.as_mut(), walks);
        self.stop.call1(started.cast::<sigwalk_embed::pyo3::types::PyTuple>().map_err(PyErr::from)?)?;
        if others != COUNTS[side] {
            return Err(Failure::internal(format!("{others} other threads instead of {}", COUNTS[side])));
        }
        time
    }
}

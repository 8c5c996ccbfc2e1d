//! Loaded modules: code objects, line tables and a heap that a walk of other code must not depend on.
//!
//! An import cannot be undone, so each side is a forked copy of this process, with the same stack at the same addresses.
//! One imports, the other does not, and both are asked for batches by turns. This process is no side itself: on a busy
//! machine a process that was just woken is interrupted less than the one that woke it, and would seem cheaper.
#![allow(unsafe_code)]

use super::{Pair, timed};
use crate::failure::Failure;
use crate::place::Place;
use crate::subjects::Subject;
use sigwalk_embed::pyo3::prelude::*;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Modules that a side has more, at least. Importing one brings others.
const MORE: [u64; 2] = [0, 150];

const SOURCE: &std::ffi::CStr = c"
import sys

def load(more):
    # These print, open a window or a browser, or change the terminal.
    acting = {'antigravity', 'idlelib', 'readline', 'rlcompleter', 'this', 'tkinter', 'turtle', 'turtledemo'}
    before = len(sys.modules)
    for name in sorted(sys.stdlib_module_names - acting):
        if len(sys.modules) - before >= more:
            break
        if not name.startswith('_'):
            try:
                __import__(name)
            except ImportError:
                pass
    return len(sys.modules)
";

/// Two copies of this interpreter, one with more modules.
pub(super) struct Modules<'py> {
    py: Python<'py>,
    place: Place<'py>,
    walk: Box<dyn Subject>,
    copies: Vec<Copy>,
}

/// The forked process.
struct Copy {
    pid: libc::pid_t,
    socket: UnixStream,
    modules: u64,
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It ends by itself when the socket does.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        // SAFETY: a child of ours that nobody else waits for.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

impl Copy {
    fn ask(&mut self, word: u64) -> Result<u64, Failure> {
        let lost = |error| Failure::internal(format!("a copy of this process: {error}"));
        self.socket.write_all(&word.to_le_bytes()).map_err(lost)?;
        let mut answer = [0; 8];
        self.socket.read_exact(&mut answer).map_err(lost)?;
        Ok(u64::from_le_bytes(answer))
    }
}

impl<'py> Modules<'py> {
    pub(super) fn new(py: Python<'py>, place: Place<'py>, walk: Box<dyn Subject>) -> Self {
        Modules { py, place, walk, copies: Vec::new() }
    }

    /// A copy that has imported so many modules.
    fn fork(&mut self, module: &Bound<'py, PyModule>, more: u64) -> Result<Copy, Failure> {
        let pair = UnixStream::pair().map_err(|error| Failure::internal(format!("socketpair: {error}")))?;
        // Python's own, which mends its locks in the copy.
        let pid: libc::pid_t = self.py.import("os")?.call_method0("fork")?.extract()?;
        let (socket, other) = pair;
        if pid == 0 {
            drop(socket);
            let code = match self.serve(module, more, other) {
                Ok(()) => 0,
                Err(failure) => {
                    eprintln!("sigwalk: {failure}");
                    failure.code
                }
            };
            // SAFETY: ends this process without running what the original's exit would run.
            unsafe { libc::_exit(code) }
        }
        drop(other);
        let mut copy = Copy { pid, socket, modules: 0 };
        copy.modules = copy.ask(0)?;
        Ok(copy)
    }

    /// The copy: answers 0 with its modules, and a number of walks with the nanoseconds that they took.
    fn serve(
        &mut self,
        module: &Bound<'py, PyModule>,
        more: u64,
        mut socket: UnixStream,
    ) -> Result<(), Failure> {
        let mut asked = [0; 8];
        while socket.read_exact(&mut asked).is_ok() {
            let answer = match u64::from_le_bytes(asked) {
                0 => module.call_method1("load", (more,))?.extract()?,
                walks => timed(&self.place, self.walk.as_mut(), walks)?.as_nanos() as u64,
            };
            if socket.write_all(&answer.to_le_bytes()).is_err() {
                break;
            }
        }
        Ok(())
    }
}

impl Pair for Modules<'_> {
    fn subjects(&self) -> [&'static str; 2] {
        ["modules_bare", "modules_loaded"]
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        let module = PyModule::from_code(self.py, SOURCE, c"sigwalk_bench/modules.py", c"modules")?;
        for more in MORE {
            let copy = self.fork(&module, more)?;
            self.copies.push(copy);
        }
        match self.copies.as_slice() {
            [bare, loaded] if loaded.modules >= bare.modules + MORE[1] => Ok(()),
            copies => Err(Failure::internal(format!(
                "{:?} modules before and after importing: this interpreter's library is not complete",
                copies.iter().map(|copy| copy.modules).collect::<Vec<_>>()
            ))),
        }
    }

    fn note(&self, side: usize) -> String {
        let modules = self.copies.get(side).map_or(0, |copy| copy.modules);
        format!(
            "guarded, {modules} modules loaded; both sides are forked copies of one process, asked by turns"
        )
    }

    fn batch(&mut self, side: usize, walks: u64) -> Result<Duration, Failure> {
        let copy = self.copies.get_mut(side).ok_or_else(|| Failure::internal("not prepared".to_owned()))?;
        // 0 asks for something else.
        copy.ask(walks.max(1)).map(Duration::from_nanos)
    }
}

//! Workload `soak`: any Python program, under a storm of signals each of which walks the thread it interrupts.
//!
//! What is judged is the program: that it ends as it ends without the storm, with the same results. Stacks are not judged,
//! since nobody knows the program's call graph; the walker's own checks count what they refuse.
//!
//! | file | does |
//! |---|---|
//! | [`shared`] | the page that all processes of a program share with us |
//! | [`child`] | becomes the program: `Py_BytesMain`, as python3 itself does |
//! | [`storm`] | the timer and its handler |
//! | [`process`] | starts the program, waits, kills what is late |
//! | [`junit`] | results of single tests, where the program is `-m test` |
//! | [`verdict`] | compares |
//! | [`summary`] | what is said of it: `soak.json`, and a few lines |

pub mod child;
pub mod junit;
pub mod process;
pub mod shared;
pub mod storm;
pub mod summary;
pub mod verdict;

use crate::subject::{self, Judged, Subject};
use sigwalk::walkers::{self, Reads};
use sigwalk_embed::cpython_c;

/// The walker that walks nothing: what remains is what signals alone do to a program.
pub const NONE: &str = "none";

/// Who walks; `None` for [`NONE`].
///
/// # Errors
/// One line: the walker is not known, or cannot do this.
pub fn subject(name: &str) -> Result<Option<Subject>, String> {
    if name == NONE {
        return Ok(None);
    }
    if name == cpython_c::NAME {
        return cpython_c::available()
            .map(|walker| Some(Subject::Judged(Judged::CpythonC(walker))))
            .map_err(|why| format!("walker {name}: {why}"));
    }
    match walkers::named(name) {
        Some(entry) if entry.reads != Reads::Outside => Ok(Some(Subject::Judged(Judged::Ours(entry)))),
        Some(_) => {
            Err(format!("walker {name} is outside the process: it cannot walk the thread that it runs on"))
        }
        None if subject::all().any(|(known, _)| known == name) => {
            Err(format!("walker {name} needs an interpreter that runs already; it is for `stress run`"))
        }
        None => {
            let known: Vec<&str> = subject::all().map(|(known, _)| known).collect();
            Err(format!("unknown walker {name:?}; known: {NONE}, {}", known.join(", ")))
        }
    }
}

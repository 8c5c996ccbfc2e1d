//! Why a run of the benches ends early.

use sigwalk_embed::pyo3::PyErr;
use sigwalk_record::exit;
use std::fmt;

/// One line for people, and an exit code for programs.
#[derive(Debug)]
pub struct Failure {
    /// One of [`sigwalk_record::exit`].
    pub code: i32,
    /// What went wrong and what to do.
    pub message: String,
}

impl Failure {
    /// The caller asked for something that cannot be done.
    #[must_use]
    pub fn usage(message: String) -> Self {
        Failure { code: exit::USAGE, message }
    }

    /// Something of ours is broken.
    #[must_use]
    pub fn internal(message: String) -> Self {
        Failure { code: exit::INTERNAL, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<sigwalk_embed::Error> for Failure {
    fn from(error: sigwalk_embed::Error) -> Self {
        Failure { code: exit::MISSING_CAPABILITY, message: error.to_string() }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::internal(format!("Python raised {error}"))
    }
}

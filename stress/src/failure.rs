//! What a command says when it cannot go on: one line with the remedy, and an exit code.

use sigwalk_record::exit;

/// An error for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    /// Exit code, one of [`sigwalk_record::exit`].
    pub code: i32,
    /// One line.
    pub message: String,
}

impl Failure {
    /// The command line or an input file is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { code: exit::USAGE, message: message.into() }
    }

    /// Something that should work did not.
    pub fn internal(message: impl Into<String>) -> Self {
        Failure { code: exit::INTERNAL, message: message.into() }
    }

    /// The machine lacks something.
    pub fn missing(message: impl Into<String>) -> Self {
        Failure { code: exit::MISSING_CAPABILITY, message: message.into() }
    }

    /// Records do not fit together.
    pub fn incompatible(message: impl Into<String>) -> Self {
        Failure { code: exit::INCOMPATIBLE, message: message.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<sigwalk_embed::Error> for Failure {
    fn from(error: sigwalk_embed::Error) -> Self {
        Failure::missing(error.to_string())
    }
}

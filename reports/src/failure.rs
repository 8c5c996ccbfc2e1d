//! Why a report could not be made: one line for a person and an exit code for a program.

use sigwalk_record::exit;
use std::fmt::Display;

/// An error that ends the program. The message names the file, the reason and the remedy.
#[derive(Debug)]
pub struct Failure {
    /// One of [`sigwalk_record::exit`].
    pub code: u8,
    /// One line.
    pub message: String,
}

impl Failure {
    fn new(code: i32, message: impl Display) -> Self {
        Self { code: u8::try_from(code).unwrap_or(1), message: message.to_string() }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Display) -> Self {
        Self::new(exit::USAGE, message)
    }

    /// There is nothing to report.
    pub fn nothing_ran(message: impl Display) -> Self {
        Self::new(exit::NOTHING_RAN, message)
    }

    /// The records are damaged or do not belong together.
    pub fn incompatible(message: impl Display) -> Self {
        Self::new(exit::INCOMPATIBLE, message)
    }

    /// The machine does not let us write (or read) what is needed.
    pub fn machine(message: impl Display) -> Self {
        Self::new(exit::MISSING_CAPABILITY, message)
    }

    /// The user wants it to end.
    pub fn interrupted() -> Self {
        Self::new(exit::INTERRUPTED, "interrupted; nothing was written")
    }

    /// A defect of this program.
    pub fn internal(message: impl Display) -> Self {
        Self::new(exit::INTERNAL, message)
    }
}

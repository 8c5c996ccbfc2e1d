//! A call stack as plain data with names in it, and as text: what a crash handler or a crash tracker wants.
//!
//! This is design A of CPython PR 148930 (`PyUnstable_CollectCallStack`, `PyUnstable_PrintCallStack`, April 2026), over
//! our own walk. [`collect`] reads the interpreter and fills an array of the caller; [`print`](print()) reads that
//! array and nothing else, and writes what `_Py_DumpTraceback` would have written. Between the two the array can be
//! sent elsewhere: its strings are copies, so nothing in it is borrowed from an interpreter that is dying.
//!
//! # Size of a frame
//!
//! A frame is 12 bytes of integers and two arrays, rounded up to 4. The PR's arrays have 501 bytes each (500, the limit
//! of faulthandler, and a NUL):
//!
//! | type | bytes a frame | 100 frames |
//! |---|---|---|
//! | [`FrameInfo`] | 12 + 180 + 64 = 256 | 25.0 KiB |
//! | [`PrFrameInfo`] | 12 + 501 + 501 + 2 of padding = 1016 | 99.2 KiB |
//!
//! An alternate signal stack has 64 KiB where [`crate::signal::AltStack`] makes it, and 8 KiB (`SIGSTKSZ`) in many
//! programs: 100 frames of the default fit beside the handler in the first, the PR's do not fit in either. A static
//! array, or one that was mapped at start-up, has room for both. Paths longer than 179 bytes exist (build trees, zipped
//! applications): they are cut and say so.
//!
//! # Differences from the PR
//!
//! * It gives an empty string for a name that could not be read, and prints `???` for it; so it prints `???` for a name
//!   that *is* empty, where faulthandler prints `""`. Here [`MISSING`] tells the two apart, and both are printed as
//!   faulthandler prints them.
//! * It returns −1 where there is no frame; here the walk says how it [ended](Collected::end), always.
//! * The capacity is bytes after escaping, as in the PR. faulthandler counts 500 code points *before* escaping: of a long
//!   name that is not ASCII it prints up to ten times as much.

mod collect;
mod escape;
mod print;
mod scratch;

pub use collect::{Collected, collect};
pub use escape::Escaped;
pub use print::{Header, print, print_end};

use crate::frame::NO_LINE;

/// Flag of a string: it had more than fitted.
pub const TRUNCATED: u32 = 1;
/// Flag of a string: there is none, or it could not be read. Its array is empty.
pub const MISSING: u32 = 2;

/// One Python frame with its names, innermost first in an array of them.
///
/// `FILENAME` and `NAME` are the sizes of the arrays, at least 16 together; one byte of each is the NUL. All bit
/// patterns are valid: an array of these may be shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FrameInfo<const FILENAME: usize = 180, const NAME: usize = 64> {
    /// Line in the file, 1-based; [`NO_LINE`] when unknown.
    pub line: i32,
    /// [`TRUNCATED`], [`MISSING`] or 0.
    pub filename_flags: u32,
    /// [`TRUNCATED`], [`MISSING`] or 0.
    pub name_flags: u32,
    /// `co_filename` as ASCII, see [`Escaped`]; ends with a NUL.
    pub filename: [u8; FILENAME],
    /// `co_name` as ASCII, see [`Escaped`]; ends with a NUL.
    pub name: [u8; NAME],
}

/// Field by field the structure of the PR, `PyUnstable_FrameInfo`: 1016 bytes.
pub type PrFrameInfo = FrameInfo<501, 501>;

impl<const FILENAME: usize, const NAME: usize> FrameInfo<FILENAME, NAME> {
    /// A frame of which nothing is known.
    pub const EMPTY: Self = FrameInfo {
        line: NO_LINE,
        filename_flags: MISSING,
        name_flags: MISSING,
        filename: [0; FILENAME],
        name: [0; NAME],
    };

    /// The file name up to its NUL; `None` when it is [`MISSING`].
    #[must_use]
    pub fn filename(&self) -> Option<&[u8]> {
        text(&self.filename, self.filename_flags)
    }

    /// The name up to its NUL; `None` when it is [`MISSING`].
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        text(&self.name, self.name_flags)
    }
}

fn text(bytes: &[u8], flags: u32) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (flags & MISSING == 0).then(|| &bytes[..end])
}

const _: () = assert!(size_of::<FrameInfo>() == 256);
const _: () = assert!(size_of::<PrFrameInfo>() == 1016);

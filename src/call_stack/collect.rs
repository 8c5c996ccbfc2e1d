//! Filling the caller's array: a strict walk, then the names.

use super::scratch::Scratch;
use super::{Escaped, FrameInfo, MISSING, TRUNCATED};
use crate::addr::Addr;
use crate::frame::{Frame, FrameBuf};
use crate::reader::Reader;
use crate::text;
use crate::walk::{End, Request, strict};

/// How a collection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Entries that were filled, from the front.
    pub frames: usize,
    /// Why there are no more. Names that could not be read end nothing: they are [`MISSING`].
    pub end: End,
}

/// Walks `request` with the strict policy and fills `frames` with what it finds, innermost frame first. Entries behind
/// [`Collected::frames`] are zeroed.
///
/// The whole chain is walked before the first name is read, as the strict walk wants it. With [`Detail::Code`] lines
/// are not looked up.
///
/// # Signal safety
///
/// Loads through `reader`, and stores into `frames`, in which the walk's own frames are kept too: at most 4 KiB of
/// stack are used in an optimised build, whatever the capacity, and 24 KiB without optimisation (tests/handler_stack.rs
/// measures both). The cost of a frame is bounded: see [`strict::walk`], and two strings of at most `FILENAME` and
/// `NAME` bytes.
///
/// In a handler of SIGSEGV or SIGBUS, and wherever these may be blocked, a [`crate::reader::GuardedReader`] needs
/// [`crate::signal::admit_faults_now`] first.
///
/// # Example
///
/// ```
/// # use sigwalk::heuristics::Era;
/// # use sigwalk::interpreter::Interpreter;
/// # use sigwalk::layout::{Layout, Version};
/// use sigwalk::addr::Addr;
/// use sigwalk::call_stack::{FrameInfo, Header, collect, print, print_end};
/// use sigwalk::reader::ImageReader;
/// use sigwalk::walk::{Detail, End, Request};
///
/// let version = Version::from_hex(0x030f_00f0); // Py_Version of 3.15.0
/// # let interpreter = Interpreter {
/// #     layout: Layout::constants(version).unwrap(),
/// #     runtime: Addr::NULL,
/// #     code_type: Addr::new(0x90_0000),
/// #     unicode_type: Addr::new(0x90_1000),
/// #     bytes_type: Addr::new(0x90_2000),
/// #     era: Era::of(version),
/// # };
/// let nothing_mapped = ImageReader::new(&[]);
/// let mut frames: [FrameInfo; 100] = [FrameInfo::EMPTY; 100];
/// let request = Request::new(&interpreter, Addr::new(0x1000), Detail::Line);
/// let collected = collect(&nothing_mapped, &request, &mut frames);
/// print(2, &frames[..collected.frames], Header::Write)?;
/// print_end(2, collected.end)?; // why there are no more frames
/// assert_ne!(collected.end, End::Complete);
/// # Ok::<(), i32>(())
/// ```
///
/// [`Detail::Code`]: crate::walk::Detail::Code
pub fn collect<R: Reader, const FILENAME: usize, const NAME: usize>(
    reader: &R,
    request: &Request<'_>,
    frames: &mut [FrameInfo<FILENAME, NAME>],
) -> Collected {
    let mut scratch = Scratch::new(frames);
    let (end, found) = walk(reader, request, scratch.frames());
    let code = &request.interpreter.layout.code;
    scratch.finish(found, |frame, info| {
        info.line = frame.line;
        info.filename_flags = copy(reader, request, frame.code.plus(code.filename), &mut info.filename);
        info.name_flags = copy(reader, request, frame.code.plus(code.name), &mut info.name);
    });
    Collected { frames: found, end }
}

/// Not inlined: what the walk needs of the stack is given back before names are copied.
#[inline(never)]
fn walk<R: Reader>(reader: &R, request: &Request<'_>, frames: &mut [Frame]) -> (End, usize) {
    let mut out = FrameBuf::new(frames);
    let walk = strict::walk(reader, request, &mut out);
    (walk.end, out.frames().len())
}

/// Copies the string that the pointer at `at` leads to into an array of zeroes. Returns its flags.
#[inline(never)]
fn copy<R: Reader>(reader: &R, request: &Request<'_>, at: Addr, into: &mut [u8]) -> u32 {
    let room = into.len().saturating_sub(1);
    let copied = reader
        .addr(at)
        .map_err(text::TextError::Fault)
        .and_then(|text| text::copy_as::<Escaped, R>(reader, request.interpreter, text, &mut into[..room]));
    match copied {
        Ok(copied) => {
            // What is copied piece by piece may have been read twice.
            into[copied.bytes..].fill(0);
            if copied.truncated { TRUNCATED } else { 0 }
        }
        Err(_) => {
            into.fill(0);
            MISSING
        }
    }
}

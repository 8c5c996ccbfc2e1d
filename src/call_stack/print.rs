//! Writing frames to a file descriptor, in the format of `_Py_DumpTraceback`.
//!
//! # Invariant
//!
//! `write` gets memory of ours together with its length; errno is the calling thread's.
#![allow(unsafe_code)]

use super::{FrameInfo, TRUNCATED};
use crate::walk::{End, Truncated};
use libc::c_int;

/// Whether `Stack (most recent call first):` is written before the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// It is.
    Write,
    /// Only the frames are.
    Omit,
}

/// Writes one line a frame, as faulthandler does:
///
/// ```text
/// Stack (most recent call first):
///   File "app.py", line 42 in handler
///   File "app.py", line ??? in <module>
/// ```
///
/// `???` stands for what is missing (without quotes for a file name), `...` follows what was truncated. A function of
/// the array alone: no interpreter is needed any more.
///
/// # Errors
/// The errno of the first `write` that failed; EIO when it wrote nothing. What was written before stays. (A pipe
/// without a reader is a SIGPIPE first, where that is not ignored.)
///
/// # Signal safety
/// `write` only, one call for a line of up to 512 bytes, so that lines of several processes do not mix in a pipe or a
/// file that is opened for appending. Partial writes are continued and EINTR is repeated; errno is kept. 512 bytes of
/// stack buffer.
pub fn print<const FILENAME: usize, const NAME: usize>(
    fd: c_int,
    frames: &[FrameInfo<FILENAME, NAME>],
    header: Header,
) -> Result<(), c_int> {
    let mut line = Line::new(fd);
    if header == Header::Write {
        line.put(b"Stack (most recent call first):\n")?;
        line.flush()?;
    }
    for frame in frames {
        line.put(b"  File ")?;
        match frame.filename() {
            Some(filename) => {
                line.put(b"\"")?;
                line.text(filename, frame.filename_flags)?;
                line.put(b"\"")?;
            }
            None => line.put(b"???")?,
        }
        line.put(b", line ")?;
        match u32::try_from(frame.line) {
            Ok(number) => line.decimal(number)?,
            Err(_) => line.put(b"???")?,
        }
        line.put(b" in ")?;
        match frame.name() {
            Some(name) => line.text(name, frame.name_flags)?,
            None => line.put(b"???")?,
        }
        line.put(b"\n")?;
        line.flush()?;
    }
    Ok(())
}

/// Writes a line that says why there are no more frames: none for a whole stack, `  ...` for a full array (as CPython
/// 3.11 and 3.12 do; later ones stop silently), else the reason, for instance `  <truncated: fault>`.
///
/// # Errors
/// As [`print`](print()).
///
/// # Signal safety
/// As [`print`](print()).
pub fn print_end(fd: c_int, end: End) -> Result<(), c_int> {
    let mut line = Line::new(fd);
    match end {
        End::Complete => {}
        End::Truncated(Truncated::BufferFull) => line.put(b"  ...\n")?,
        _ => {
            line.put(b"  <")?;
            line.put(end.name().as_bytes())?;
            line.put(b">\n")?;
        }
    }
    line.flush()
}

const BUFFER: usize = 512;

/// Bytes on their way to a file descriptor.
struct Line {
    fd: c_int,
    bytes: [u8; BUFFER],
    len: usize,
}

impl Line {
    fn new(fd: c_int) -> Line {
        Line { fd, bytes: [0; BUFFER], len: 0 }
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), c_int> {
        while !bytes.is_empty() {
            if self.len == BUFFER {
                self.flush()?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER - self.len));
            self.bytes[self.len..self.len + now.len()].copy_from_slice(now);
            self.len += now.len();
            bytes = later;
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8], flags: u32) -> Result<(), c_int> {
        self.put(bytes)?;
        if flags & TRUNCATED != 0 { self.put(b"...") } else { Ok(()) }
    }

    fn decimal(&mut self, mut number: u32) -> Result<(), c_int> {
        // 2^32 has 10 digits.
        let mut digits = [b'0'; 10];
        let mut first = digits.len();
        while number > 0 || first == digits.len() {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.put(&digits[first..])
    }

    fn flush(&mut self) -> Result<(), c_int> {
        let len = core::mem::take(&mut self.len);
        write_all(self.fd, &self.bytes[..len])
    }
}

fn write_all(fd: c_int, mut bytes: &[u8]) -> Result<(), c_int> {
    // SAFETY: the address of the calling thread's errno, which no other thread writes.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { *errno };
    let mut result = Ok(());
    while !bytes.is_empty() && result.is_ok() {
        // SAFETY: memory of ours with its length; then errno as above.
        let (written, failed) = unsafe { (libc::write(fd, bytes.as_ptr().cast(), bytes.len()), *errno) };
        match usize::try_from(written) {
            Ok(0) => result = Err(libc::EIO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(_) if failed == libc::EINTR => {}
            Err(_) => result = Err(failed),
        }
    }
    // SAFETY: as above.
    unsafe { *errno = before };
    result
}

//! The four functions of CPython PR 148930, design B1, over any reader, and the walk that a profiler would write with
//! them.
//!
//! | here | B1 | B2 |
//! |---|---|---|
//! | [`current_frame`] | `PyUnstable_ThreadState_GetInterpreterFrame` | `…_GetCurrentFrame` |
//! | [`caller`] | `PyUnstable_InterpreterFrame_GetNextComplete` | `…_GetCaller` |
//! | [`code_borrowed`] | `PyUnstable_InterpreterFrame_GetCodeSafe` | `…_GetCodeBorrowed` |
//! | [`line_checked`] | `PyUnstable_InterpreterFrame_GetLineSafe` | `…_GetLineChecked` |
//!
//! A reconstruction: the bodies of the PR's last revisions are not public. Two are studied: [`Skip::AsProposed`] tests completeness by
//! `_PyFrame_IsIncomplete`, which dereferences `executable` unguarded, with no hop budget; [`Skip::Guarded`] asks
//! `_PyFrame_SafeGetCode` first and counts hops, as the review suggested.
//!
//! NULL means both "no frame" and "looks freed" in this API, so a walk that meets a freed pattern in `previous` ends as
//! *complete*: the caller cannot know better.

use super::{At, Detail, EXTRA_HOPS, End, Rejected, Request, Site, Stop, Truncated, Walk, head::Head};
use crate::addr::Addr;
use crate::frame::{Frame, FrameBuf, NO_LINE};
use crate::heuristics::{
    is_entry, is_incomplete, is_ptr_freed, safe_addr2line, safe_get_code, safe_get_lasti,
};
use crate::reader::Reader;

/// How the skip loop finds complete frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// `_PyFrame_IsIncomplete`, unguarded, endless.
    AsProposed,
    /// Only after `_PyFrame_SafeGetCode` believes the code, within this many hops.
    Guarded(u32),
}

/// Skips entry and incomplete frames, from `frame` outward. `None` at the end or at a freed pattern.
fn next_complete<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    mut frame: Addr,
    skip: &mut Skip,
    hops: &mut u32,
) -> Result<Option<Addr>, Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout.frame;
    loop {
        if frame.is_null() || is_ptr_freed(interpreter.era, frame.get()) {
            return Ok(None);
        }
        *hops = hops.wrapping_add(1);
        if let Skip::Guarded(left) = skip {
            *left = left.checked_sub(1).ok_or(Truncated::HopBudget)?;
            let owner = reader.u8(frame.plus(layout.owner)).at(Site::FrameOwner)?;
            // A frame whose code is not believed is handed out: code_borrowed will say NULL, and the caller knows.
            if !is_entry(interpreter, owner) && safe_get_code(reader, interpreter, frame)?.is_none() {
                return Ok(Some(frame));
            }
        }
        if !is_incomplete(reader, interpreter, frame)? {
            return Ok(Some(frame));
        }
        frame = reader.addr(frame.plus(layout.previous)).at(Site::FramePrevious)?;
    }
}

/// The innermost complete frame of a thread state.
///
/// # Errors
/// A load that the reader could not make; a spent hop budget.
pub fn current_frame<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    skip: &mut Skip,
    hops: &mut u32,
) -> Result<Option<Addr>, Stop> {
    let frame = Head::read(reader, request)?.frame;
    next_complete(reader, request, frame, skip, hops)
}

/// The next complete frame outward.
///
/// # Errors
/// As [`current_frame`].
pub fn caller<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    frame: Addr,
    skip: &mut Skip,
    hops: &mut u32,
) -> Result<Option<Addr>, Stop> {
    let previous = frame.plus(request.interpreter.layout.frame.previous);
    let frame = reader.addr(previous).at(Site::FramePrevious)?;
    next_complete(reader, request, frame, skip, hops)
}

/// The code object of a frame, or `None` where its heuristics say freed.
///
/// # Errors
/// A load that the reader could not make.
pub fn code_borrowed<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    frame: Addr,
) -> Result<Option<Addr>, Stop> {
    safe_get_code(reader, request.interpreter, frame)
}

/// The line of a frame, −1 where there is none or the frame is not believed.
///
/// # Errors
/// A load that the reader could not make.
pub fn line_checked<R: Reader>(reader: &R, request: &Request<'_>, frame: Addr) -> Result<i32, Stop> {
    Ok(lasti_and_line(reader, request, frame)?.1)
}

/// [`line_checked`], with the offset that it finds on its way: no load more than the PR's function makes.
fn lasti_and_line<R: Reader>(reader: &R, request: &Request<'_>, frame: Addr) -> Result<(i32, i32), Stop> {
    let interpreter = request.interpreter;
    let Some(code) = safe_get_code(reader, interpreter, frame)? else {
        return Ok((-1, NO_LINE));
    };
    let lasti = safe_get_lasti(reader, interpreter, frame)?;
    Ok((lasti, safe_addr2line(reader, interpreter, code, lasti)?))
}

/// The walk of a profiler that uses the four functions as its documentation shows.
///
/// # Signal safety
///
/// Loads through `reader` and nothing else. With [`Skip::AsProposed`] it need not end: a cycle of entry frames is followed
/// for ever (claim C4).
pub fn walk<R: Reader>(reader: &R, request: &Request<'_>, skip: Skip, out: &mut FrameBuf<'_>) -> Walk {
    let mut hops = 0;
    let end = match collect(reader, request, skip, out, &mut hops) {
        Ok(()) => End::Complete,
        Err(Stop(end)) => end,
    };
    Walk { end, hops }
}

fn collect<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    mut skip: Skip,
    out: &mut FrameBuf<'_>,
    hops: &mut u32,
) -> Result<(), Stop> {
    let mut next = current_frame(reader, request, &mut skip, hops)?;
    while let Some(frame) = next {
        let code = code_borrowed(reader, request, frame)?.ok_or(Rejected::NoCode)?;
        let (lasti, line) = match request.detail {
            // The API has no function for the offset alone; SafeGetLasti is what GetLineSafe uses.
            Detail::Code => (safe_get_lasti(reader, request.interpreter, frame)?, NO_LINE),
            Detail::Line => lasti_and_line(reader, request, frame)?,
        };
        if !out.push(Frame { frame, code, lasti, line }) {
            return Err(Truncated::BufferFull.into());
        }
        next = caller(reader, request, frame, &mut skip, hops)?;
    }
    Ok(())
}

/// The hop budget of [`Skip::Guarded`] for a buffer.
#[must_use]
pub fn hop_budget(out: &FrameBuf<'_>) -> u32 {
    out.capacity() as u32 + EXTRA_HOPS
}

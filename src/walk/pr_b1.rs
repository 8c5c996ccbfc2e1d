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
use crate::checks::{Check, Checks, Every};
use crate::frame::{Frame, FrameBuf, NO_LINE};
use crate::heuristics::{
    era, is_entry, is_incomplete, is_ptr_freed, lasti_in, safe_addr2line_by, safe_get_code, safe_get_code_by,
    safe_get_lasti_by,
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
fn next_complete<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    mut frame: Addr,
    skip: &mut Skip,
    hops: &mut u32,
) -> Result<Option<Addr>, Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout.frame;
    loop {
        if frame.is_null()
            || checks.has(Check::FrameFreed) && is_ptr_freed(era(checks, interpreter), frame.get())
        {
            return Ok(None);
        }
        *hops = hops.wrapping_add(1);
        if let Skip::Guarded(left) = skip {
            if checks.has(Check::HopBudget) {
                *left = left.checked_sub(1).ok_or(Truncated::HopBudget)?;
            }
            if checks.has(Check::CodeBeforeComplete) {
                let owner = reader.u8(frame.plus(layout.owner)).at(Site::FrameOwner)?;
                // A frame whose code is not believed is handed out: code_borrowed will say NULL, and the caller knows.
                if !is_entry(interpreter, owner)
                    && safe_get_code_by(checks, reader, interpreter, frame)?.is_none()
                {
                    return Ok(Some(frame));
                }
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
    current_frame_by(Every, reader, request, skip, hops)
}

fn current_frame_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    skip: &mut Skip,
    hops: &mut u32,
) -> Result<Option<Addr>, Stop> {
    let frame = Head::read(reader, request)?.frame;
    next_complete(checks, reader, request, frame, skip, hops)
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
    caller_by(Every, reader, request, frame, skip, hops)
}

fn caller_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    frame: Addr,
    skip: &mut Skip,
    hops: &mut u32,
) -> Result<Option<Addr>, Stop> {
    let previous = frame.plus(request.interpreter.layout.frame.previous);
    let frame = reader.addr(previous).at(Site::FramePrevious)?;
    next_complete(checks, reader, request, frame, skip, hops)
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
    let code = safe_get_code(reader, request.interpreter, frame)?;
    Ok(match code {
        Some(code) => lasti_and_line(Every, reader, request, frame, code)?.1,
        None => NO_LINE,
    })
}

/// [`line_checked`] behind its first look at the code, with the offset that it finds on its way: no load more than the PR's
/// function makes.
fn lasti_and_line<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    frame: Addr,
    code: Addr,
) -> Result<(i32, i32), Stop> {
    let lasti = lasti(checks, reader, request, frame, code)?;
    Ok((lasti, safe_addr2line_by(checks, reader, request.interpreter, code, lasti)?))
}

/// The offset: of the code that another look finds, or of the one that was found.
fn lasti<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    frame: Addr,
    code: Addr,
) -> Result<i32, Stop> {
    match checks.has(Check::SecondLook) {
        true => safe_get_lasti_by(checks, reader, request.interpreter, frame),
        false => lasti_in(reader, request.interpreter, frame, code),
    }
}

/// The walk of a profiler that uses the four functions as its documentation shows.
///
/// # Signal safety
///
/// Loads through `reader` and nothing else. With [`Skip::AsProposed`] it need not end: a cycle of entry frames is followed
/// for ever (claim C4).
pub fn walk<R: Reader>(reader: &R, request: &Request<'_>, skip: Skip, out: &mut FrameBuf<'_>) -> Walk {
    walk_by(Every, reader, request, skip, out)
}

/// [`walk`] with some of its checks.
///
/// # Signal safety
///
/// As [`walk`]. Without its hop budget, [`Skip::Guarded`] need not end either.
pub fn walk_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    skip: Skip,
    out: &mut FrameBuf<'_>,
) -> Walk {
    let mut hops = 0;
    let end = match collect(checks, reader, request, skip, out, &mut hops) {
        Ok(()) => End::Complete,
        Err(Stop(end)) => end,
    };
    Walk { end, hops }
}

fn collect<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    request: &Request<'_>,
    mut skip: Skip,
    out: &mut FrameBuf<'_>,
    hops: &mut u32,
) -> Result<(), Stop> {
    let interpreter = request.interpreter;
    let mut next = current_frame_by(checks, reader, request, &mut skip, hops)?;
    while let Some(frame) = next {
        let code = safe_get_code_by(checks, reader, interpreter, frame)?.ok_or(Rejected::NoCode)?;
        let (lasti, line) = match request.detail {
            // The API has no function for the offset alone; SafeGetLasti is what GetLineSafe uses.
            Detail::Code => (lasti(checks, reader, request, frame, code)?, NO_LINE),
            // GetLineSafe looks for itself.
            Detail::Line if checks.has(Check::SecondLook) => {
                match safe_get_code_by(checks, reader, interpreter, frame)? {
                    Some(code) => lasti_and_line(checks, reader, request, frame, code)?,
                    None => (-1, NO_LINE),
                }
            }
            Detail::Line => lasti_and_line(checks, reader, request, frame, code)?,
        };
        if !out.push(Frame { frame, code, lasti, line }) {
            return Err(Truncated::BufferFull.into());
        }
        next = caller_by(checks, reader, request, frame, &mut skip, hops)?;
    }
    Ok(())
}

/// The hop budget of [`Skip::Guarded`] for a buffer.
#[must_use]
pub fn hop_budget(out: &FrameBuf<'_>) -> u32 {
    out.capacity() as u32 + EXTRA_HOPS
}

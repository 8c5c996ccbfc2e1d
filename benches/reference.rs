//! What the interpreter itself says of a stack: the `f_back` chain from `sys._getframe`. A subject is timed only after it
//! delivered the same.

use crate::failure::Failure;
use crate::place::Here;
use sigwalk::frame::Frame;
use sigwalk_embed::pyo3::prelude::*;

/// One frame as the interpreter sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Address of `f_code`.
    pub code: u64,
    /// `f_lasti`
    pub lasti: i32,
    /// `f_lineno`
    pub line: i32,
}

/// The frame objects, innermost first.
///
/// # Errors
/// Whatever Python raises.
pub fn frames(py: Python<'_>) -> Result<Vec<Bound<'_, PyAny>>, Failure> {
    let mut frames = Vec::new();
    let mut frame = py.import("sys")?.call_method0("_getframe")?;
    while !frame.is_none() {
        let back = frame.getattr("f_back")?;
        frames.push(frame);
        frame = back;
    }
    Ok(frames)
}

/// The whole stack, innermost first.
///
/// # Errors
/// The chain is not as deep as it was made, or Python raises.
pub fn stack(here: &Here<'_>) -> Result<Vec<Known>, Failure> {
    let mut known = Vec::new();
    for frame in frames(here.py)? {
        known.push(Known {
            code: frame.getattr("f_code")?.as_ptr() as u64,
            lasti: frame.getattr("f_lasti")?.extract()?,
            line: frame.getattr("f_lineno")?.extract()?,
        });
    }
    if known.len() as u64 != here.depth {
        return Err(Failure::internal(format!(
            "a stack of {} frames was made, and sys._getframe sees {}",
            here.depth,
            known.len()
        )));
    }
    Ok(known)
}

/// File and qualified name of every frame, innermost first.
///
/// # Errors
/// Whatever Python raises.
pub fn names(here: &Here<'_>) -> Result<Vec<[String; 2]>, Failure> {
    let mut names = Vec::new();
    for frame in frames(here.py)? {
        let code = frame.getattr("f_code")?;
        names.push([code.getattr("co_filename")?.extract()?, code.getattr("co_qualname")?.extract()?]);
    }
    Ok(names)
}

/// Compares a walk with the interpreter's own chain, frame by frame.
///
/// # Errors
/// The first difference, in words.
pub fn compare(known: &[Known], walked: &[Frame], lines: bool) -> Result<(), String> {
    if known.len() != walked.len() {
        return Err(format!("{} frames instead of {}", walked.len(), known.len()));
    }
    for (index, (known, frame)) in known.iter().zip(walked).enumerate() {
        let line = if lines { frame.line } else { known.line };
        let found = Known { code: frame.code.get(), lasti: frame.lasti, line };
        if found != *known {
            return Err(format!("frame {index} is {found:x?} instead of {known:x?}"));
        }
    }
    Ok(())
}

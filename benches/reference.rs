//! What the interpreter itself says of a stack: the `f_back` chain from `sys._getframe`. A subject is timed only after it
//! delivered the same.

use crate::depth::Here;
use crate::failure::Failure;
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

/// The whole stack, innermost first.
///
/// # Errors
/// The chain is not as deep as it was made, or Python raises.
pub fn stack(here: &Here<'_>) -> Result<Vec<Known>, Failure> {
    let mut known = Vec::new();
    let mut frame = here.py.import("sys")?.call_method0("_getframe")?;
    while !frame.is_none() {
        known.push(Known {
            code: frame.getattr("f_code")?.as_ptr() as u64,
            lasti: frame.getattr("f_lasti")?.extract()?,
            line: frame.getattr("f_lineno")?.extract()?,
        });
        frame = frame.getattr("f_back")?;
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

//! The walker `cpython-c`: its shim needs the helpers that it is about.

use crate::python::Facts;
use crate::shim;
use std::path::Path;

/// Compiles the shim and sets `cfg(cpython_c)`, or says why it is not available: `SIGWALK_EMBED_CPYTHON_C`, empty where it is.
pub fn emit(facts: &Facts, include: &Path) {
    shim::emit(facts, include, "cpython_c", has_helpers(facts, include));
}

fn has_helpers(facts: &Facts, include: &Path) -> Result<(), String> {
    let text = shim::frame_header(facts, include)?;
    for helper in ["_PyFrame_SafeGetCode", "_PyFrame_SafeGetLasti"] {
        if !text.contains(helper) {
            return Err(format!(
                "CPython {} has no {helper}: it came with 3.13.10, 3.14.1 and 3.15",
                facts.version
            ));
        }
    }
    Ok(())
}

//! Real stacks: user code called back by the standard library, with its generators, coroutines, and entries from C.
//! What they are stands in `stacks.py`.

use crate::failure::Failure;
use crate::place::{Native, Place};
use sigwalk_embed::pyo3::prelude::*;
use std::ffi::CString;

/// The stacks, each a function of `stacks.py` that is named for the module it is taken in.
pub const ALL: [&str; 5] = ["json", "argparse", "asyncio", "logging", "unittest"];

/// The bottom of every one. Imports the modules.
///
/// # Errors
/// Whatever Python raises.
pub fn places(py: Python<'_>, native: Native) -> Result<Vec<Place<'_>>, Failure> {
    let source =
        CString::new(include_str!("stacks.py")).map_err(|error| Failure::internal(error.to_string()))?;
    let module = PyModule::from_code(py, &source, c"sigwalk_bench/stacks.py", c"stacks")?;
    ALL.iter().map(|stack| Place::found(native, module.getattr(*stack)?, stack)).collect()
}

//! Stacks of a known depth: a ring of Python functions that call each other.
//!
//! Not one recursive function but sixteen, of different lengths, each with its own code object and line table: a walk
//! over one code object would find it in the cache every time and every branch of the line decoder predicted, which no
//! real stack grants.
//!
//! No call crosses C on the way down: the stack is one run of the eval loop, as in a Python program that calls Python
//! functions.

use crate::failure::Failure;
use crate::place::{Native, Place};
use sigwalk_embed::pyo3::prelude::*;
use std::ffi::CString;
use std::fmt::Write as _;

/// The depths that are measured.
pub const DEPTHS: [u64; 7] = [1, 16, 64, 100, 256, 1024, 4096];

/// Where a subject is measured that is slow, or whose curve nobody asks for.
pub const FEW: [u64; 3] = [1, 100, 1024];

/// The depth at which ratios compare.
pub const USUAL: u64 = 100;

const FUNCTIONS: usize = 16;

/// The ring of functions.
#[derive(Debug)]
pub struct Ladder<'py> {
    first: Bound<'py, PyAny>,
    partial: Bound<'py, PyAny>,
    native: Native,
}

impl<'py> Ladder<'py> {
    /// Compiles the functions, and raises the recursion limit over the greatest depth.
    ///
    /// # Errors
    /// Whatever Python raises.
    pub fn new(py: Python<'py>, native: Native) -> Result<Self, Failure> {
        let source = CString::new(source()).map_err(|error| Failure::internal(error.to_string()))?;
        let module = PyModule::from_code(py, &source, c"sigwalk_bench/ladder.py", c"ladder")?;
        let greatest = DEPTHS.iter().max().copied().unwrap_or_default();
        py.import("sys")?.call_method1("setrecursionlimit", (greatest + 1000,))?;
        let partial = py.import("functools")?.getattr("partial")?;
        Ok(Ladder { first: module.getattr("rung_0")?, partial, native })
    }

    /// The bottom of `depth` Python frames.
    ///
    /// # Errors
    /// Whatever Python raises.
    pub fn place(&self, depth: u64) -> Result<Place<'py>, Failure> {
        // A partial is called through C and makes no frame.
        Ok(Place::made(self.native, self.partial.call1((&self.first, depth))?, depth))
    }
}

fn source() -> String {
    let mut text = String::new();
    for rung in 0..FUNCTIONS {
        let _ = writeln!(text, "def rung_{rung}(left, bottom):");
        for line in 0..rung % 8 {
            let _ = writeln!(text, "    value_{line} = left + {line}");
        }
        let _ = writeln!(text, "    if left == 1:\n        return bottom()");
        let _ = writeln!(text, "    return rung_{}(left - 1, bottom)\n", (rung + 1) % FUNCTIONS);
    }
    text
}

//! `stress allocations`: exact traces of what programs allocate, for the bias of sampled profiles (C10), which the report simulates.

mod trace;

use crate::failure::Failure;
use crate::python;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::PyDict;
use sigwalk_record::{Allocated, SCHEMA};

/// Programs of `programs.py`.
pub const PROGRAMS: [&str; 2] = ["large", "small"];

/// The programs, compiled.
///
/// # Errors
/// Python's.
pub fn programs() -> Result<Py<PyDict>, Failure> {
    Python::attach(|py| {
        python::definitions(py, "programs.py", include_str!("allocations/programs.py")).map(Bound::unbind)
    })
}

/// The trace of a program, as records.
///
/// # Errors
/// Python's, or the interpreter has no oracle.
pub fn trace(live: &Live, tag: &str, programs: &Py<PyDict>, program: &str) -> Result<Vec<Allocated>, String> {
    let rows = trace::run(live, programs, program)?;
    let record = |((stack, size), count)| Allocated {
        schema: SCHEMA,
        interpreter: tag.to_owned(),
        program: program.to_owned(),
        stack,
        size,
        count,
    };
    Ok(rows.into_iter().map(record).collect())
}

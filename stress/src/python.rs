//! The Python side of a trial: the target's program, and the few functions it gets from here.

use crate::failure::Failure;
use crate::native;
use crate::oracle::{Code, END, Edge, FRESH, Oracle, line_or_none};
use crate::subject::{self, FAULTHANDLER, Handler, Judged, Subject};
use crate::target::{COMMON, Target};
use crate::workload::Workload;
use sigwalk_embed::cpython_c;
use sigwalk_embed::pyo3::exceptions::PyRuntimeError;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

/// A target that is ready to run.
pub struct Program {
    /// Who judges its stacks.
    pub oracle: Oracle,
    /// Makes one pass.
    pub pass: Py<PyAny>,
}

/// Code of the common files and of targets, by their text: compiled once, before the fork, instead of in every trial.
static COMPILED: Mutex<BTreeMap<&'static str, Py<PyAny>>> = Mutex::new(BTreeMap::new());

fn compiled<'py>(py: Python<'py>, file: &str, source: &'static str) -> PyResult<Bound<'py, PyAny>> {
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(code) = known.get(source) {
        return Ok(code.bind(py).clone());
    }
    let code = py.import("builtins")?.getattr("compile")?.call1((source, file, "exec"))?;
    known.insert(source, code.clone().unbind());
    Ok(code)
}

fn file_of(target: &Target) -> String {
    format!("{}.py", target.name)
}

/// The names that a Python file of ours defines, by running it once. `file` is for messages.
///
/// # Errors
/// Python's.
pub fn definitions<'py>(py: Python<'py>, file: &str, source: &str) -> Result<Bound<'py, PyDict>, Failure> {
    let globals = PyDict::new(py);
    let source = CString::new(source).expect("no NUL in it");
    py.run(&source, Some(&globals), None).map_err(|error| Failure::internal(format!("{file}: {error}")))?;
    Ok(globals)
}

/// Does for a target, in the fork server, what its trials need not do again. What fails fails again in the trial, which says
/// so.
pub fn prepare(target: &Target) {
    Python::attach(|py| {
        for (file, source) in COMMON {
            let _ = compiled(py, file, source);
        }
        let _ = compiled(py, &file_of(target), target.source);
    });
}

fn run_source(globals: &Bound<'_, PyDict>, file: &str, source: &'static str) -> PyResult<()> {
    let py = globals.py();
    let code = compiled(py, file, source)?;
    globals.set_item("SOURCE", source)?;
    globals.set_item("FILE", file)?;
    py.import("builtins")?.getattr("exec")?.call1((code, globals))?;
    Ok(())
}

/// A namespace with the native functions that targets may call, and the common Python code.
///
/// # Errors
/// Python's.
pub fn namespace(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let globals = PyDict::new(py);
    for native in native::all() {
        globals.set_item(native.name.to_string_lossy(), native.object(py)?)?;
    }
    for (file, source) in COMMON {
        run_source(&globals, file, source)?;
    }
    Ok(globals)
}

/// Makes a target's program.
///
/// # Errors
/// Python's, or a call graph of the wrong shape.
pub fn program(py: Python<'_>, target: &Target, params: &BTreeMap<String, String>) -> PyResult<Program> {
    let globals = namespace(py)?;
    if !target.source.is_empty() {
        run_source(&globals, &file_of(target), target.source)?;
    }
    let arguments = PyDict::new(py);
    for (name, ..) in target.params {
        let value = &params[*name];
        match value.parse::<i64>() {
            Ok(number) => arguments.set_item(name, number)?,
            Err(_) => arguments.set_item(name, value)?,
        }
    }
    let setup = globals.get_item(target.setup_function())?.ok_or_else(|| {
        sigwalk_embed::pyo3::exceptions::PyLookupError::new_err(format!(
            "{} is not defined",
            target.setup_function()
        ))
    })?;
    let (codes, edges, pass) = setup.call((), Some(&arguments))?.extract::<(
        Vec<(Py<PyAny>, String, Vec<Option<i32>>)>,
        Vec<(Py<PyAny>, Option<Py<PyAny>>, i32)>,
        Py<PyAny>,
    )>()?;
    // `...` stands for code that is made while the target runs.
    let fresh = py.Ellipsis();
    let address = |object: &Py<PyAny>| if object.is(&fresh) { FRESH } else { object.as_ptr() as u64 };
    let oracle = Oracle::new(
        codes
            .iter()
            .map(|(code, name, lines)| Code {
                address: address(code),
                name: name.clone(),
                lines: lines.iter().copied().map(line_or_none).collect(),
            })
            .collect(),
        edges
            .iter()
            .map(|(callee, caller, line)| Edge {
                callee: address(callee),
                caller: caller.as_ref().map_or(END, address),
                line: *line,
            })
            .collect(),
    );
    // The code objects must outlive the oracle, which knows them by address: a freed one could be reused by another
    // function and be taken for it.
    std::mem::forget((codes, edges));
    Ok(Program { oracle, pass })
}

/// Finds who walks. For faulthandler: registers it for SIGUSR1, to /dev/null.
///
/// # Errors
/// Python's, or faulthandler did not install a plain handler.
pub fn subject(py: Python<'_>, walker: &str, workload: Workload) -> PyResult<Subject> {
    if walker == cpython_c::NAME {
        let walker = cpython_c::available().map_err(PyRuntimeError::new_err)?;
        return Ok(Subject::Judged(Judged::CpythonC(walker)));
    }
    if walker != FAULTHANDLER {
        let entry = subject::ours(walker).expect("the campaign knows the walker");
        return Ok(Subject::Judged(Judged::Ours(entry)));
    }
    let everyone = if workload == Workload::Other { "True" } else { "False" };
    let source = format!(
        "import faulthandler, os, signal\nfaulthandler.register(signal.SIGUSR1, file=os.open(os.devnull, os.O_WRONLY), all_threads={everyone})"
    );
    py.run(&CString::new(source)?, None, None)?;
    Handler::installed_for(libc::SIGUSR1)
        .map(Subject::Faulthandler)
        .ok_or_else(|| PyRuntimeError::new_err("faulthandler installed no plain handler for SIGUSR1"))
}

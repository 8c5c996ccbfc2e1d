//! The Python side of a trial: the target's program, and the few functions it gets from here.

use crate::oracle::{Code, END, Edge, Oracle, line_or_none};
use crate::subject::{self, FAULTHANDLER, Handler, Judged, Subject};
use crate::target::{COMMON, Target};
use crate::workload::{Workload, signal, step};
use sigwalk_embed::Live;
use sigwalk_embed::cpython_c;
use sigwalk_embed::pyo3::exceptions::PyRuntimeError;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::sync::PyOnceLock;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::collections::BTreeMap;
use std::ffi::CString;

const COMMON_FILE: &str = "call_tree.py";

/// A target that is ready to run.
pub struct Program {
    /// Who judges its stacks.
    pub oracle: Oracle,
    /// Makes one pass.
    pub pass: Py<PyAny>,
}

/// Code by file name: compiled once, in the fork server, and run once, in a trial's process.
static COMPILED: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

fn compiled<'py>(py: Python<'py>, file: &str, source: &str) -> PyResult<Bound<'py, PyAny>> {
    let known = COMPILED.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    if let Some(code) = known.get_item(file)? {
        return Ok(code);
    }
    let code = py.import("builtins")?.getattr("compile")?.call1((source, file, "exec"))?;
    known.set_item(file, &code)?;
    Ok(code)
}

fn run_source(globals: &Bound<'_, PyDict>, file: &str, source: &str) -> PyResult<()> {
    let py = globals.py();
    let code = compiled(py, file, source)?;
    globals.set_item("SOURCE", source)?;
    py.import("builtins")?.getattr("exec")?.call1((code, globals))?;
    Ok(())
}

fn file_of(target: &Target) -> String {
    format!("{}.py", target.name)
}

/// Before the first fork for `target`: compiles what each of its trials would compile again. Nothing of it runs here. An
/// error is left to the trial, which meets it again and reports it.
///
/// The first `compile` of a process also makes the hundred types of the `ast` module: half of the time of a small trial.
pub fn prepare(target: &Target) {
    Python::attach(|py| {
        let _in_the_trial = compiled(py, COMMON_FILE, COMMON);
        if !target.source.is_empty() {
            let _in_the_trial = compiled(py, &file_of(target), target.source);
        }
    });
}

/// A namespace with the functions that targets may call, and the common Python code.
///
/// # Errors
/// Python's.
pub fn namespace<'py>(py: Python<'py>, live: &'static Live) -> PyResult<Bound<'py, PyDict>> {
    let globals = PyDict::new(py);
    let arm = PyCFunction::new_closure(
        py,
        None,
        None,
        |_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>| {
            signal::arm();
            step::arm();
        },
    )?;
    let room = PyCFunction::new_closure(
        py,
        None,
        None,
        |_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>| room(live),
    )?;
    globals.set_item("sigwalk_arm", arm)?;
    globals.set_item("sigwalk_room", room)?;
    run_source(&globals, COMMON_FILE, COMMON)?;
    Ok(globals)
}

/// Slots of 8 bytes that are left in the calling thread's current data-stack chunk.
fn room(live: &Live) -> Option<u64> {
    let chunk = live.tstate()?.plus(live.interpreter.layout.thread.datastack_chunk);
    let (top, limit) = (live.word(chunk.plus(8))?, live.word(chunk.plus(16))?);
    Some(limit.saturating_sub(top) / 8)
}

/// Makes a target's program.
///
/// # Errors
/// Python's, or a call graph of the wrong shape.
pub fn program(
    py: Python<'_>,
    live: &'static Live,
    target: &Target,
    params: &BTreeMap<String, String>,
) -> PyResult<Program> {
    let globals = namespace(py, live)?;
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
    let address = |object: &Py<PyAny>| object.as_ptr() as u64;
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

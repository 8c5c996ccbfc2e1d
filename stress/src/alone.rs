//! Unit tests that need Python, each in a process of its own: Python belongs to one thread of a process, and what forks must
//! be the only thread.

use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use sigwalk_embed::{Live, Options};
use std::ffi::CString;
use std::process::Command;

/// Runs the ignored test of that full name alone: what it prints. Panics where it fails.
pub fn run(test: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{test}: {}\n{said}{complained}",
        output.status
    );
    said
}

/// Runs `source`, which calls `bottom()` from the stack that it makes, and `at_bottom` there.
pub fn on_a_stack(source: &str, at_bottom: fn(&'static Live)) {
    sigwalk_embed::initialize(Options::default()).unwrap();
    let live: &'static Live = Box::leak(Box::new(Live::find().unwrap()));
    Python::attach(|py| {
        let bottom = PyCFunction::new_closure(
            py,
            None,
            None,
            move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| at_bottom(live),
        )
        .unwrap();
        let globals = PyDict::new(py);
        globals.set_item("bottom", bottom).unwrap();
        py.run(&CString::new(source).unwrap(), Some(&globals), None).unwrap();
    });
}

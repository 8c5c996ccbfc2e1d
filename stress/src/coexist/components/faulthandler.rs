//! The interpreter's own.

use crate::coexist::component::{Component, Hears, Takes};
use sigwalk_embed::pyo3::prelude::*;

/// All.
pub const ALL: &[Component] = &[Component {
    name: "faulthandler",
    about: "faulthandler.enable(): prints the stacks, puts the earlier handler back, and raises the signal again",
    takes: Takes::Faults,
    install: |_| enable(),
    hears: Hears::Prints("Fatal Python error: "),
}];

fn enable() -> Result<(), String> {
    let enabled = Python::attach(|py| py.import("faulthandler")?.call_method0("enable").map(drop));
    enabled.map_err(|error| format!("faulthandler.enable: {error}"))
}

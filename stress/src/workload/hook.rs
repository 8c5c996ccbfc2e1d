//! Workload `hook`: walks of the own thread inside the allocators' hooks, compared with the interpreter's own frames.

use crate::attempt::Context;
use crate::campaign::Plan;

/// Installs the hooks.
///
/// # Errors
/// None yet.
pub fn start(_context: &'static Context, _plan: &Plan, _seed: u64) -> Result<(), String> {
    Err("the hook workload is not there yet".into())
}

/// Takes the hooks off.
pub fn stop() {}

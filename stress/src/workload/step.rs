//! Workload `step`: a walk at every instruction boundary of a window.

use crate::attempt::Context;
use crate::campaign::Plan;

/// Prepares the stepping.
///
/// # Errors
/// None yet.
pub fn start(_context: &'static Context, _plan: &Plan, _seed: u64) -> Result<(), String> {
    Err("the step workload is not there yet".into())
}

/// Ends the stepping.
pub fn stop() {}

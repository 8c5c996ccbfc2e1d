//! Workload `program`: a Python program as it is, run by the interpreter's own executable; its end is the outcome.

use crate::campaign::Plan;

/// Becomes the program.
///
/// # Errors
/// None yet.
pub fn become_it(_plan: &Plan, _seed: u64) -> Result<(), String> {
    Err("the program workload is not there yet".into())
}

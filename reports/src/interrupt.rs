//! Ctrl-C: what was begun is taken back, and nothing half-made stays. A second one ends the program at once.

use crate::failure::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use sigwalk_record::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on a signal is a wish that [`check`] sees.
///
/// # Errors
/// When the machine lets no handler be installed.
pub fn prepare() -> Result<(), Failure> {
    let asked = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        // In this order: the second signal finds the flag of the first.
        flag::register_conditional_shutdown(signal, exit::INTERRUPTED, Arc::clone(asked))
            .and_then(|_| flag::register(signal, Arc::clone(asked)))
            .map_err(|error| {
                Failure::machine(format!("signal {signal}: {error}; run it in another environment"))
            })?;
    }
    Ok(())
}

/// Between two steps of the work.
///
/// # Errors
/// When a signal came.
pub fn check() -> Result<(), Failure> {
    match ASKED.get() {
        Some(asked) if asked.load(Ordering::Relaxed) => Err(Failure::interrupted()),
        _ => Ok(()),
    }
}

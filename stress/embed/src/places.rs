//! Where the interpreter keeps what a signal-safe walk must not write: the thread state, the evaluation breaker and the GIL, by
//! the internal headers of the interpreter that is loaded. See `c/places.c`.
//!
//! # Invariant
//!
//! The shim is called only where it was compiled from headers of the very version that is loaded.
#![allow(unsafe_code)]

#[cfg(not(places))]
#[path = "places/absent.rs"]
mod ffi;
#[cfg(places)]
#[path = "places/ffi.rs"]
mod ffi;

use crate::hexversion;
use pyo3::Python;
use std::ops::Range;

/// Addresses in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The thread state of the calling thread.
    pub state: Range<u64>,
    /// What tells the evaluation loop to stop; since 3.13 a word of the thread state.
    pub breaker: Range<u64>,
    /// The lock and what stands beside it.
    pub gil: Range<u64>,
}

/// The places of the calling thread.
///
/// # Errors
/// The internal headers are not installed, do not compile, or are another version's.
pub fn of_this_thread(_: Python<'_>) -> Result<Places, &'static str> {
    let why_not = env!("SIGWALK_EMBED_PLACES");
    if !why_not.is_empty() {
        return Err(why_not);
    }
    if ffi::version() != hexversion() {
        return Err("the internal headers are another version's than the loaded libpython");
    }
    let mut places = [ffi::Place::default(); 3];
    let [state, breaker, gil] = &mut places;
    // SAFETY: attached; by the module's invariant the shim is there, and it writes the three.
    unsafe { ffi::sigwalk_places(state, breaker, gil) };
    let [state, breaker, gil] = places.map(|place| place.start..place.start + place.size);
    Ok(Places { state, breaker, gil })
}

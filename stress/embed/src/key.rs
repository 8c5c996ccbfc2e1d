//! The pthread key under which a thread keeps its bound thread state, up to 3.14.
#![allow(unsafe_code)]

use crate::{hexversion, runtime_symbols};
use pyo3::ffi;
use std::ffi::c_void;

/// Keys that glibc can give out (PTHREAD_KEYS_MAX).
const KEYS: u32 = 1024;

/// The pthread key whose value is the calling thread's bound thread state. Not for handlers, and neither is `pthread_getspecific`,
/// which may store: [`sigwalk::thread::OwnThread`] is.
///
/// `None` in 3.15 (a thread-local variable took its place, see [`crate::tls`]), where the interpreter is not initialised, and on a
/// thread that has no thread state. The number may change on fork and on re-initialisation.
#[must_use]
pub fn bound_key() -> Option<libc::pthread_key_t> {
    if hexversion() >= 0x030f_0000 {
        return None;
    }
    // SAFETY: may be called at any time; reads the key and its value.
    let state = unsafe {
        if ffi::Py_IsInitialized() == 0 {
            return None;
        }
        ffi::PyGILState_GetThisThreadState()
    };
    let names_state = |key| {
        // SAFETY: glibc answers NULL for a key that is not in use.
        let value = unsafe { libc::pthread_getspecific(key) };
        !state.is_null() && value == state.cast::<c_void>()
    };
    // Where a patch release moved the field, the value itself still tells the key.
    from_runtime().filter(|key| names_state(*key)).or_else(|| {
        let mut matching = (0..KEYS).filter(|key| names_state(*key));
        matching.next().filter(|_| matching.next().is_none())
    })
}

/// The key as `_PyRuntime` holds it: `Py_tss_t { int is_initialized; pthread_key_t key; }`.
fn from_runtime() -> Option<libc::pthread_key_t> {
    let offset = match hexversion() >> 16 {
        0x030b => 592,
        0x030c => 1544,
        0x030d => 2160,
        0x030e => 2336,
        _ => return None,
    };
    let runtime = runtime_symbols().ok()?.runtime;
    if offset + 8 > runtime.size as usize {
        return None;
    }
    // SAFETY: both words lie within `_PyRuntime`, whose size was just checked, and change only at start and fork.
    let [initialized, key] = unsafe { ((runtime.addr + offset) as *const [u32; 2]).read_volatile() };
    (initialized == 1).then_some(key)
}

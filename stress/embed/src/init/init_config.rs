//! 3.14 and later: PyInitConfig, which takes options by name and so has no layout to get wrong.
#![allow(unsafe_code)]

use super::{INTEGERS, Options};
use pyo3::ffi;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

/// A configuration that is freed on every way out.
struct Config(*mut ffi::PyInitConfig);

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: made by PyInitConfig_Create, freed once.
        unsafe { ffi::PyInitConfig_Free(self.0) }
    }
}

impl Config {
    /// Turns a status into the message that the configuration holds.
    fn check(&self, status: c_int) -> Result<(), String> {
        if status == 0 {
            return Ok(());
        }
        let mut message: *const c_char = ptr::null();
        // SAFETY: the configuration is alive; the message lives as long as it does.
        unsafe {
            if ffi::PyInitConfig_GetError(self.0, &raw mut message) == 1 && !message.is_null() {
                return Err(CStr::from_ptr(message).to_string_lossy().into_owned());
            }
        }
        Err("no message".to_owned())
    }

    fn integer(&self, name: &str, value: i32) -> Result<(), String> {
        self.unsigned(name, u64::from(value.unsigned_abs()))
    }

    fn unsigned(&self, name: &str, value: u64) -> Result<(), String> {
        let name = CString::new(name).map_err(|error| error.to_string())?;
        // SAFETY: a live configuration and a NUL-terminated name; an unknown name is an error status.
        self.check(unsafe { ffi::PyInitConfig_SetInt(self.0, name.as_ptr(), value) })
    }

    fn string(&self, name: &CStr, value: &str) -> Result<(), String> {
        let value = CString::new(value).map_err(|error| error.to_string())?;
        // SAFETY: a live configuration and NUL-terminated strings, which are copied.
        self.check(unsafe { ffi::PyInitConfig_SetStr(self.0, name.as_ptr(), value.as_ptr()) })
    }
}

pub(super) fn start(options: Options) -> Result<(), String> {
    // SAFETY: may be called before initialisation.
    let config = Config(unsafe { ffi::PyInitConfig_Create() });
    if config.0.is_null() {
        return Err("out of memory".to_owned());
    }
    for (name, value) in INTEGERS {
        config.integer(name, value)?;
    }
    config.integer("site_import", i32::from(options.site_import))?;
    if let Some(seed) = options.hash_seed {
        config.integer("use_hash_seed", 1)?;
        config.unsigned("hash_seed", seed.into())?;
    }
    config.string(c"home", crate::HOME)?;
    config.string(c"executable", crate::EXECUTABLE)?;
    // SAFETY: a live configuration; the interpreter is not initialised yet, or this would not be called.
    config.check(unsafe { ffi::Py_InitializeFromInitConfig(config.0) })
}

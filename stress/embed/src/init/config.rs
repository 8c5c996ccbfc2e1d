//! Up to 3.13: PyPreConfig and PyConfig, structures whose layouts pyo3 takes from the version that it builds for.
#![allow(unsafe_code)]

use super::{INTEGERS, Options};
use pyo3::ffi;
use std::ffi::{CStr, CString, c_int};
use std::mem::MaybeUninit;

/// Turns a status into its message.
fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: takes its argument by value.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    if status.err_msg.is_null() {
        return Err(format!("exit code {}", status.exitcode));
    }
    // SAFETY: a status holds a static NUL-terminated string.
    Err(unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned())
}

/// The pre-configuration decides about the allocator, and so it is the one that must read the environment for PYTHONMALLOC.
fn pre_initialize() -> Result<(), String> {
    let mut pre = MaybeUninit::uninit();
    // SAFETY: the function fills in the whole structure.
    let mut pre: ffi::PyPreConfig = unsafe {
        ffi::PyPreConfig_InitIsolatedConfig(pre.as_mut_ptr());
        pre.assume_init()
    };
    for (name, value) in INTEGERS {
        match name {
            "isolated" => pre.isolated = value,
            "use_environment" => pre.use_environment = value,
            "utf8_mode" => pre.utf8_mode = value,
            "parse_argv" => pre.parse_argv = value,
            _ => {}
        }
    }
    // SAFETY: a complete pre-configuration, before initialisation.
    check(unsafe { ffi::Py_PreInitialize(&raw const pre) })
}

/// A configuration that is cleared on every way out.
struct Config(Box<ffi::PyConfig>);

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: initialised by PyConfig_InitIsolatedConfig.
        unsafe { ffi::PyConfig_Clear(&raw mut *self.0) }
    }
}

impl Config {
    fn new() -> Self {
        let mut config = Box::new_uninit();
        // SAFETY: the function fills in the whole structure.
        Self(unsafe {
            ffi::PyConfig_InitIsolatedConfig(config.as_mut_ptr());
            config.assume_init()
        })
    }

    fn set(&mut self, name: &str, value: c_int) {
        match name {
            "isolated" => self.0.isolated = value,
            "use_environment" => self.0.use_environment = value,
            "parse_argv" => self.0.parse_argv = value,
            "install_signal_handlers" => self.0.install_signal_handlers = value,
            "user_site_directory" => self.0.user_site_directory = value,
            "safe_path" => self.0.safe_path = value,
            "pathconfig_warnings" => self.0.pathconfig_warnings = value,
            "site_import" => self.0.site_import = value,
            _ => {}
        }
    }
}

pub(super) fn start(options: Options) -> Result<(), String> {
    pre_initialize()?;
    let mut config = Config::new();
    for (name, value) in INTEGERS {
        config.set(name, value);
    }
    config.set("site_import", c_int::from(options.site_import));
    if let Some(seed) = options.hash_seed {
        (config.0.use_hash_seed, config.0.hash_seed) = (1, seed.into());
    }
    let home = CString::new(crate::HOME).map_err(|error| error.to_string())?;
    let executable = CString::new(crate::EXECUTABLE).map_err(|error| error.to_string())?;
    let pointer = &raw mut *config.0;
    // SAFETY: the configuration was initialised and lives until the end of this function; the strings are copied; the
    // fields named belong to this very configuration.
    unsafe {
        check(ffi::PyConfig_SetBytesString(pointer, &raw mut (*pointer).home, home.as_ptr()))?;
        check(ffi::PyConfig_SetBytesString(pointer, &raw mut (*pointer).executable, executable.as_ptr()))?;
        check(ffi::Py_InitializeFromConfig(pointer))
    }
}

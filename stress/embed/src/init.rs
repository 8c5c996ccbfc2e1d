//! Starting the interpreter.
#![allow(unsafe_code)]

use crate::{Error, interpreter};
#[cfg(not(init_config))]
use config as start;
#[cfg(init_config)]
use init_config as start;
use pyo3::ffi;

#[cfg(not(init_config))]
#[path = "init/config.rs"]
mod config;
#[cfg(init_config)]
#[path = "init/init_config.rs"]
mod init_config;

/// How to start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Import `site`: needed for packages in site-packages, and makes the start slower.
    pub site_import: bool,
    /// How strings are hashed, as by PYTHONHASHSEED, which an isolated configuration does not obey: random where there is none.
    pub hash_seed: Option<u32>,
}

/// Values that both ways of configuring have in common: isolated, except that the environment is read, because
/// PYTHONMALLOC and PYTHON_JIT are parts of an experiment. `environment()` records which of these variables were set.
const INTEGERS: [(&str, i32); 8] = [
    ("isolated", 0),
    ("use_environment", 1),
    ("utf8_mode", 1),
    ("parse_argv", 0),
    ("install_signal_handlers", 0),
    ("user_site_directory", 0),
    ("safe_path", 1),
    ("pathconfig_warnings", 0),
];

/// Starts CPython, with the standard library of the interpreter that this was built for. The calling thread becomes the main
/// thread and stays attached. A second call does nothing.
///
/// No signal handlers are installed and no command line is parsed; `sys.executable` is the interpreter's own program.
///
/// # Errors
/// [`Error::WrongLibrary`] where another libpython was loaded, [`Error::Start`] where CPython does not start.
pub fn initialize(options: Options) -> Result<(), Error> {
    let found = interpreter::hexversion();
    let built = env!("SIGWALK_EMBED_HEXVERSION");
    if format!("{found:#010x}") != built {
        let found = interpreter::release(found);
        return Err(Error::WrongLibrary { built: env!("SIGWALK_EMBED_VERSION").to_owned(), found });
    }
    // SAFETY: may be called at any time, also before initialisation.
    if unsafe { ffi::Py_IsInitialized() } != 0 {
        return Ok(());
    }
    start::start(options).map_err(Error::Start)
}

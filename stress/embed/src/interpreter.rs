//! What a record says of the interpreter.
#![allow(unsafe_code)]

use crate::module::{self, Module};
use crate::{Error, runtime_symbols};
use pyo3::ffi;
use sigwalk_record::Interpreter;
use std::env;
use std::ffi::CStr;
use std::path::Path;

/// `Py_Version` of the loaded library: PY_VERSION_HEX, as in `0x030f00f0`. Valid before initialisation.
#[must_use]
pub fn hexversion() -> u32 {
    // SAFETY: a constant of the loaded library.
    let version = unsafe { ffi::Py_Version };
    version as u32
}

/// The facts about the loaded interpreter. Works before initialisation.
///
/// # Errors
/// [`Error::NoSymbol`] where no libpython is loaded.
pub fn interpreter() -> Result<Interpreter, Error> {
    let hex = hexversion();
    let debug = env!("SIGWALK_EMBED_DEBUG") == "1";
    let allocator = env::var("PYTHONMALLOC").ok().filter(|name| !name.is_empty());
    let suffix = allocator.as_deref().map_or("", malloc_suffix);
    let runtime_size = runtime_symbols()?.runtime.size;
    Ok(Interpreter {
        tag: format!("{}{}{suffix}", release(hex), if debug { "d" } else { "" }),
        version: version(),
        hexversion: format!("{hex:#010x}"),
        config_args: env!("SIGWALK_EMBED_CONFIG_ARGS").to_owned(),
        compiler: env!("SIGWALK_EMBED_COMPILER").to_owned(),
        debug,
        free_threaded: false,
        jit: env!("SIGWALK_EMBED_JIT") == "1",
        libpython: libpython(),
        runtime_size,
        freed_patterns: freed_patterns(hex).to_owned(),
        allocator: allocator.unwrap_or_else(|| "default".to_owned()),
    })
}

/// What is freed looks different under each allocator, so they are kept apart. PYTHONMALLOC=debug puts debug hooks on whichever
/// is the default.
fn malloc_suffix(name: &str) -> &'static str {
    match name {
        "debug" => "-malloc_debug",
        "malloc" => "-libc_malloc",
        "malloc_debug" => "-libc_malloc_debug",
        "pymalloc" => "-pymalloc",
        "pymalloc_debug" => "-pymalloc_debug",
        "mimalloc" => "-mimalloc",
        "mimalloc_debug" => "-mimalloc_debug",
        _ => "",
    }
}

/// `3.15.0`, `3.15.0rc2` from PY_VERSION_HEX.
pub(crate) fn release(hex: u32) -> String {
    let [major, minor, micro, last] = hex.to_be_bytes();
    let level = match last >> 4 {
        0xa => format!("a{}", last & 0xf),
        0xb => format!("b{}", last & 0xf),
        0xc => format!("rc{}", last & 0xf),
        _ => String::new(),
    };
    format!("{major}.{minor}.{micro}{level}")
}

/// gh-140815 changed which words CPython's own helpers take for freed memory; it reached 3.13.10, 3.14.1 and 3.15.
fn freed_patterns(hex: u32) -> &'static str {
    let after = match hex >> 16 {
        0x030d => hex >= 0x030d_0a00,
        0x030e => hex >= 0x030e_0100,
        minor => minor >= 0x030f,
    };
    if after { "after gh-140815" } else { "before gh-140815" }
}

/// `sys.version`, one line.
fn version() -> String {
    // SAFETY: returns a static NUL-terminated string, also before initialisation.
    let version = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) };
    version.to_string_lossy().replace('\n', " ")
}

/// The loaded libpython, relative to its tree or prefix.
fn libpython() -> String {
    let path = module::libpython().map(|module: Module| module.path).unwrap_or_default();
    // The dynamic linker reports the path as it found it, which may lead through links.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (path, root) = (real(&path), real(Path::new(env!("SIGWALK_EMBED_ROOT"))));
    path.strip_prefix(&root).unwrap_or(&path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::{freed_patterns, release};

    #[test]
    fn release_is_read_from_the_hexadecimal_version() {
        assert_eq!(release(0x030d_05f0), "3.13.5");
        assert_eq!(release(0x030f_00c2), "3.15.0rc2");
    }

    #[test]
    fn freed_patterns_changed_within_3_13_and_3_14() {
        let after = |hex| freed_patterns(hex).starts_with("after");
        assert!(!after(0x030b_07f0) && !after(0x030d_09f0) && !after(0x030e_00f0));
        assert!(after(0x030d_0af0) && after(0x030e_01f0) && after(0x030f_00f0));
    }
}

//! Addresses of the data symbols with which a walk begins.

use crate::Error;
use crate::symbols::{self, Found};

/// Addresses in the loaded libpython. All are exported by every CPython 3.11 to 3.15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeSymbols {
    /// `Py_Version`, an unsigned long.
    pub version: Found,
    /// `_PyRuntime`; its size in bytes is a fingerprint of the layout.
    pub runtime: Found,
    /// `PyCode_Type`.
    pub code_type: Found,
    /// `PyUnicode_Type`.
    pub unicode_type: Found,
    /// `PyBytes_Type`.
    pub bytes_type: Found,
    /// `_Py_NoneStruct`, the object `None`.
    pub none: Found,
}

/// Looks the symbols up. Works before initialisation.
///
/// # Errors
/// [`Error::NoSymbol`] names the first that is missing.
pub fn runtime_symbols() -> Result<RuntimeSymbols, Error> {
    let find = |name| symbols::find(name).ok_or(Error::NoSymbol(name));
    Ok(RuntimeSymbols {
        version: find("Py_Version")?,
        runtime: find("_PyRuntime")?,
        code_type: find("PyCode_Type")?,
        unicode_type: find("PyUnicode_Type")?,
        bytes_type: find("PyBytes_Type")?,
        none: find("_Py_NoneStruct")?,
    })
}

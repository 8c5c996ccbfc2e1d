//! Why a layout was refused.

use super::Version;
use core::fmt;

/// What was found, so that a reader can tell a new CPython from a broken one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// Not CPython 3.11 to 3.15.
    UnsupportedVersion(Version),
    /// A free-threaded build.
    FreeThreaded(Version),
    /// `_PyRuntime` does not begin with the cookie `xdebugpy`.
    NoCookie(u64),
    /// The table is for another version than `Py_Version`.
    VersionMismatch {
        /// `Py_Version`
        py_version: Version,
        /// What the table says.
        table: Version,
    },
    /// A value of the table disagrees with this version, or points outside its structure.
    Mismatch {
        /// Name of the field.
        field: &'static str,
        /// What was expected, or the bound.
        expected: u64,
        /// What was found.
        found: u64,
    },
    /// The table, or what it leads to, could not be read.
    Unreadable(&'static str),
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayoutError::UnsupportedVersion(version) => write!(
                f,
                "CPython {version} (hexversion {:#010x}) is not supported: sigwalk knows 3.11 to 3.15",
                version.hex()
            ),
            LayoutError::FreeThreaded(version) => write!(
                f,
                "CPython {version} is a free-threaded build: sigwalk knows default (GIL) builds only"
            ),
            LayoutError::NoCookie(found) => write!(
                f,
                "_PyRuntime does not begin with the debug-offsets cookie \"xdebugpy\" but with {found:#018x}"
            ),
            LayoutError::VersionMismatch { py_version, table } => write!(
                f,
                "Py_Version says {py_version} ({:#010x}), the debug offsets say {table} ({:#010x})",
                py_version.hex(),
                table.hex()
            ),
            LayoutError::Mismatch { field, expected, found } => write!(
                f,
                "layout field {field} is {found}, expected {expected}: not a CPython build this version of sigwalk was checked with"
            ),
            LayoutError::Unreadable(what) => write!(f, "{what} cannot be read"),
        }
    }
}

impl core::error::Error for LayoutError {}

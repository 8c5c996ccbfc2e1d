//! What a walker must know of the interpreter it reads: its layout and the addresses of a few static objects.

use crate::addr::Addr;
use crate::heuristics::Era;
use crate::layout::{Layout, LayoutError, Version};
use crate::reader::Reader;

/// Addresses of data symbols, all of them exported by every libpython from 3.11 to 3.15.
#[derive(Clone, Copy, Debug)]
pub struct Symbols {
    /// `Py_Version`
    pub py_version: Addr,
    /// `_PyRuntime`
    pub runtime: Addr,
    /// `st_size` of `_PyRuntime`, bytes.
    pub runtime_size: u64,
    /// `PyCode_Type`
    pub code_type: Addr,
    /// `PyUnicode_Type`
    pub unicode_type: Addr,
    /// `PyBytes_Type`
    pub bytes_type: Addr,
}

/// An interpreter as walkers see it. Plain data: build it once, use it in any handler.
#[derive(Clone, Copy, Debug)]
pub struct Interpreter {
    /// Offsets of this build.
    pub layout: Layout,
    /// Address of `_PyRuntime`.
    pub runtime: Addr,
    /// Address of `PyCode_Type`: a code object is recognised by comparing pointers, never by reading its type.
    pub code_type: Addr,
    /// Address of `PyUnicode_Type`.
    pub unicode_type: Addr,
    /// Address of `PyBytes_Type`.
    pub bytes_type: Addr,
    /// Which freed-pointer patterns this version's own helpers know.
    pub era: Era,
}

impl Interpreter {
    /// Reads the version and the layout.
    ///
    /// # Errors
    /// See [`Layout::read`].
    pub fn read<R: Reader>(reader: &R, symbols: &Symbols) -> Result<Interpreter, LayoutError> {
        let hex = reader.u64(symbols.py_version).map_err(|_| LayoutError::Unreadable("Py_Version"))?;
        let version = Version::from_hex(hex);
        Ok(Interpreter {
            layout: Layout::read(reader, version, symbols.runtime, symbols.runtime_size)?,
            runtime: symbols.runtime,
            code_type: symbols.code_type,
            unicode_type: symbols.unicode_type,
            bytes_type: symbols.bytes_type,
            era: Era::of(version),
        })
    }
}

//! Where one CPython build keeps what a walk needs: offsets in bytes, chosen at run time from what the interpreter says
//! of itself.
//!
//! | version | source |
//! |---|---|
//! | 3.11, 3.12 | constant tables (`py3_11.rs`, `py3_12.rs`) |
//! | 3.13–3.15 | `_Py_DebugOffsets` at the start of `_PyRuntime`, read as untrusted input and validated, over per-minor constants for what it lacks |
//!
//! An unknown version, a free-threaded build or a table that disagrees is an error that names what was found, never a
//! guess. The test `stress/embed/tests/layout_headers.rs` compares every constant with the interpreter's own headers.

mod debug_offsets;
mod error;
mod probe;
mod py3_11;
mod py3_12;
mod py3_13;
mod py3_14;
mod py3_15;

pub use error::LayoutError;
pub use probe::KnownThread;

use crate::addr::Addr;
use crate::reader::Reader;

/// `Py_Version`: `0xMMmmuuRS` (major, minor, micro, release level and serial).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32);

impl Version {
    /// From `Py_Version`, whose upper half is zero on every build so far.
    #[must_use]
    pub const fn from_hex(hex: u64) -> Self {
        Version(hex as u32)
    }

    /// The same number as `sys.hexversion`.
    #[must_use]
    pub const fn hex(self) -> u32 {
        self.0
    }

    /// `(major, minor, micro)`.
    #[must_use]
    pub const fn triple(self) -> (u8, u8, u8) {
        ((self.0 >> 24) as u8, (self.0 >> 16) as u8, (self.0 >> 8) as u8)
    }
}

impl core::fmt::Display for Version {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (major, minor, micro) = self.triple();
        write!(f, "{major}.{minor}.{micro}")
    }
}

/// How a thread state leads to its innermost frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// 3.11, 3.12: `tstate->cframe->current_frame`. The `_PyCFrame` is on the C stack of the running eval loop.
    Cframe {
        /// Offset of `cframe` in the thread state.
        cframe: u32,
        /// Offset of `current_frame` in `_PyCFrame`.
        current_frame: u32,
    },
    /// 3.13 and later: `tstate->current_frame`.
    Direct {
        /// Offset of `current_frame` in the thread state.
        current_frame: u32,
    },
}

/// What the outermost frame of a whole chain is: how a strict walk tells an end from a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outermost {
    /// 3.11: a frame whose `is_entry` (at this offset) is 1.
    IsEntry(u32),
    /// 3.12–3.14: an entry frame (owner 3), whose `previous` is NULL.
    EntryFrame,
    /// 3.15: the frame that the thread state's `base_frame` (at this offset) points to.
    BaseFrame(u32),
}

/// `_PyRuntimeState` and `PyInterpreterState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeLayout {
    /// `_PyRuntime.interpreters.head`
    pub interpreters_head: u32,
    /// The `autoTSSkey` that binds thread states to OS threads; none in 3.15, which uses thread-local storage.
    pub auto_tss_key: Option<u32>,
    /// `PyInterpreterState.next`
    pub interp_next: u32,
    /// `PyInterpreterState.threads.head`
    pub threads_head: u32,
    /// `PyInterpreterState._code_object_generation`, 3.14+.
    pub code_object_generation: Option<u32>,
}

/// `PyThreadState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLayout {
    /// `prev`
    pub prev: u32,
    /// `next`
    pub next: u32,
    /// `interp`
    pub interp: u32,
    /// The way to the innermost frame.
    pub head: Head,
    /// `thread_id` (pthread_self)
    pub thread_id: u32,
    /// `native_thread_id` (gettid)
    pub native_thread_id: u32,
    /// `datastack_chunk`; `datastack_top` follows it and `datastack_limit` that.
    pub datastack_chunk: u32,
}

/// `_PyInterpreterFrame`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLayout {
    /// `f_code` / `f_executable`
    pub executable: u32,
    /// `previous`
    pub previous: u32,
    /// `f_globals`
    pub globals: u32,
    /// `f_builtins`
    pub builtins: u32,
    /// `prev_instr` / `instr_ptr`
    pub instruction: u32,
    /// `owner`, a signed byte
    pub owner: u32,
    /// Size of the fixed part.
    pub size: u32,
    /// First owner value that is not a Python frame (entry frames); 3 from 3.12 on. 3.11 has none: 3 is invalid there.
    pub entry_owner: Option<u8>,
    /// Bit 0 of `executable` is a tag (3.14+), and NULL is spelled 1.
    pub tagged: bool,
    /// What ends a whole chain.
    pub outermost: Outermost,
}

impl FrameLayout {
    /// Takes the tag off `executable`.
    #[must_use]
    pub const fn untag(&self) -> u64 {
        if self.tagged { !1 } else { !0 }
    }
}

/// `PyCodeObject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLayout {
    /// `ob_type`
    pub ob_type: u32,
    /// `ob_size`, in code units of 2 bytes
    pub units: u32,
    /// `co_firstlineno`
    pub firstlineno: u32,
    /// `co_filename`
    pub filename: u32,
    /// `co_name`
    pub name: u32,
    /// `co_qualname`
    pub qualname: u32,
    /// `co_version`, 3.12+
    pub version: Option<u32>,
    /// `co_linetable`
    pub linetable: u32,
    /// `_co_monitoring`, 3.12+
    pub monitoring: Option<u32>,
    /// `lines` in `_PyCoMonitoringData`
    pub monitoring_lines: u32,
    /// `_co_firsttraceable`, in code units
    pub firsttraceable: u32,
    /// `co_code_adaptive`: the bytecode
    pub adaptive: u32,
    /// Size of the fixed part.
    pub size: u32,
}

/// `PyBytesObject` and `PyUnicodeObject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLayout {
    /// `PyBytesObject.ob_size`
    pub bytes_size: u32,
    /// `PyBytesObject.ob_sval`
    pub bytes_data: u32,
    /// `PyASCIIObject.length`
    pub length: u32,
    /// `PyASCIIObject.state`
    pub state: u32,
    /// Size of `PyASCIIObject`: where compact ASCII data begins.
    pub ascii_data: u32,
    /// Size of `PyCompactUnicodeObject`: where other compact data, or the data pointer of a non-compact string, is.
    pub compact_data: u32,
}

/// `_PyStackChunk`, the same in every version.
pub mod chunk {
    /// `previous`
    pub const PREVIOUS: u32 = 0;
    /// `size`, bytes
    pub const SIZE: u32 = 8;
    /// `top`, slots of 8 bytes; valid only for chunks that are not the current one
    pub const TOP: u32 = 16;
    /// `data`
    pub const DATA: u32 = 24;
}

/// The offsets of one CPython build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The version the offsets are for.
    pub version: Version,
    /// Runtime and interpreter state.
    pub runtime: RuntimeLayout,
    /// Thread state.
    pub thread: ThreadLayout,
    /// Interpreter frame.
    pub frame: FrameLayout,
    /// Code object.
    pub code: CodeLayout,
    /// Strings and bytes.
    pub text: TextLayout,
}

impl Layout {
    /// The constants of a version; for 3.13 and later what [`Layout::read`] validates the interpreter's own table with.
    ///
    /// # Errors
    /// The version is not 3.11 to 3.15.
    pub const fn constants(version: Version) -> Result<Layout, LayoutError> {
        let mut layout = match version.triple() {
            (3, 11, _) => py3_11::LAYOUT,
            (3, 12, _) => py3_12::LAYOUT,
            (3, 13, _) => py3_13::LAYOUT,
            (3, 14, _) => py3_14::LAYOUT,
            (3, 15, _) => py3_15::LAYOUT,
            _ => return Err(LayoutError::UnsupportedVersion(version)),
        };
        layout.version = version;
        Ok(layout)
    }

    /// The layout of the interpreter whose `Py_Version` and `_PyRuntime` (with its `st_size`) are given.
    ///
    /// # Errors
    /// The version is not supported, the build is free-threaded, or its debug offsets disagree with the version.
    pub fn read<R: Reader>(
        reader: &R,
        version: Version,
        runtime: Addr,
        runtime_size: u64,
    ) -> Result<Layout, LayoutError> {
        let constants = Layout::constants(version)?;
        if version.triple().1 < 13 {
            return Ok(constants);
        }
        debug_offsets::overlay(reader, constants, runtime, runtime_size)
    }
}

//! `_Py_DebugOffsets` (CPython `Include/internal/pycore_debug_offsets.h`, 3.13+): an array of 8-byte words whose order
//! each minor version fixes.
//!
//! Untrusted input: it is a table in memory that a fuzzer, a debugger or a future release may have changed. A value is
//! taken only when it lies inside its structure and is aligned for its type; sizes of frames and code objects, which
//! the constants that the table lacks depend on, must be exactly the checked ones.

use super::{Head, Layout, LayoutError, Outermost, Version};
use crate::addr::Addr;
use crate::reader::Reader;

/// Word index of what is taken, per minor version. `NONE` where the version's table has no such word.
struct Words {
    runtime_size: u32,
    interpreters_head: u32,
    interp_size: u32,
    interp_next: u32,
    threads_head: u32,
    generation: u32,
    thread_size: u32,
    current_frame: u32,
    base_frame: u32,
    thread_id: u32,
    native_thread_id: u32,
    datastack_chunk: u32,
    frame_size: u32,
    previous: u32,
    executable: u32,
    instr_ptr: u32,
    owner: u32,
    code_size: u32,
    filename: u32,
    name: u32,
    qualname: u32,
    linetable: u32,
    firstlineno: u32,
    adaptive: u32,
    ob_type: u32,
    bytes_size: u32,
    bytes_data: u32,
    state: u32,
    length: u32,
    ascii_data: u32,
}

const NONE: u32 = u32::MAX;

#[rustfmt::skip]
const WORDS_3_13: Words = Words {
    runtime_size: 3, interpreters_head: 5, interp_size: 6, interp_next: 8, threads_head: 9, generation: NONE,
    thread_size: 19, current_frame: 23, base_frame: NONE, thread_id: 24, native_thread_id: 25, datastack_chunk: 26,
    frame_size: 28, previous: 29, executable: 30, instr_ptr: 31, owner: 33,
    code_size: 34, filename: 35, name: 36, qualname: 37, linetable: 38, firstlineno: 39, adaptive: 43, ob_type: 45,
    bytes_size: 65, bytes_data: 66, state: 68, length: 69, ascii_data: 70,
};
#[rustfmt::skip]
const WORDS_3_14: Words = Words {
    runtime_size: 3, interpreters_head: 5, interp_size: 6, interp_next: 8, threads_head: 9, generation: 20,
    thread_size: 22, current_frame: 26, base_frame: NONE, thread_id: 27, native_thread_id: 28, datastack_chunk: 29,
    frame_size: 31, previous: 32, executable: 33, instr_ptr: 34, owner: 36,
    code_size: 39, filename: 40, name: 41, qualname: 42, linetable: 43, firstlineno: 44, adaptive: 48, ob_type: 51,
    bytes_size: 75, bytes_data: 76, state: 78, length: 79, ascii_data: 80,
};
#[rustfmt::skip]
const WORDS_3_15: Words = Words {
    runtime_size: 3, interpreters_head: 5, interp_size: 6, interp_next: 8, threads_head: 9, generation: 20,
    thread_size: 22, current_frame: 26, base_frame: 27, thread_id: 30, native_thread_id: 31, datastack_chunk: 32,
    frame_size: 39, previous: 40, executable: 41, instr_ptr: 42, owner: 44,
    code_size: 47, filename: 48, name: 49, qualname: 50, linetable: 51, firstlineno: 52, adaptive: 56, ob_type: 59,
    bytes_size: 87, bytes_data: 88, state: 90, length: 91, ascii_data: 92,
};

/// Bounds that no structure of CPython has come near: the largest is the interpreter state of 3.12, 384 KiB.
const STATE_MAX: u64 = 1 << 20;

/// `constants` with what the table of the interpreter says.
pub(super) fn overlay<R: Reader>(
    reader: &R,
    constants: Layout,
    runtime: Addr,
    runtime_size: u64,
) -> Result<Layout, LayoutError> {
    let words = match constants.version.triple().1 {
        13 => WORDS_3_13,
        14 => WORDS_3_14,
        15 => WORDS_3_15,
        _ => return Err(LayoutError::UnsupportedVersion(constants.version)),
    };
    let word = |index: u32| {
        reader
            .u64(runtime.plus(index * 8))
            .map_err(|_| LayoutError::Unreadable("the debug offsets at the start of _PyRuntime"))
    };
    let cookie = word(0)?;
    if cookie != u64::from_le_bytes(*b"xdebugpy") {
        return Err(LayoutError::NoCookie(cookie));
    }
    let table = Version::from_hex(word(1)?);
    if table != constants.version {
        return Err(LayoutError::VersionMismatch { py_version: constants.version, table });
    }
    if word(2)? != 0 {
        return Err(LayoutError::FreeThreaded(constants.version));
    }

    let exactly = |field, index, expected: u64| match word(index)? {
        found if found == expected => Ok(()),
        found => Err(LayoutError::Mismatch { field, expected, found }),
    };
    // A field of `size` bytes inside a structure of `within`.
    let offset = |field, index, within: u64, size: u64| match word(index)? {
        found if found % size == 0 && found.checked_add(size).is_some_and(|end| end <= within) => {
            Ok(found as u32)
        }
        found => Err(LayoutError::Mismatch { field, expected: within.saturating_sub(size), found }),
    };
    let structure = |field, index| match word(index)? {
        size if size % 8 == 0 && size > 0 && size <= STATE_MAX => Ok(size),
        found => Err(LayoutError::Mismatch { field, expected: STATE_MAX, found }),
    };

    let mut layout = constants;
    exactly("runtime_state.size", words.runtime_size, runtime_size)?;
    exactly("interpreter_frame.size", words.frame_size, u64::from(constants.frame.size))?;
    exactly("code_object.size", words.code_size, u64::from(constants.code.size))?;
    let interp_size = structure("interpreter_state.size", words.interp_size)?;
    let thread_size = structure("thread_state.size", words.thread_size)?;

    let pointer = |field, index, within| offset(field, index, within, 8);
    let r = &mut layout.runtime;
    r.interpreters_head = pointer("runtime_state.interpreters_head", words.interpreters_head, runtime_size)?;
    r.interp_next = pointer("interpreter_state.next", words.interp_next, interp_size)?;
    r.threads_head = pointer("interpreter_state.threads_head", words.threads_head, interp_size)?;
    if words.generation != NONE {
        r.code_object_generation =
            Some(pointer("interpreter_state.code_object_generation", words.generation, interp_size)?);
    }

    let t = &mut layout.thread;
    t.head = Head::Direct {
        current_frame: pointer("thread_state.current_frame", words.current_frame, thread_size)?,
    };
    t.thread_id = pointer("thread_state.thread_id", words.thread_id, thread_size)?;
    t.native_thread_id = pointer("thread_state.native_thread_id", words.native_thread_id, thread_size)?;
    // datastack_top and datastack_limit follow the chunk pointer.
    t.datastack_chunk = pointer(
        "thread_state.datastack_chunk",
        words.datastack_chunk,
        thread_size.saturating_sub(16).max(8),
    )?;

    let frame_size = u64::from(constants.frame.size);
    let f = &mut layout.frame;
    f.previous = pointer("interpreter_frame.previous", words.previous, frame_size)?;
    f.executable = pointer("interpreter_frame.executable", words.executable, frame_size)?;
    f.instruction = pointer("interpreter_frame.instr_ptr", words.instr_ptr, frame_size)?;
    f.owner = offset("interpreter_frame.owner", words.owner, frame_size, 1)?;
    if words.base_frame != NONE {
        f.outermost =
            Outermost::BaseFrame(pointer("thread_state.base_frame", words.base_frame, thread_size)?);
    }

    let code_size = u64::from(constants.code.size);
    let c = &mut layout.code;
    c.filename = pointer("code_object.filename", words.filename, code_size)?;
    c.name = pointer("code_object.name", words.name, code_size)?;
    c.qualname = pointer("code_object.qualname", words.qualname, code_size)?;
    c.linetable = pointer("code_object.linetable", words.linetable, code_size)?;
    c.firstlineno = offset("code_object.firstlineno", words.firstlineno, code_size, 4)?;
    c.adaptive = pointer("code_object.co_code_adaptive", words.adaptive, code_size)?;
    c.ob_type = pointer("pyobject.ob_type", words.ob_type, 16)?;

    let x = &mut layout.text;
    x.bytes_size = pointer("bytes_object.ob_size", words.bytes_size, 40)?;
    x.bytes_data = offset("bytes_object.ob_sval", words.bytes_data, 40, 1)?;
    x.state = offset("unicode_object.state", words.state, 64, 4)?;
    x.length = pointer("unicode_object.length", words.length, 64)?;
    x.ascii_data = pointer("unicode_object.asciiobject_size", words.ascii_data, 64)?;
    Ok(layout)
}

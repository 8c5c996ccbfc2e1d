//! CPython's own checks, exactly: each function below makes the loads and tests of its C original in the original's
//! order, and no others.
//!
//! Read in the headers of 3.15.0 and the source of 3.13.15 (`Include/internal/pycore_interpframe.h`, `pycore_pymem.h`,
//! `Objects/codeobject.c`), and held to the C itself, bit by bit over changed memory (`stress mutate`, walker
//! `cpython-c`); introduced by gh-140815 in 3.13.10, 3.14.1 and 3.15.0a2. Earlier versions have the pattern
//! test only, with fewer patterns ([`Era`]); for them these functions answer "what if the helpers were there".
//!
//! # Signal safety
//!
//! Loads through the reader and nothing else; no state is kept between calls.

use crate::addr::Addr;
use crate::checks::{Check, Checks, Every};
use crate::frame::NO_LINE;
use crate::interpreter::Interpreter;
use crate::layout::Version;
use crate::line_table::line_at_as_cpython;
use crate::reader::Reader;
use crate::walk::{At, Site, Stop};

/// Which values `_PyMem_IsPtrFreed` takes for a freed pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Up to 3.13.9 and 3.14.0: 0 and the fills of the debug hooks.
    BeforeGh140815,
    /// From 3.13.10, 3.14.1 and 3.15: also the lowest and the highest 256 values.
    SinceGh140815,
}

impl Era {
    /// The era of a version.
    #[must_use]
    pub const fn of(version: Version) -> Era {
        match version.triple() {
            (3, minor, micro)
                if minor >= 15 || (minor == 14 && micro >= 1) || (minor == 13 && micro >= 10) =>
            {
                Era::SinceGh140815
            }
            _ => Era::BeforeGh140815,
        }
    }

    /// How records name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Era::BeforeGh140815 => "before gh-140815",
            Era::SinceGh140815 => "after gh-140815",
        }
    }
}

/// `_PyMem_IsPtrFreed`: a test of the pointer's value. It never looks at what it points to.
#[inline(always)]
#[must_use]
pub const fn is_ptr_freed(era: Era, value: u64) -> bool {
    const CLEAN: u64 = 0xcdcd_cdcd_cdcd_cdcd;
    const DEAD: u64 = 0xdddd_dddd_dddd_dddd;
    const FORBIDDEN: u64 = 0xfdfd_fdfd_fdfd_fdfd;
    let filled = matches!(value, CLEAN | DEAD | FORBIDDEN);
    match era {
        Era::BeforeGh140815 => value == 0 || filled,
        Era::SinceGh140815 => value <= 0xff || filled || value >= u64::MAX - 0xff,
    }
}

/// `_PyFrame_SafeGetCode`: the code object, or `None` where C returns NULL.
///
/// The first dereference of an unproven pointer is the load of `ob_type`: nothing tests alignment, mapping or refcount.
///
/// # Errors
/// A load that the reader could not make, with its site: with raw loads, the place of the crash.
#[inline]
pub fn safe_get_code<R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    frame: Addr,
) -> Result<Option<Addr>, Stop> {
    safe_get_code_by(Every, reader, interpreter, frame)
}

/// [`safe_get_code`] with some of its checks. Without any, it is `_PyFrame_GetCode`.
///
/// # Errors
/// As [`safe_get_code`].
#[inline]
pub fn safe_get_code_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    interpreter: &Interpreter,
    frame: Addr,
) -> Result<Option<Addr>, Stop> {
    let (layout, era) = (&interpreter.layout.frame, era(checks, interpreter));
    // "may be NULL on a legit frame, but unlikely": rejects __init__ shims of debug builds.
    if checks.has(Check::GlobalsNull) && reader.u64(frame.plus(layout.globals)).at(Site::FrameGlobals)? == 0 {
        return Ok(None);
    }
    if checks.has(Check::BuiltinsNull)
        && reader.u64(frame.plus(layout.builtins)).at(Site::FrameBuiltins)? == 0
    {
        return Ok(None);
    }
    let mut bits = reader.u64(frame.plus(layout.executable)).at(Site::FrameExecutable)?;
    if layout.tagged {
        // PyStackRef_IsNull: NULL is spelled 1.
        if checks.has(Check::ExecutableNull) && bits == 1 {
            return Ok(None);
        }
        // On the tagged word.
        if checks.has(Check::ExecutableFreed) && is_ptr_freed(era, bits) {
            return Ok(None);
        }
        bits &= !1;
    }
    // _PyObject_IsFreed
    if checks.has(Check::ExecutableFreed) && is_ptr_freed(era, bits) {
        return Ok(None);
    }
    let object = Addr::new(bits);
    if !checks.has(Check::TypeFreed) && !checks.has(Check::CodeType) {
        return Ok(Some(object));
    }
    let object_type = reader.addr(object.plus(interpreter.layout.code.ob_type)).at(Site::CodeType)?;
    if checks.has(Check::TypeFreed) && is_ptr_freed(era, object_type.get()) {
        return Ok(None);
    }
    // PyCode_Check
    Ok((!checks.has(Check::CodeType) || object_type == interpreter.code_type).then_some(object))
}

/// The patterns that are looked for.
#[inline(always)]
pub(crate) fn era<C: Checks>(checks: C, interpreter: &Interpreter) -> Era {
    if checks.has(Check::WidePatterns) { interpreter.era } else { Era::BeforeGh140815 }
}

/// `_PyFrame_SafeGetLasti`: byte offset of the instruction, −1 where the code is not believed.
///
/// The 32-bit truncation is CPython's: an instruction pointer that is off by a multiple of 4 GiB yields a
/// valid-looking offset. So is the odd offset of an odd instruction pointer: C subtracts pointers to code units of two
/// bytes and multiplies by two again, the compiler may take them for aligned, and GCC (Debian's builds of 3.13 to 3.15,
/// and ours of their headers) leaves one 32-bit subtraction of bytes.
///
/// # Errors
/// As [`safe_get_code`], which it calls: a *second* reading of the same fields.
#[inline]
pub fn safe_get_lasti<R: Reader>(reader: &R, interpreter: &Interpreter, frame: Addr) -> Result<i32, Stop> {
    safe_get_lasti_by(Every, reader, interpreter, frame)
}

/// [`safe_get_lasti`] with some of the checks of its look at the code.
///
/// # Errors
/// As [`safe_get_lasti`].
#[inline]
pub fn safe_get_lasti_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    interpreter: &Interpreter,
    frame: Addr,
) -> Result<i32, Stop> {
    match safe_get_code_by(checks, reader, interpreter, frame)? {
        Some(code) => lasti_in(reader, interpreter, frame, code),
        None => Ok(-1),
    }
}

/// The offset in code that is believed.
#[inline]
pub(crate) fn lasti_in<R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    frame: Addr,
    code: Addr,
) -> Result<i32, Stop> {
    let layout = &interpreter.layout;
    let instruction = reader.addr(frame.plus(layout.frame.instruction)).at(Site::FrameInstruction)?;
    // (int)(instr_ptr - bytecode) * sizeof(_Py_CODEUNIT)
    Ok(instruction.minus(code.plus(layout.code.adaptive)) as i32)
}

/// `_PyCode_SafeAddr2Line`.
///
/// With line monitoring active (`sys.monitoring`, `settrace`) C asks the monitoring data *before* it tests the range of
/// `lasti`, with an index that only an `assert` bounds: a wild `lasti` reads whatever is there, and its bytes become the line. Modelled
/// from 3.13, exactly; on 3.12, whose entries are others and which has no such helper, only the load is made.
///
/// # Errors
/// A load that the reader could not make, with its site.
#[inline]
pub fn safe_addr2line<R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    code: Addr,
    lasti: i32,
) -> Result<i32, Stop> {
    safe_addr2line_by(Every, reader, interpreter, code, lasti)
}

/// [`safe_addr2line`] with or without its check.
///
/// # Errors
/// As [`safe_addr2line`].
#[inline]
pub fn safe_addr2line_by<C: Checks, R: Reader>(
    checks: C,
    reader: &R,
    interpreter: &Interpreter,
    code: Addr,
    lasti: i32,
) -> Result<i32, Stop> {
    let layout = &interpreter.layout.code;
    let first = |site| Ok(reader.u32(code.plus(layout.firstlineno)).at(site)? as i32);
    if lasti < 0 {
        return first(Site::CodeFirstlineno);
    }
    let mut monitored = false;
    if let Some(offset) = layout.monitoring {
        let data = reader.addr(code.plus(offset)).at(Site::CodeMonitoring)?;
        if !data.is_null() {
            let lines = reader.addr(data.plus(layout.monitoring_lines)).at(Site::Monitoring)?;
            if !lines.is_null() {
                if interpreter.layout.version.triple().1 >= 13 {
                    return Ok(match instrumented_line(reader, lines, lasti)? {
                        None => NO_LINE,
                        Some(delta) => first(Site::CodeFirstlineno)?.wrapping_add(delta),
                    });
                }
                // 3.12: an array of {opcode, line_delta}. No 3.12 has the helper, so nothing can be compared: the
                // load is modelled, and the line is the table's.
                reader.u8(lines.plus(lasti as u32 + 1)).at(Site::Monitoring)?;
                monitored = true;
            }
        }
    }
    if checks.has(Check::LastiRange) {
        let units = reader.u64(code.plus(layout.units)).at(Site::CodeUnits)?;
        if !monitored && i64::from(lasti) >= (units as i64).wrapping_mul(2) {
            return Ok(NO_LINE);
        }
    }
    let table = reader.addr(code.plus(layout.linetable)).at(Site::CodeLinetable)?;
    let text = &interpreter.layout.text;
    let len = reader.u64(table.plus(text.bytes_size)).at(Site::LinetableSize)?;
    let first = first(Site::CodeFirstlineno)?;
    line_at_as_cpython(reader, table.plus(text.bytes_data), len, first, lasti).at(Site::Linetable)
}

/// `_Py_Instrumentation_GetLine` from 3.13: the distance from the first line, `None` for no line. `lines` is a byte with the
/// width of an entry, then one entry a code unit: an opcode and the distance plus 2, least significant byte first. Nothing
/// is tested: a wild `lasti` reads whatever is there, and a width of 0 or 1 still has a byte of distance.
fn instrumented_line<R: Reader>(reader: &R, lines: Addr, lasti: i32) -> Result<Option<i32>, Stop> {
    let width = reader.u8(lines).at(Site::Monitoring)?;
    // An int in C, and wrapping with -fwrapv.
    let index = (lasti / 2).wrapping_mul(i32::from(width)).wrapping_add(1);
    let entry = Addr::new(lines.get().wrapping_add(1).wrapping_add_signed(i64::from(index)));
    let mut value = u32::from(reader.u8(entry).at(Site::Monitoring)?);
    for more in 1..u32::from(width).saturating_sub(1) {
        let byte = reader.u8(entry.plus(more)).at(Site::Monitoring)?;
        // C shifts an unsigned int: past 31 bits x86 takes the count modulo 32.
        value |= u32::from(byte).wrapping_shl(more * 8);
    }
    Ok((value != 0).then(|| (value as i32).wrapping_sub(2)))
}

/// Whether the owner is an entry frame's, as CPython asks: 3.12 and 3.13 `== FRAME_OWNED_BY_CSTACK`, from 3.14
/// `>= FRAME_OWNED_BY_INTERPRETER`.
#[inline(always)]
pub(crate) fn is_entry(interpreter: &Interpreter, owner: u8) -> bool {
    match interpreter.layout.frame.entry_owner {
        None => false,
        Some(entry) if interpreter.layout.version.triple().1 < 14 => owner == entry,
        // `char owner`, compared as a signed value: 0x80 and above are below every owner.
        Some(entry) => owner as i8 >= entry as i8,
    }
}

/// `_PyFrame_IsIncomplete`: an entry frame, or a Python frame before its RESUME.
///
/// Unguarded: `_PyFrame_GetCode` behind it has only an `assert`, so a stale `executable` is dereferenced *before*
/// GetCodeSafe ever runs.
///
/// # Errors
/// A load that the reader could not make, with its site.
#[inline]
pub fn is_incomplete<R: Reader>(reader: &R, interpreter: &Interpreter, frame: Addr) -> Result<bool, Stop> {
    const GENERATOR: u8 = 1;
    let layout = &interpreter.layout;
    let owner = reader.u8(frame.plus(layout.frame.owner)).at(Site::FrameOwner)?;
    if is_entry(interpreter, owner) {
        return Ok(true);
    }
    if owner == GENERATOR {
        return Ok(false);
    }
    let mut code = reader.addr(frame.plus(layout.frame.executable)).at(Site::FrameExecutable)?;
    if layout.frame.tagged {
        code = Addr::new(code.get() & !1);
    }
    let instruction = reader.addr(frame.plus(layout.frame.instruction)).at(Site::FrameInstruction)?;
    let firsttraceable =
        reader.u32(code.plus(layout.code.firsttraceable)).at(Site::CodeFirsttraceable)? as i32;
    let resume = code.plus(layout.code.adaptive).get().wrapping_add_signed(i64::from(firsttraceable) * 2);
    Ok(instruction.get() < resume)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_either_era() {
        use Era::{BeforeGh140815 as Before, SinceGh140815 as Since};
        for filled in [0, 0xcdcd_cdcd_cdcd_cdcd, 0xdddd_dddd_dddd_dddd, 0xfdfd_fdfd_fdfd_fdfd] {
            assert!(is_ptr_freed(Before, filled) && is_ptr_freed(Since, filled), "{filled:#x}");
        }
        for edge in [1, 0xff, u64::MAX, u64::MAX - 0xff] {
            assert!(!is_ptr_freed(Before, edge) && is_ptr_freed(Since, edge), "{edge:#x}");
        }
        // The fills of mimalloc's debug mode are in neither list; nor is anything a release build leaves behind.
        for other in [0x100, 0xd0d0_d0d0_d0d0_d0d0, 0xdfdf_dfdf_dfdf_dfdf, 0x7f00_0000_1000, u64::MAX - 0x100]
        {
            assert!(!is_ptr_freed(Before, other) && !is_ptr_freed(Since, other), "{other:#x}");
        }
    }

    #[test]
    fn era_by_version() {
        let era = |hex| Era::of(Version::from_hex(hex));
        for before in [0x030b_07f0, 0x030c_01f0, 0x030d_05f0, 0x030d_09f0, 0x030e_00f0] {
            assert_eq!(era(before), Era::BeforeGh140815, "{before:#x}");
        }
        for since in [0x030d_0af0, 0x030d_0ff0, 0x030e_01f0, 0x030f_00f0] {
            assert_eq!(era(since), Era::SinceGh140815, "{since:#x}");
        }
    }
}

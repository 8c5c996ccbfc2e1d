//! The location table of a code object (`co_linetable`), 3.11 to 3.15: bytecode offset → line.
//!
//! State: line = `co_firstlineno`, offset = 0. Each entry is a header byte with bit 7 set (bits 3–6: kind; bits 0–2:
//! length − 1 in code units of 2 bytes) and a payload of bytes with bit 7 clear:
//!
//! | kind | payload | line delta |
//! |---|---|---|
//! | 0–9 | 1 byte | 0 |
//! | 10–12 | 2 bytes | kind − 10 |
//! | 13 | svarint | the svarint |
//! | 14 | svarint, 3 varints | the svarint |
//! | 15 | none | 0, and the range has no line |
//!
//! A varint has 6-bit groups, least significant first, bit 6 = another group follows; a svarint is `u >> 1`, negated
//! when `u & 1`. Source: CPython `Objects/locations.md` (3.11: `Objects/locations.md`), `Objects/codeobject.c`.

//!
//! Three decoders: for AVX2, for every x86-64 (SSE2), and, as what these are tested against, a scalar one.

mod avx2;
mod entries;
#[cfg(test)]
mod equality;
#[cfg(test)]
mod scalar;
mod sse2;

use crate::addr::Addr;
use crate::cpu::Avx2;
use crate::reader::{Fault, Reader};

/// What the table says of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line number.
    Number(i32),
    /// The range is marked as having no line (CPython reports −1).
    None,
}

impl Line {
    /// The number, or CPython's −1.
    #[must_use]
    pub fn or_minus_one(self) -> i32 {
        match self {
            Line::Number(line) => line,
            Line::None => crate::frame::NO_LINE,
        }
    }
}

/// Why no line was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The table could not be read.
    Fault(Fault),
    /// An entry does not begin with a header byte, or a varint does not end, or leaves 32 bits.
    Malformed,
    /// The table ends before the offset.
    PastEnd,
    /// The table claims more than 1 MiB: no compiler makes that.
    TooLong,
}

impl From<Fault> for LineError {
    fn from(fault: Fault) -> Self {
        LineError::Fault(fault)
    }
}

/// Which vectorised decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// For every x86-64.
    Sse2,
    /// Where there is AVX2.
    Avx2(Avx2),
}

impl Decoder {
    /// What [`line_at`] uses.
    ///
    /// # Signal safety
    /// As [`Avx2::detect`].
    #[inline(always)]
    #[must_use]
    pub fn best() -> Decoder {
        Avx2::detect().map_or(Decoder::Sse2, Decoder::Avx2)
    }
}

/// Longest table that is looked at, bytes. The largest in the standard library is under 64 KiB.
pub const MAX_TABLE: u64 = 1 << 20;

/// Loads that a lookup in a table of `len` bytes can make, at the most, whatever the bytes are; a load of 32 bytes counts as four.
#[must_use]
pub const fn most_loads(len: u32) -> u32 {
    // A vector's bytes are loaded by its group, by itself and, all of them svarints, one after another; the groups and vectors
    // overlap by 1/15: 1.3 a byte and a few. The equality test has seen 8 and 0.78 a byte.
    2 * len + 8
}

/// Longest entry that a compiler makes: a header, an svarint and three varints of 32 bits. CPython skips any number of payload
/// bytes, so that a table made by hand (`code.replace`) and padded beyond this on average ends too early here.
const MAX_ENTRY: u64 = 1 + 4 * 6;

/// Bytes of a table of `len` that a lookup of `lasti` can need: each entry is for at least one code unit. A length that was
/// damaged, or a table that is none, costs no more time than that.
#[must_use]
pub const fn needed(len: u64, lasti: i32) -> u32 {
    let entries = if lasti > 0 { lasti as u64 / 2 + 1 } else { 1 };
    let most = if len < MAX_TABLE { len } else { MAX_TABLE };
    if entries * MAX_ENTRY < most { (entries * MAX_ENTRY) as u32 } else { most as u32 }
}

/// The line of byte offset `lasti` in the table of `len` bytes at `data`, for a code object that begins at line `first`.
/// Total over any bytes: it ends after at most `lasti / 2 + 1` entries, never reads outside the first [`needed`] bytes of the
/// table, which then ends there, and makes at most [`most_loads`] loads.
///
/// # Errors
/// See [`LineError`].
///
/// # Signal safety
/// Loads through `reader` and vector registers; no buffer, no table.
///
/// ```
/// use sigwalk::addr::Addr;
/// use sigwalk::line_table::{Line, LineError, line_at};
/// use sigwalk::reader::{ImageReader, Region};
///
/// // One code unit of the first line, then, by a long form with the svarint 2 >> 1, three of the next line.
/// let table = [0b1_0000_000, 0, 0b1_1101_010, 2];
/// let regions = [Region { start: 0x1000, bytes: &table }];
/// let line = |lasti| line_at(&ImageReader::new(&regions), Addr::new(0x1000), 4, 7, lasti);
/// assert_eq!(line(0), Ok(Line::Number(7)));
/// assert_eq!(line(6), Ok(Line::Number(8)));
/// assert_eq!(line(8), Err(LineError::PastEnd));
/// ```
pub fn line_at<R: Reader>(
    reader: &R,
    data: Addr,
    len: u64,
    first: i32,
    lasti: i32,
) -> Result<Line, LineError> {
    line_at_by(Decoder::best(), reader, data, len, first, lasti)
}

/// [`line_at`] with a decoder that the caller names.
///
/// # Errors
/// See [`LineError`].
///
/// # Signal safety
/// As [`line_at`].
#[inline(always)]
pub fn line_at_by<R: Reader>(
    decoder: Decoder,
    reader: &R,
    data: Addr,
    len: u64,
    first: i32,
    lasti: i32,
) -> Result<Line, LineError> {
    if len > MAX_TABLE {
        return Err(LineError::TooLong);
    }
    let len = needed(len, lasti);
    match decoder {
        Decoder::Avx2(avx2) => avx2::line_at(reader, avx2, data, len, first, lasti),
        Decoder::Sse2 => sse2::line_at(reader, data, len, first, lasti),
    }
}

/// As [`line_at`], with the bounds of CPython's own scan and no others: the end of the table is tested between entries
/// only, and an endless varint is followed wherever it leads. What `pr-b1` does.
///
/// # Signal safety
///
/// Loads through `reader` and nothing else; over damaged bytes as many as the reader allows.
///
/// # Errors
/// Only the reader's: CPython's scan has no other.
pub fn line_at_as_cpython<R: Reader>(
    reader: &R,
    data: Addr,
    len: u64,
    first: i32,
    lasti: i32,
) -> Result<i32, Fault> {
    let at = |index: u64| reader.u8(Addr::new(data.get().wrapping_add(index)));
    // PyCodeAddressRange after _PyLineTable_InitAddressRange: ar_end = 0, lo_next = table.
    let (mut next, mut line, mut end) = (0_u64, first, 0_i32);
    // ar_end and lo_next as in _PyCode_CheckLineNumber and advance(): `lo_next >= limit` is the only bound. Pointers are
    // compared, so that a negative size is an empty table where its end wraps or lies before the table, and nearly endless
    // where it lies behind, in the upper half.
    let limit = data.get().wrapping_add(len);
    let is_inside = |index: u64| data.get().wrapping_add(index) < limit;
    while is_inside(next) {
        let header = at(next)?;
        let kind = (header >> 3) & 15;
        let delta = match kind {
            10..=12 => i32::from(kind) - 10,
            13 | 14 => svarint(unbounded_varint(|group| at(next + 1 + group))?),
            _ => 0,
        };
        line = line.wrapping_add(delta);
        end = end.wrapping_add((i32::from(header & 7) + 1) * 2);
        if end > lasti {
            // `(*ptr >> 3) == 0x1f`: with bit 7, which only a damaged table lacks.
            return Ok(if header >> 3 == 0x1f { crate::frame::NO_LINE } else { line });
        }
        loop {
            next += 1;
            if !is_inside(next) || at(next)? & 0x80 != 0 {
                break;
            }
        }
    }
    Ok(crate::frame::NO_LINE)
}

fn unbounded_varint(mut group: impl FnMut(u64) -> Result<u8, Fault>) -> Result<u32, Fault> {
    let (mut value, mut shift, mut index) = (0_u32, 0_u32, 0);
    loop {
        let byte = group(index)?;
        // C shifts an unsigned int: past 31 bits x86 takes the count modulo 32.
        value |= u32::from(byte & 63).wrapping_shl(shift);
        if byte & 64 == 0 {
            return Ok(value);
        }
        shift = shift.wrapping_add(6);
        index += 1;
    }
}

fn svarint(value: u32) -> i32 {
    let half = (value >> 1) as i32;
    if value & 1 == 1 { -half } else { half }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{ImageReader, Region};

    const AT: u64 = 0x1000;

    fn both(table: &[u8], first: i32, lasti: i32) -> (Result<Line, LineError>, Result<i32, Fault>) {
        let regions = [Region { start: AT, bytes: table }];
        let image = ImageReader::new(&regions);
        let (data, len) = (Addr::new(AT), table.len() as u64);
        (line_at(&image, data, len, first, lasti), line_at_as_cpython(&image, data, len, first, lasti))
    }

    /// Compiled by CPython 3.13.0 from `def f(x):\n    y = (x +\n         1)\n    return [\n      y]` at line 1.
    const REAL: &[u8] =
        &[0x80, 0x00, 0xd8, 0x09, 0x0a, 0xd8, 0x0a, 0x0b, 0xf1, 0x03, 0x01, 0x0a, 0x0c, 0x80, 0x41];

    #[test]
    fn every_kind_of_entry() {
        // kind 0, 11, 12, 13 (-2), 14 (+40), 15, 10; two units each.
        let table = [
            0x81, 5, //
            0xd9, 1, 2, //
            0xe1, 1, 2, //
            0xe9, 0x05, //
            0xf1, 0x50, 0x01, 0, 1, 2,    //
            0xf9, //
            0xd1, 1, 2,
        ];
        let lines = [100, 101, 103, 101, 141, -1, 141];
        for (entry, line) in lines.into_iter().enumerate() {
            for lasti in [entry as i32 * 4, entry as i32 * 4 + 2] {
                let (ours, cpython) = both(&table, 100, lasti);
                assert_eq!(ours.map(Line::or_minus_one), Ok(line), "lasti {lasti}");
                assert_eq!(cpython, Ok(line), "lasti {lasti}");
            }
        }
        assert_eq!(both(&table, 100, 28), (Err(LineError::PastEnd), Ok(-1)));
    }

    #[test]
    fn damage_is_an_error_of_the_strict_decoder() {
        // No header bit; a varint cut by the end; a varint of seven groups; a varint cut by a header.
        for table in [
            &[0x01, 0x02][..],
            &[0xe8, 0x45],
            &[0xe8, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x01],
            &[0xe8, 0x41, 0x80, 0],
        ] {
            assert_eq!(both(table, 1, 0).0, Err(LineError::Malformed), "{table:x?}");
        }
        let long = both(REAL, i32::MAX, 10).0;
        assert!(matches!(long, Err(LineError::Malformed)), "{long:?}");
    }

    #[test]
    fn cpython_follows_an_endless_varint_out_of_the_table() {
        let (_, cpython) = both(&[0xe8, 0x41, 0x41], 1, 0);
        assert_eq!(cpython.unwrap_err().at, Addr::new(AT + 3));
    }

    #[test]
    fn longer_than_the_window() {
        let mut table = Vec::new();
        for _ in 0..1000 {
            table.extend([0xd8, 1, 2]);
        }
        for lasti in [0, 62, 64, 66, 998, 1998] {
            let expected = 7 + lasti / 2 + 1;
            let (ours, cpython) = both(&table, 7, lasti);
            assert_eq!((ours, cpython), (Ok(Line::Number(expected)), Ok(expected)), "lasti {lasti}");
        }
    }
}

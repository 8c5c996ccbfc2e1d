//! Bounded copies of Python strings out of foreign memory: as UTF-8, or as whatever an [`Encoding`] makes of them.

use crate::addr::Addr;
use crate::interpreter::Interpreter;
use crate::reader::{Fault, Reader};

/// Why a string was not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// It could not be read.
    Fault(Fault),
    /// The object's type is not `PyUnicode_Type`. (CPython's own check dereferences the type; this compares pointers.)
    NotText,
    /// Its state word is of no string: a kind other than 1, 2, 4, or ASCII and not compact.
    State(u32),
    /// It claims more than 2^31 code points.
    Length(u64),
}

impl From<Fault> for TextError {
    fn from(fault: Fault) -> Self {
        TextError::Fault(fault)
    }
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes in the caller's buffer.
    pub bytes: usize,
    /// The string had more than fitted.
    pub truncated: bool,
}

/// How a code point is written.
pub trait Encoding {
    /// Whether this byte of an ASCII string stands for itself.
    fn is_plain(byte: u8) -> bool;

    /// Writes `point` to the start of `room`. Returns its bytes, at least one, or `None` where it does not fit: a part of a
    /// code point is never written. `point` may be any number, a surrogate or above U+10FFFF as well.
    fn put(point: u32, room: &mut [u8]) -> Option<usize>;
}

/// UTF-8. A lone surrogate (legal in a Python string, illegal in UTF-8) becomes U+FFFD.
#[derive(Debug)]
pub struct Utf8;

impl Encoding for Utf8 {
    #[inline(always)]
    fn is_plain(byte: u8) -> bool {
        byte.is_ascii()
    }

    #[inline(always)]
    fn put(point: u32, room: &mut [u8]) -> Option<usize> {
        let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        let size = character.len_utf8();
        character.encode_utf8(room.get_mut(..size)?);
        Some(size)
    }
}

/// Copies the string at `text` into `into` as UTF-8, whole code points only.
///
/// # Errors
/// See [`TextError`].
///
/// # Signal safety
/// As [`copy_as`].
pub fn copy<R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    text: Addr,
    into: &mut [u8],
) -> Result<Copied, TextError> {
    copy_as::<Utf8, R>(reader, interpreter, text, into)
}

/// Copies the string at `text` into `into`, encoded as `E` says, whole code points only.
///
/// # Errors
/// See [`TextError`].
///
/// # Signal safety
/// 64 bytes of stack buffer; at most as many code points are read as fit, so the cost is bounded by the caller.
pub fn copy_as<E: Encoding, R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    text: Addr,
    into: &mut [u8],
) -> Result<Copied, TextError> {
    let layout = &interpreter.layout;
    if !text.is_pointer_shaped() || reader.addr(text.plus(layout.code.ob_type))? != interpreter.unicode_type {
        return Err(TextError::NotText);
    }
    let length = reader.u64(text.plus(layout.text.length))?;
    let state = reader.u32(text.plus(layout.text.state))?;
    if length >= 1 << 31 {
        return Err(TextError::Length(length));
    }
    // Bits 2–4: kind, bit 5: compact, bit 6: ASCII.
    let (width, compact, ascii) = ((state >> 2) & 7, state & 32 != 0, state & 64 != 0);
    // 3.11 only: kind 0 is a legacy string that is not ready, whose data is elsewhere.
    if !matches!(width, 1 | 2 | 4) || (ascii && (width != 1 || !compact)) {
        return Err(TextError::State(state));
    }
    let data = match (compact, ascii) {
        (true, true) => text.plus(layout.text.ascii_data),
        (true, false) => text.plus(layout.text.compact_data),
        (false, _) => reader.addr(text.plus(layout.text.compact_data))?,
    };
    if ascii {
        let count = into.len().min(length as usize);
        reader.bytes(data, &mut into[..count])?;
        // What is above 127 is a lie, or memory that was written meanwhile: it must be encoded.
        if into[..count].iter().all(|byte| E::is_plain(*byte)) {
            return Ok(Copied { bytes: count, truncated: count < length as usize });
        }
    }
    encode::<E, R>(reader, data, length as u32, width, into)
}

const PIECE: usize = 64;

fn encode<E: Encoding, R: Reader>(
    reader: &R,
    data: Addr,
    length: u32,
    width: u32,
    into: &mut [u8],
) -> Result<Copied, TextError> {
    let mut piece = [0; PIECE];
    let (mut done, mut written) = (0_u32, 0_usize);
    while done < length {
        let room = into.len() - written;
        if room == 0 {
            return Ok(Copied { bytes: written, truncated: true });
        }
        // No more than can fit: every code point takes at least one byte.
        let count = (length - done).min(PIECE as u32 / width).min(room.min(PIECE) as u32);
        let bytes = &mut piece[..(count * width) as usize];
        // 64-bit arithmetic: the offset into UCS-4 text passes 2^32 before its length passes 2^31.
        let at = Addr::new(data.get().wrapping_add(u64::from(done) * u64::from(width)));
        reader.bytes(at, bytes)?;
        for unit in bytes.chunks_exact(width as usize) {
            let mut point = [0; 4];
            point[..unit.len()].copy_from_slice(unit);
            let Some(size) = E::put(u32::from_le_bytes(point), &mut into[written..]) else {
                return Ok(Copied { bytes: written, truncated: true });
            };
            written += size;
        }
        done += count;
    }
    Ok(Copied { bytes: written, truncated: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heuristics::Era;
    use crate::layout::{Layout, Version};
    use crate::reader::{ImageReader, Region};

    const TEXT: u64 = 0x2000;
    const TYPE: u64 = 0x9000;

    fn interpreter(hex: u64) -> Interpreter {
        let version = Version::from_hex(hex);
        Interpreter {
            layout: Layout::constants(version).unwrap(),
            runtime: Addr::NULL,
            code_type: Addr::NULL,
            unicode_type: Addr::new(TYPE),
            bytes_type: Addr::NULL,
            era: Era::of(version),
        }
    }

    /// A string object of 3.13 (or 3.11) in memory, its data behind it or, when not compact, at 0x3000.
    fn object(hex: u64, length: u64, width: u32, compact: bool, ascii: bool, data: &[u8]) -> Vec<u8> {
        let text = interpreter(hex).layout.text;
        let mut bytes = vec![0; text.compact_data as usize];
        bytes[8..16].copy_from_slice(&TYPE.to_le_bytes());
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        let state = width << 2 | u32::from(compact) << 5 | u32::from(ascii) << 6;
        bytes[32..36].copy_from_slice(&state.to_le_bytes());
        if compact {
            bytes.truncate(if ascii { text.ascii_data } else { text.compact_data } as usize);
            bytes.extend(data);
        } else {
            bytes.extend(0x3000_u64.to_le_bytes());
        }
        bytes
    }

    fn read(hex: u64, object: &[u8], other: &[u8], room: usize) -> Result<(String, bool), TextError> {
        let regions = [Region { start: TEXT, bytes: object }, Region { start: 0x3000, bytes: other }];
        let mut into = vec![0; room];
        let copied = copy(&ImageReader::new(&regions), &interpreter(hex), Addr::new(TEXT), &mut into)?;
        into.truncate(copied.bytes);
        Ok((String::from_utf8(into).unwrap(), copied.truncated))
    }

    #[test]
    fn every_representation_in_both_layouts() {
        for hex in [0x030b_07f0, 0x030d_00f0] {
            let long = "x".repeat(200);
            for (text, width) in [("plain", 1), ("häßlich", 1), ("Ωμέγα", 2), ("𝔘nicode 🐍", 4), (&long, 1)]
            {
                let data: Vec<u8> =
                    text.chars().flat_map(|c| (c as u32).to_le_bytes()[..width].to_vec()).collect();
                let count = text.chars().count() as u64;
                let whole = Ok((text.to_string(), false));
                let compact = object(hex, count, width as u32, true, text.is_ascii(), &data);
                assert_eq!(read(hex, &compact, &[], 1000), whole, "{text} compact");
                let pointed = object(hex, count, width as u32, false, false, &[]);
                assert_eq!(read(hex, &pointed, &data, 1000), whole, "{text} non-compact");
            }
        }
    }

    #[test]
    fn truncation_keeps_whole_code_points() {
        let data = [0xa9, 0x03, 0xbc, 0x03]; // Ωμ, two bytes of UTF-8 each
        let bytes = object(0x030d_00f0, 2, 2, true, false, &data);
        assert_eq!(read(0x030d_00f0, &bytes, &[], 3), Ok(("Ω".into(), true)));
        assert_eq!(read(0x030d_00f0, &bytes, &[], 4), Ok(("Ωμ".into(), false)));
        assert_eq!(read(0x030d_00f0, &bytes, &[], 0), Ok((String::new(), true)));
    }

    #[test]
    fn surrogates_and_damage() {
        let hex = 0x030d_00f0;
        let lone = object(hex, 1, 2, true, false, &[0x00, 0xd8]);
        assert_eq!(read(hex, &lone, &[], 10), Ok(("\u{fffd}".into(), false)));
        let kind_3 = object(hex, 1, 3, true, false, &[0, 0, 0]);
        assert!(matches!(read(hex, &kind_3, &[], 10), Err(TextError::State(_))));
        let huge = object(hex, u64::MAX, 1, true, true, b"x");
        assert_eq!(read(hex, &huge, &[], 10), Err(TextError::Length(u64::MAX)));
        let short = object(hex, 50, 1, true, true, b"x");
        assert!(matches!(read(hex, &short, &[], 60), Err(TextError::Fault(_))));
        let mut other_type = object(hex, 1, 1, true, true, b"x");
        other_type[8] ^= 16;
        assert_eq!(read(hex, &other_type, &[], 10), Err(TextError::NotText));
    }
}

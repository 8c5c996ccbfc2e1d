//! Strings once more, written to be read: the object is taken apart first (PEP 393, `Objects/unicodeobject.h`), then its code points
//! are decoded one by one, and as many are taken as fit.
//!
//! Shares nothing with `sigwalk::text` but the offsets of the layout and the names of errors.

use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::reader::{Fault, FaultKind};
use sigwalk::text::TextError;

/// What an object says of its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where they are.
    pub data: u64,
    /// How many.
    pub length: u64,
    /// Bytes of each.
    pub width: u64,
}

impl Header {
    /// Bytes of all.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.length * self.width
    }
}

/// A code point in an encoding.
pub type Encoder = fn(u32) -> Vec<u8>;
/// What a copy comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The bytes, and whether there are more.
    pub copy: Result<(Vec<u8>, bool), TextError>,
    /// It may also fail to read: of the code points that are needed if every one takes a byte, one is not mapped.
    pub may_fault: bool,
}

fn unreadable(at: u64) -> TextError {
    TextError::Fault(Fault { at: Addr::new(at), kind: FaultKind::Unmapped })
}

/// Takes the object at `at` apart. `memory` gives what is mapped from an address on.
///
/// # Errors
/// In the order in which they are noticed: type, length, state word, data pointer.
pub fn header<'a>(
    memory: &impl Fn(u64) -> &'a [u8],
    interpreter: &Interpreter,
    at: u64,
) -> Result<Header, TextError> {
    let word = |offset: u32, size: usize| {
        let bytes = memory(at + u64::from(offset)).get(..size).ok_or_else(|| unreadable(at))?;
        Ok::<_, TextError>(bytes.iter().rev().fold(0_u64, |word, byte| word * 256 + u64::from(*byte)))
    };
    let (code, text) = (&interpreter.layout.code, &interpreter.layout.text);
    if word(code.ob_type, 8)? != interpreter.unicode_type.get() {
        return Err(TextError::NotText);
    }
    // Both are read before either is judged.
    let (length, state) = (word(text.length, 8)?, word(text.state, 4)?);
    if length > 0x7fff_ffff {
        return Err(TextError::Length(length));
    }
    let (width, compact, ascii) = (state / 4 % 8, state / 32 % 2 == 1, state / 64 % 2 == 1);
    let known = match (width, compact, ascii) {
        (1, true, true) => Some(at + u64::from(text.ascii_data)),
        (1 | 2 | 4, true, false) => Some(at + u64::from(text.compact_data)),
        (1 | 2 | 4, false, false) => None,
        _ => return Err(TextError::State(state as u32)),
    };
    let data = match known {
        Some(data) => data,
        None => word(text.compact_data, 8)?,
    };
    Ok(Header { data, length, width })
}

/// Copies.
pub fn copy<'a>(
    memory: &impl Fn(u64) -> &'a [u8],
    header: Result<Header, TextError>,
    room: usize,
    encode: Encoder,
) -> Expected {
    let header = match header {
        Ok(header) => header,
        Err(error) => return Expected { copy: Err(error), may_fault: false },
    };
    let point = |index: u64| {
        let at = header.data.wrapping_add(index * header.width);
        let piece = memory(at).get(..header.width as usize).ok_or_else(|| unreadable(at))?;
        Ok(piece.iter().rev().fold(0_u32, |point, byte| point << 8 | u32::from(*byte)))
    };
    let may_fault = (0..header.length.min(room as u64)).any(|index| point(index).is_err());
    let (mut into, mut truncated) = (Vec::new(), false);
    for index in 0..header.length {
        if into.len() == room {
            truncated = true;
            break;
        }
        let bytes = match point(index) {
            Ok(point) => encode(point),
            Err(error) => return Expected { copy: Err(error), may_fault },
        };
        truncated = into.len() + bytes.len() > room;
        if truncated {
            break;
        }
        into.extend(bytes);
    }
    Expected { copy: Ok((into, truncated)), may_fault }
}

/// UTF-8; what is no character is U+FFFD.
#[must_use]
pub fn utf8(point: u32) -> Vec<u8> {
    let tail = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..=0x7f => vec![point as u8],
        0x80..=0x7ff => vec![0xc0 | (point >> 6) as u8, tail(0)],
        0xd800..=0xdfff | 0x11_0000.. => vec![0xef, 0xbf, 0xbd],
        0x800..=0xffff => vec![0xe0 | (point >> 12) as u8, tail(6), tail(0)],
        0x1_0000..=0x10_ffff => vec![0xf0 | (point >> 18) as u8, tail(12), tail(6), tail(0)],
    }
}

/// As `_Py_DumpASCII`.
#[must_use]
pub fn escaped(point: u32) -> Vec<u8> {
    match point {
        0x20..=0x7e => vec![point as u8],
        0..=0xff => format!("\\x{point:02x}").into_bytes(),
        0x100..=0xffff => format!("\\u{point:04x}").into_bytes(),
        _ => format!("\\U{point:08x}").into_bytes(),
    }
}

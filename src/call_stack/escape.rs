//! ASCII with backslash escapes, as `_Py_DumpASCII` in CPython's Python/traceback.c writes it.

use crate::text::Encoding;

/// ASCII: U+0020 to U+007E as they are (a backslash and a quote too); `\xhh` up to U+00FF, `\uhhhh` up to U+FFFF (lone
/// surrogates too), `\Uhhhhhhhh` above. An escape is written whole or not at all.
#[derive(Debug)]
pub struct Escaped;

impl Encoding for Escaped {
    #[inline]
    fn is_plain(byte: u8) -> bool {
        (b' '..=b'~').contains(&byte)
    }

    #[inline]
    fn put(point: u32, room: &mut [u8]) -> Option<usize> {
        let (letter, digits) = match point {
            0x20..=0x7e => {
                *room.first_mut()? = point as u8;
                return Some(1);
            }
            0..=0xff => (b'x', 2),
            0x100..=0xffff => (b'u', 4),
            _ => (b'U', 8),
        };
        let size = 2 + digits;
        let place = room.get_mut(..size)?;
        place[..2].copy_from_slice(&[b'\\', letter]);
        for (index, digit) in place[2..].iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(point >> (4 * index) & 15) as usize];
        }
        Some(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(point: u32, room: usize) -> Option<String> {
        let mut into = vec![b'#'; room];
        let size = Escaped::put(point, &mut into);
        assert!(into[size.unwrap_or(0)..].iter().all(|byte| *byte == b'#'), "nothing is written behind it");
        size.map(|size| String::from_utf8(into[..size].to_vec()).unwrap())
    }

    #[test]
    fn escapes_are_those_of_dump_ascii() {
        for (point, text) in [
            (0, r"\x00"),
            (0x1f, r"\x1f"),
            (0x20, " "),
            (0x22, "\""),
            (0x5c, r"\"),
            (0x7e, "~"),
            (0x7f, r"\x7f"),
            (0x80, r"\x80"),
            (0xff, r"\xff"),
            (0x100, r"\u0100"),
            (0xd800, r"\ud800"),
            (0xffff, r"\uffff"),
            (0x1_0000, r"\U00010000"),
            (0x10_ffff, r"\U0010ffff"),
            (u32::MAX, r"\Uffffffff"),
        ] {
            assert_eq!(put(point, 16).as_deref(), Some(text), "{point:#x}");
            assert_eq!(put(point, text.len()).as_deref(), Some(text), "{point:#x}: exactly its room");
            assert_eq!(put(point, text.len() - 1), None, "{point:#x}: one byte too little");
            assert_eq!(Escaped::is_plain(point as u8) && point < 128, text.len() == 1, "{point:#x}");
        }
    }
}

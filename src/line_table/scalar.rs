//! The scalar decoder: a byte at a time, as the table's description reads. What the vectorised one is held to.

use super::{Line, LineError, svarint};
use crate::addr::Addr;
use crate::reader::Reader;

pub(super) fn line_at<R: Reader>(
    reader: &R,
    data: Addr,
    len: u32,
    first: i32,
    lasti: i32,
) -> Result<Line, LineError> {
    let mut table = Window { reader, data, len, at: 0, buffer: [0; WINDOW], from: 0, to: 0 };
    let mut line = first;
    let mut end = 0_i64;
    while table.at < table.len {
        let header = table.next()?;
        if header & 0x80 == 0 {
            return Err(LineError::Malformed);
        }
        end += i64::from((header & 7) + 1) * 2;
        let kind = (header >> 3) & 15;
        let delta = match kind {
            10..=12 => i32::from(kind) - 10,
            13 | 14 => table.svarint()?,
            _ => 0,
        };
        line = line.checked_add(delta).ok_or(LineError::Malformed)?;
        if end > i64::from(lasti) {
            return Ok(if kind == 15 { Line::None } else { Line::Number(line) });
        }
        table.skip_payload()?;
    }
    Err(LineError::PastEnd)
}

const WINDOW: usize = 64;

/// The table, read in pieces into a buffer, so that decoding works on memory that nobody changes meanwhile.
struct Window<'r, R> {
    reader: &'r R,
    data: Addr,
    len: u32,
    /// Index of the next byte.
    at: u32,
    buffer: [u8; WINDOW],
    /// The buffer holds table bytes `from..to`.
    from: u32,
    to: u32,
}

impl<R: Reader> Window<'_, R> {
    #[inline]
    fn peek(&mut self) -> Result<u8, LineError> {
        if self.at >= self.len {
            return Err(LineError::Malformed);
        }
        if self.at >= self.to {
            let count = (self.len - self.at).min(WINDOW as u32);
            self.reader.bytes(self.data.plus(self.at), &mut self.buffer[..count as usize])?;
            (self.from, self.to) = (self.at, self.at + count);
        }
        Ok(self.buffer[(self.at - self.from) as usize])
    }

    #[inline]
    fn next(&mut self) -> Result<u8, LineError> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn svarint(&mut self) -> Result<i32, LineError> {
        let mut value = 0_u32;
        for shift in (0..36).step_by(6) {
            let byte = self.next()?;
            // A payload byte has bit 7 clear; the sixth group has room for two bits.
            if byte & 0x80 != 0 || (shift == 30 && byte > 3) {
                return Err(LineError::Malformed);
            }
            value |= u32::from(byte & 63) << shift;
            if byte & 64 == 0 {
                return Ok(svarint(value));
            }
        }
        Err(LineError::Malformed)
    }

    fn skip_payload(&mut self) -> Result<(), LineError> {
        while self.at < self.len && self.peek()? & 0x80 == 0 {
            self.at += 1;
        }
        Ok(())
    }
}

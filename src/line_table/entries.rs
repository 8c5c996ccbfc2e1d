//! Entry by entry, for what the vectorised decoders leave over: long svarints, damage, lines near the ends of 32 bits, and
//! bytes that could not be read. Nothing outside the table is read.

use super::{Line, LineError, svarint};
use crate::addr::Addr;
use crate::reader::{Fault, Reader};

/// A table and how far it was decoded.
#[derive(Clone, Copy)]
pub(super) struct Scan<'r, R> {
    pub(super) reader: &'r R,
    pub(super) data: Addr,
    pub(super) len: u32,
    /// Code units to go to the wanted one.
    pub(super) left: u32,
    pub(super) line: i32,
}

impl<'r, R: Reader> Scan<'r, R> {
    #[inline(always)]
    pub(super) fn new(reader: &'r R, data: Addr, len: u32, first: i32, lasti: i32) -> Self {
        // In code units, like the entries' own lengths. Negative (a fresh frame of 3.11, 3.12): the first entry.
        Scan { reader, data, len, left: (lasti >> 1).max(0) as u32, line: first }
    }

    /// The entries that begin in bytes `from..to`: the line, if one of them holds the wanted unit.
    #[cold]
    #[inline(never)]
    pub(super) fn entries(&mut self, from: u32, to: u32) -> Result<Option<Line>, LineError> {
        let mut at = from;
        while at < to {
            let words = chunk(self.reader, self.data.plus(at), (to - at).min(CHUNK))?;
            if let Some(line) = self.entries_of(at, words)? {
                return Ok(Some(line));
            }
            at += CHUNK;
        }
        Ok(None)
    }

    /// The entries that begin in the chunk at `at`, whose bytes are `words`.
    #[inline(never)]
    pub(super) fn entries_of(&mut self, at: u32, words: [u64; 2]) -> Result<Option<Line>, LineError> {
        for (index, word) in words.into_iter().enumerate() {
            let mut headers = word & 0x8080_8080_8080_8080;
            while headers != 0 {
                let place = headers.trailing_zeros() / 8;
                headers &= headers - 1;
                let header = (word >> (place * 8)) as u8;
                let kind = (header >> 3) & 15;
                let delta = match kind {
                    10..=12 => i32::from(kind) - 10,
                    13 | 14 => self.svarint(at + index as u32 * 8 + place + 1)?,
                    _ => 0,
                };
                self.line = self.line.checked_add(delta).ok_or(LineError::Malformed)?;
                let units = u32::from(header & 7) + 1;
                if units > self.left {
                    return Ok(Some(line(header, self.line)));
                }
                self.left -= units;
            }
        }
        Ok(None)
    }

    #[inline(never)]
    fn svarint(&self, mut at: u32) -> Result<i32, LineError> {
        let mut value = 0_u32;
        for shift in (0..36).step_by(6) {
            if at >= self.len {
                return Err(LineError::Malformed);
            }
            let byte = self.reader.u8(self.data.plus(at))?;
            at += 1;
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
}

#[inline(always)]
pub(super) fn line(header: u8, line: i32) -> Line {
    if (header >> 3) & 15 == 15 { Line::None } else { Line::Number(line) }
}

/// Bytes of a chunk.
pub(super) const CHUNK: u32 = 16;

/// 16 bytes of the table, or what is left of it and zeroes, which are payload. Reads nothing outside.
#[inline(always)]
pub(super) fn chunk<R: Reader>(reader: &R, at: Addr, left: u32) -> Result<[u64; 2], Fault> {
    if left >= CHUNK {
        return Ok([reader.u64(at)?, reader.u64(at.plus(8))?]);
    }
    tail(reader, at, left)
}

#[inline(always)]
fn tail<R: Reader>(reader: &R, at: Addr, left: u32) -> Result<[u64; 2], Fault> {
    if left >= 8 {
        let last = reader.u64(at.plus(left - 8))?;
        // left == 8: nothing of `last` is new, and the shift would be 64.
        let high = if left == 8 { 0 } else { last >> ((16 - left) * 8) };
        return Ok([reader.u64(at)?, high]);
    }
    if left >= 4 {
        let (low, last) = (reader.u32(at)?, reader.u32(at.plus(left - 4))?);
        return Ok([u64::from(low) | u64::from(last) << ((left - 4) * 8), 0]);
    }
    let mut word = 0;
    for index in 0..left {
        word |= u64::from(reader.u8(at.plus(index))?) << (index * 8);
    }
    Ok([word, 0])
}

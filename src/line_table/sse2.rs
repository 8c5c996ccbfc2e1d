//! The decoder for every x86-64: 16 bytes of the table at a time, 64 while nothing but simple entries passes.
//!
//! A header is a byte with bit 7 set, wherever it stands, so the headers of a chunk are known without decoding what is
//! before them: one comparison finds them all, and a sum of bytes (`psadbw`) gives the units and line deltas that the chunk
//! adds. Only the chunk with the wanted unit needs a prefix sum, and only chunks with an svarint (kinds 13 and 14) are
//! decoded entry by entry. Everything is read through the reader, in words, and nothing outside the table; where there is
//! an svarint, its bytes, and a look at 64 that met it, are read once more.
#![allow(unsafe_code)]

use super::entries::{CHUNK, Scan, chunk, line};
use super::{Line, LineError};
use crate::addr::Addr;
use crate::reader::Reader;
use core::arch::x86_64::*;

pub(super) fn line_at<R: Reader>(
    reader: &R,
    data: Addr,
    len: u32,
    first: i32,
    lasti: i32,
) -> Result<Line, LineError> {
    // SAFETY: `scan` needs SSE2, which every x86-64 has.
    unsafe { scan(Scan::new(reader, data, len, first, lasti)) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn scan<R: Reader>(mut scan: Scan<'_, R>) -> Result<Line, LineError> {
    let (reader, data, len) = (scan.reader, scan.data, scan.len);
    let mut at = 0;
    // Where to look at 64 bytes again: behind those where one look met an svarint.
    let mut simple = CHUNK;
    while at < len {
        if at >= simple && len - at >= 4 * CHUNK {
            // Word by word: out of `chunk` the compiler takes the words through memory, and waits for them.
            let mut block = Piece::of([reader.u64(data.plus(at))?, reader.u64(data.plus(at + 8))?]);
            for next in [16, 32, 48] {
                let at = at + next;
                block = block.and(&Piece::of([reader.u64(data.plus(at))?, reader.u64(data.plus(at + 8))?]));
            }
            let units = block.units_total();
            if !block.is_hard() && units <= scan.left {
                scan.left -= units;
                scan.line = scan.line.checked_add(block.delta_total() as i32).ok_or(LineError::Malformed)?;
                at += 4 * CHUNK;
                continue;
            }
            simple = at + 4 * CHUNK;
        }
        let words = chunk(reader, data.plus(at), len - at)?;
        let piece = Piece::of(words);
        if at == 0 && byte(words, 0) & 0x80 == 0 {
            return Err(LineError::Malformed);
        }
        let units = piece.units_total();
        if piece.is_hard() {
            if let Some(line) = scan.entries_of(at, words)? {
                return Ok(line);
            }
        } else if units <= scan.left {
            scan.left -= units;
            scan.line = scan.line.checked_add(piece.delta_total() as i32).ok_or(LineError::Malformed)?;
        } else {
            let index = piece.entry(scan.left);
            let number =
                scan.line.checked_add(piece.delta_until(index) as i32).ok_or(LineError::Malformed)?;
            return Ok(line(byte(words, index), number));
        }
        at += CHUNK;
    }
    Err(LineError::PastEnd)
}

#[inline(always)]
fn byte(words: [u64; 2], index: u32) -> u8 {
    (words[(index >> 3) as usize & 1] >> ((index & 7) * 8)) as u8
}

/// What the bytes of a chunk say, all at once.
struct Piece {
    /// High bit of byte i: it begins an entry with an svarint.
    hard: __m128i,
    /// Length of the entry in units at its header, else 0.
    units: __m128i,
    /// Line delta 1 or 2 at the header of kinds 11 and 12, else 0.
    deltas: __m128i,
}

#[inline]
#[target_feature(enable = "sse2")]
fn total(bytes: __m128i) -> u32 {
    let sums = _mm_sad_epu8(bytes, _mm_setzero_si128());
    (_mm_cvtsi128_si32(sums) + _mm_cvtsi128_si32(_mm_srli_si128::<8>(sums))) as u32
}

impl Piece {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn of(words: [u64; 2]) -> Piece {
        let bytes = _mm_set_epi64x(words[1] as i64, words[0] as i64);
        let set = |byte: u8| _mm_set1_epi8(byte as i8);
        let header = _mm_cmplt_epi8(bytes, _mm_setzero_si128());
        // Header bit and kind, in place.
        let kind = _mm_and_si128(bytes, set(0xf8));
        let is = |wanted: u8| _mm_cmpeq_epi8(kind, set(0x80 | wanted << 3));
        let (is_11, is_12) = (is(11), is(12));
        let hard = _mm_or_si128(is(13), is(14));
        let units = _mm_and_si128(_mm_add_epi8(_mm_and_si128(bytes, set(7)), set(1)), header);
        let deltas = _mm_or_si128(_mm_and_si128(is_11, set(1)), _mm_and_si128(is_12, set(2)));
        Piece { hard, units, deltas }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn and(&self, other: &Piece) -> Piece {
        Piece {
            hard: _mm_or_si128(self.hard, other.hard),
            units: _mm_add_epi8(self.units, other.units),
            deltas: _mm_add_epi8(self.deltas, other.deltas),
        }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn is_hard(&self) -> bool {
        _mm_movemask_epi8(self.hard) != 0
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn units_total(&self) -> u32 {
        total(self.units)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn delta_total(&self) -> u32 {
        total(self.deltas)
    }

    /// Index of the header of the entry that holds unit `left` of the chunk, which must have more units than that.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn entry(&self, left: u32) -> u32 {
        let mut sums = self.units;
        sums = _mm_add_epi8(sums, _mm_slli_si128::<1>(sums));
        sums = _mm_add_epi8(sums, _mm_slli_si128::<2>(sums));
        sums = _mm_add_epi8(sums, _mm_slli_si128::<4>(sums));
        sums = _mm_add_epi8(sums, _mm_slli_si128::<8>(sums));
        // At most 128, so only an unsigned subtraction tells "more than".
        let more = _mm_subs_epu8(sums, _mm_set1_epi8(left as i8));
        let not = _mm_movemask_epi8(_mm_cmpeq_epi8(more, _mm_setzero_si128())) as u32;
        (!not).trailing_zeros()
    }

    /// Sum of the deltas up to and with the entry at `index`.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn delta_until(&self, index: u32) -> u32 {
        let places = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        let beyond = _mm_cmpgt_epi8(places, _mm_set1_epi8(index as i8));
        total(_mm_andnot_si128(beyond, self.deltas))
    }
}

//! The decoder for AVX2: 32 bytes of the table at a time, 120 in a group, svarints of one and two bytes included.
//!
//! A header is a byte with bit 7 set, wherever it stands, so the headers of a vector are known without decoding what is
//! before them: one comparison finds them all. Their units and line deltas are computed in the headers' places and summed.
//! An svarint stands right behind its header, so the vector shifted by one and by two bytes brings its groups into the header's
//! place too: |delta| ≤ 1023 needs no more, and in the standard library one svarint in 6000 is longer. A vector counts for
//! its first 30 bytes therefore, and the next begins there. Only the vector with the wanted unit needs a prefix sum.
//!
//! Sums are exact only while no sum of 32 bits can overflow on the way, and a longer svarint, a damaged one, or one that
//! the table's end cuts cannot be summed: [`Scan::entries`] decodes these 30 or 120 bytes entry by entry, from loads of
//! its own. A load that fails delivers [`WIDE_POISON`](crate::reader::WIDE_POISON), svarint headers without svarints, which is
//! damage: the loads of `entries` then say whether it was a fault. So no load of the fast path is checked.
//!
//! # Invariant
//!
//! [`line_at`] takes an [`Avx2`], and nothing else here is reachable.
#![allow(unsafe_code)]

use super::entries::Scan;
use super::{Line, LineError};
use crate::addr::Addr;
use crate::cpu::Avx2;
use crate::reader::{Fault, Reader};
use core::arch::x86_64::*;

/// Bytes of a vector.
const WIDE: u32 = 32;
/// Bytes whose headers have both groups of an svarint in the same vector.
const STEP: u32 = WIDE - 2;
/// Bytes of a group.
const GROUP: u32 = 4 * STEP;
/// Bytes that the vectors of a group reach.
const REACH: u32 = 3 * STEP + WIDE;

#[inline]
pub(super) fn line_at<R: Reader>(
    reader: &R,
    avx2: Avx2,
    data: Addr,
    len: u32,
    first: i32,
    lasti: i32,
) -> Result<Line, LineError> {
    // SAFETY: `avx2` is the proof.
    unsafe { scan(reader, avx2, data, len, first, lasti) }
}

/// Half of all tables are shorter than 64 bytes: these two functions are written for them.
#[target_feature(enable = "avx2")]
fn scan<R: Reader>(
    reader: &R,
    avx2: Avx2,
    data: Addr,
    len: u32,
    first: i32,
    lasti: i32,
) -> Result<Line, LineError> {
    let scan = Scan::new(reader, data, len, first, lasti);
    if len >= WIDE {
        return steps(scan, avx2);
    }
    let [first, last] = match short(reader, data, len)? {
        Some(halves) => halves,
        None => return Err(if len == 0 { LineError::PastEnd } else { LineError::Malformed }),
    };
    finish(scan, Piece::of(vector([first[0], first[1], last[0], last[1]]), window(0, WIDE)), 0)
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn steps<R: Reader>(mut scan: Scan<'_, R>, avx2: Avx2) -> Result<Line, LineError> {
    let (reader, data, len) = (scan.reader, scan.data, scan.len);
    if reader.u8(data)? & 0x80 == 0 {
        return Err(LineError::Malformed);
    }
    let mut at = 0;
    if len >= REACH
        && let Some(line) = groups(&mut scan, avx2, &mut at)?
    {
        return Ok(line);
    }
    while len - at > WIDE {
        let piece = Piece::of(vector(reader.u256_or_poison(avx2, data, at)), window(0, STEP));
        let sums = reduce(piece.both());
        if piece.is_beyond() || near_overflow(scan.line) {
            if let Some(line) = scan.entries(at, at + STEP)? {
                return Ok(line);
            }
        } else if sums.units() > scan.left {
            return piece.line(scan.left, scan.line).ok_or(LineError::PastEnd);
        } else {
            scan.left -= sums.units();
            scan.line += sums.delta();
        }
        at += STEP;
    }
    let rest = len - at;
    let bytes = vector(reader.u256_or_poison(avx2, data, len - WIDE));
    finish(scan, Piece::of(bytes, window(WIDE - rest, rest)), at)
}

/// The last piece, whose entries begin at `at`.
#[inline]
#[target_feature(enable = "avx2")]
fn finish<R: Reader>(mut scan: Scan<'_, R>, piece: Piece, at: u32) -> Result<Line, LineError> {
    let line = if piece.is_beyond() || near_overflow(scan.line) {
        scan.entries(at, scan.len)?
    } else {
        piece.line(scan.left, scan.line)
    };
    line.ok_or(LineError::PastEnd)
}

/// Passes groups while they are whole and do not have the wanted unit; or finds the line where that took a look at single
/// entries.
#[target_feature(enable = "avx2")]
fn groups<R: Reader>(scan: &mut Scan<'_, R>, avx2: Avx2, at: &mut u32) -> Result<Option<Line>, LineError> {
    let counted = window(0, STEP);
    let zero = _mm256_setzero_si256();
    // In registers; all vectors are, too, because nothing is called here.
    let (reader, data, len) = (scan.reader, scan.data, scan.len);
    let (mut left, mut line) = (scan.left, scan.line);
    while len - *at >= REACH {
        let load = |from| vector(reader.u256_or_poison(avx2, data, *at + from));
        let (a, b, c, d) = (load(0), load(STEP), load(2 * STEP), load(3 * STEP));
        let (v, w) = (_mm256_and_si256(a, counted), _mm256_and_si256(b, counted));
        let (x, y) = (_mm256_and_si256(c, counted), _mm256_and_si256(d, counted));
        let (i, j, k, l) = (ordered(v), ordered(w), ordered(x), ordered(y));
        let most = _mm256_max_epi8(_mm256_max_epi8(i, j), _mm256_max_epi8(k, l));
        let mut beyond = near_overflow(line);
        let sums = if _mm256_movemask_epi8(at_least(most, 0x70)) == 0 {
            let units = sum(units(v), units(w), units(x), units(y));
            let minus = sum(minus_delta(i), minus_delta(j), minus_delta(k), minus_delta(l));
            let deltas = _mm256_sad_epu8(_mm256_sub_epi8(zero, minus), zero);
            reduce(_mm256_or_si256(_mm256_sad_epu8(units, zero), _mm256_slli_epi64::<32>(deltas)))
        } else {
            // One after another: four at once need more registers than there are.
            let (mut all, mut bits) = (zero, zero);
            for bytes in [a, b, c, d] {
                let piece = Piece::of(bytes, counted);
                all = _mm256_add_epi32(all, piece.both());
                bits = _mm256_or_si256(bits, piece.beyond);
            }
            beyond |= _mm256_movemask_epi8(bits) != 0;
            reduce(all)
        };
        if beyond {
            (scan.left, scan.line) = (left, line);
            if let Some(line) = scan.entries(*at, *at + GROUP)? {
                return Ok(Some(line));
            }
            (left, line) = (scan.left, scan.line);
        } else if sums.units() > left {
            break;
        } else {
            left -= sums.units();
            line += sums.delta();
        }
        *at += GROUP;
    }
    (scan.left, scan.line) = (left, line);
    Ok(None)
}

/// A group changes the line by less than 2^19.
#[inline(always)]
fn near_overflow(line: i32) -> bool {
    line.unsigned_abs() > 1 << 30
}

/// A table of fewer than 32 bytes, at the end of a vector, with zeroes (which are payload) before it. `None` where it does not
/// begin with a header.
#[inline(always)]
fn short<R: Reader>(reader: &R, data: Addr, len: u32) -> Result<Option<[[u64; 2]; 2]>, Fault> {
    // `word` moved towards the end: what leaves it is what is in the next word already.
    let moved = |word: u64, bytes: u32| if bytes == 8 { 0 } else { word << (bytes * 8) };
    let word = |at| reader.u64_at(data, at);
    let (first, halves) = if len >= 16 {
        let (first, last) = (word(0)?, [word(len - 16)?, word(len - 8)?]);
        let begin =
            if len >= 24 { [moved(first, WIDE - len), word(len - 24)?] } else { [0, moved(first, 24 - len)] };
        (first, [begin, last])
    } else if len >= 8 {
        let first = word(0)?;
        (first, [[0, 0], [moved(first, 16 - len), word(len - 8)?]])
    } else if len >= 4 {
        let first = u64::from(reader.u32_at(data, 0)?);
        let last = u64::from(reader.u32_at(data, len - 4)?) << 32;
        (first, [[0, 0], [0, last | moved(first, 8 - len)]])
    } else {
        let (mut first, mut place) = (0, len);
        while place > 0 {
            place -= 1;
            first = first << 8 | u64::from(reader.u8_at(data, place)?);
        }
        (first, [[0, 0], [0, moved(first, 8 - len)]])
    };
    Ok((first & 0x80 != 0).then_some(halves))
}

/// Units in the lower half, line delta in the upper one.
#[derive(Clone, Copy)]
struct Sums(u64);

impl Sums {
    #[inline(always)]
    fn units(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    fn delta(self) -> i32 {
        (self.0 >> 32) as i32
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn set(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte as i8)
}

#[inline]
#[target_feature(enable = "avx2")]
fn vector(words: [u64; 4]) -> __m256i {
    let [a, b, c, d] = words;
    _mm256_set_epi64x(d as i64, c as i64, b as i64, a as i64)
}

#[inline]
#[target_feature(enable = "avx2")]
fn places() -> __m256i {
    _mm256_setr_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
        28, 29, 30, 31,
    )
}

/// All bits of `width` bytes from place `from` on.
#[inline]
#[target_feature(enable = "avx2")]
fn window(from: u32, width: u32) -> __m256i {
    // Below `from` a place is a large number after the subtraction, without a sign.
    let past = _mm256_sub_epi8(places(), set(from as u8));
    _mm256_cmpeq_epi8(_mm256_min_epu8(past, set(width as u8 - 1)), past)
}

/// Moves the kinds so that a signed comparison orders them: 11 from 0x60, 12 from 0x68, 13 and 14 from 0x70 to 0x7f; all else
/// is less, 15 from 0x80 (−128) to 0x87, and no payload byte is among these.
#[inline]
#[target_feature(enable = "avx2")]
fn ordered(bytes: __m256i) -> __m256i {
    _mm256_add_epi8(bytes, set(0x88))
}

/// All bits where `ordered` is at least `least`.
#[inline]
#[target_feature(enable = "avx2")]
fn at_least(ordered: __m256i, least: u8) -> __m256i {
    _mm256_cmpgt_epi8(ordered, set(least - 1))
}

/// Length of the entry in units at its header, else 0.
#[inline]
#[target_feature(enable = "avx2")]
fn units(bytes: __m256i) -> __m256i {
    // 0x80 to 0x87 at a header, 0 to 7 elsewhere.
    _mm256_subs_epu8(_mm256_and_si256(bytes, set(0x87)), set(0x7f))
}

/// Minus the line delta of kinds 11 and 12 at the header; −2 where there is an svarint.
#[inline]
#[target_feature(enable = "avx2")]
fn minus_delta(ordered: __m256i) -> __m256i {
    _mm256_add_epi8(at_least(ordered, 0x60), at_least(ordered, 0x68))
}

/// Sums of two pairs of 64 bits each: units in the lower halves, deltas in the upper ones.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce(both: __m256i) -> Sums {
    let halves = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256::<1>(both));
    let whole = _mm_add_epi32(halves, _mm_unpackhi_epi64(halves, halves));
    Sums(_mm_cvtsi128_si64(whole) as u64)
}

/// Of bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_add_epi8(_mm256_add_epi8(a, b), _mm256_add_epi8(c, d))
}

/// What the bytes of a vector say, all at once, in the places of the headers.
struct Piece {
    /// Length of the entry in units, else 0.
    units: __m256i,
    /// High bit: an svarint that is longer than two bytes, or damaged.
    beyond: __m256i,
    /// |line delta|, its lowest five bits.
    low: __m256i,
    /// |line delta|, the next six.
    high: __m256i,
    /// Sign of the line delta, 1 or −1.
    sign: __m256i,
    /// All bits: an entry without a line.
    no_line: __m256i,
}

impl Piece {
    /// Of the headers in `counted`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn of(bytes: __m256i, counted: __m256i) -> Piece {
        // Behind the last byte a group that says "another follows", which no svarint of two bytes can have.
        let next = _mm256_permute2x128_si256::<0x21>(bytes, set(0x40));
        let first = _mm256_alignr_epi8::<1>(next, bytes);
        let second = _mm256_alignr_epi8::<2>(next, bytes);

        let bytes = _mm256_and_si256(bytes, counted);
        let ordered = ordered(bytes);
        let hard = at_least(ordered, 0x70);
        let no_line = _mm256_cmpgt_epi8(set(0x88), ordered);
        // Without the −2 of svarints.
        let short = _mm256_sub_epi8(_mm256_add_epi8(hard, hard), minus_delta(ordered));

        let first = _mm256_and_si256(first, hard);
        let more = _mm256_cmpgt_epi8(first, set(0x3f));
        let second = _mm256_and_si256(second, more);
        // Bit 7 is a header in an svarint's place; bit 6 of the second group, one group too many.
        let beyond = _mm256_or_si256(first, _mm256_or_si256(second, _mm256_add_epi8(second, second)));
        let magnitude = _mm256_and_si256(_mm256_srli_epi16::<1>(first), set(0x1f));
        let sign = _mm256_sub_epi8(set(1), _mm256_and_si256(_mm256_add_epi8(first, first), set(2)));
        Piece {
            units: units(bytes),
            beyond,
            low: _mm256_add_epi8(magnitude, short),
            high: second,
            sign,
            no_line,
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn is_beyond(&self) -> bool {
        _mm256_movemask_epi8(self.beyond) != 0
    }

    /// Signed deltas, summed in the upper halves of 64 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn deltas(&self, low: __m256i, high: __m256i) -> __m256i {
        // Products of unsigned and signed bytes, summed in pairs: at most 2 · 1023 in the end.
        let low = _mm256_maddubs_epi16(low, self.sign);
        let high = _mm256_slli_epi16::<5>(_mm256_maddubs_epi16(high, self.sign));
        let deltas = _mm256_madd_epi16(_mm256_add_epi16(low, high), _mm256_set1_epi16(1));
        _mm256_add_epi32(deltas, _mm256_slli_epi64::<32>(deltas))
    }

    /// Units in the lower halves of 64 bits, deltas in the upper ones.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn both(&self) -> __m256i {
        let deltas = self.deltas(self.low, self.high);
        let units = _mm256_sad_epu8(self.units, _mm256_setzero_si256());
        _mm256_blend_epi32::<0b1010_1010>(units, deltas)
    }

    /// The line of unit `left` of this piece, if it has more units than that, where `line` is the line before it. `left` may be
    /// any number.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn line(&self, left: u32, line: i32) -> Option<Line> {
        // No piece has more than 256 units; 255 is the last one's number and 248 the most that can be before an entry.
        if left > 255 {
            return None;
        }
        let (zero, left) = (_mm256_setzero_si256(), set(left as u8));
        // Units before each place. In the halves first, 120 at most, then those of the lower half: 248. (With its own units
        // the last place could have 256.)
        let mut sums = self.units;
        sums = _mm256_add_epi8(sums, _mm256_slli_si256::<1>(sums));
        sums = _mm256_add_epi8(sums, _mm256_slli_si256::<2>(sums));
        sums = _mm256_add_epi8(sums, _mm256_slli_si256::<4>(sums));
        sums = _mm256_add_epi8(sums, _mm256_slli_si256::<8>(sums));
        let lower = _mm256_permute2x128_si256::<0x08>(sums, sums);
        let before = _mm256_add_epi8(_mm256_sub_epi8(sums, self.units), _mm256_shuffle_epi8(lower, set(15)));
        let until = _mm256_cmpeq_epi8(_mm256_subs_epu8(before, left), zero);
        // Units of the entry beyond those that are left when it begins: more than none of the last entry until there.
        let held = _mm256_subs_epu8(self.units, _mm256_subs_epu8(left, before));
        let no_line = _mm256_and_si256(self.no_line, until);
        if _mm256_testz_si256(held, no_line) == 0 {
            return Some(Line::None);
        }
        if _mm256_testz_si256(held, until) != 0 {
            return None;
        }
        let deltas = self.deltas(_mm256_and_si256(self.low, until), _mm256_and_si256(self.high, until));
        Some(Line::Number(line + reduce(deltas).delta()))
    }
}

//! The location table once more, written to be read: cut into entries first, then decoded one by one.
//!
//! Shares nothing with `sigwalk::line_table` but the documentation of the format (CPython `Objects/locations.md`).

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The table has no entry for the offset.
    PastEnd,
    /// The table does not begin with an entry, or one before the answer has a delta that does not decode.
    Malformed,
}

/// The line of byte offset `lasti`; `Ok(None)` where the table says that there is none.
///
/// # Errors
/// See [`NoAnswer`].
pub fn line_at(table: &[u8], first: i32, lasti: i32) -> Result<Option<i32>, NoAnswer> {
    if table.first().is_some_and(|byte| !is_header(*byte)) {
        return Err(NoAnswer::Malformed);
    }
    let (mut line, mut end) = (i64::from(first), 0_i64);
    let mut rest = table;
    while let Some((header, behind)) = rest.split_first() {
        let payload_len = behind.iter().position(|byte| is_header(*byte)).unwrap_or(behind.len());
        let (payload, next) = behind.split_at(payload_len);
        let kind = (header & 0b0111_1000) / 8;
        let units = i64::from(header & 0b0000_0111) + 1;
        line += match kind {
            10 => 0,
            11 => 1,
            12 => 2,
            13 | 14 => signed(unsigned(payload)?),
            _ => 0,
        };
        if i32::try_from(line).is_err() {
            return Err(NoAnswer::Malformed);
        }
        end += 2 * units;
        if i64::from(lasti) < end {
            return Ok(if kind == 15 { None } else { Some(line as i32) });
        }
        rest = next;
    }
    Err(NoAnswer::PastEnd)
}

fn is_header(byte: u8) -> bool {
    byte >= 128
}

/// The varint that a payload begins with: six bits a byte, at most 32 in all.
fn unsigned(payload: &[u8]) -> Result<u64, NoAnswer> {
    let groups = 1 + payload.iter().position(|byte| byte & 64 == 0).ok_or(NoAnswer::Malformed)?;
    if groups > 6 {
        return Err(NoAnswer::Malformed);
    }
    let value = payload[..groups].iter().rev().fold(0_u64, |value, byte| value * 64 + u64::from(byte % 64));
    if value > u64::from(u32::MAX) { Err(NoAnswer::Malformed) } else { Ok(value) }
}

fn signed(value: u64) -> i64 {
    let magnitude = (value / 2) as i64;
    if value & 1 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: u8, units: u8) -> u8 {
        128 + kind * 8 + units - 1
    }

    #[test]
    fn entries_one_by_one() {
        // Kind 11 for two units, kind 13 (−2) for one, kind 15 for one.
        let table = [header(11, 2), 1, 2, header(13, 1), 0b101, header(15, 1)];
        let lines = [0, 2, 4, 6, 8].map(|lasti| line_at(&table, 10, lasti));
        assert_eq!(lines, [Ok(Some(11)), Ok(Some(11)), Ok(Some(9)), Ok(None), Err(NoAnswer::PastEnd)]);
    }

    #[test]
    fn damage() {
        assert_eq!(line_at(&[5], 1, 0), Err(NoAnswer::Malformed));
        assert_eq!(line_at(&[0xe8, 0x41], 1, 0), Err(NoAnswer::Malformed));
        assert_eq!(line_at(&[0xe8, 2], i32::MAX, 0), Err(NoAnswer::Malformed));
        assert_eq!(line_at(&[], 1, 0), Err(NoAnswer::PastEnd));
    }
}

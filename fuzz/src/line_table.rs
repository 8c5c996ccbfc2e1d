//! The body of the target `line_table`: any bytes as a location table.
//!
//! Input: first line i32, offset i32 (taken modulo a little more than the table covers, unless its lowest bit is set),
//! the table.

use crate::{reference, violation};
use sigwalk::addr::Addr;
use sigwalk::line_table::{Line, LineError, line_at, line_at_as_cpython};
use sigwalk::reader::{Budgeted, ImageReader, Region};

/// Where the table lies. Nothing else is mapped.
const AT: u64 = 0x7000_0000_0000;

/// Runs one input.
pub fn run(input: &[u8]) {
    let Some((numbers, table)) = input.split_at_checked(8) else { return };
    let number = |from: usize| {
        i32::from_le_bytes([numbers[from], numbers[from + 1], numbers[from + 2], numbers[from + 3]])
    };
    let (first, lasti) = (number(0), number(4));
    // Most offsets of 32 bits are behind any table. 18: one entry of full length more.
    let most = table.len() as i32 * 16 + 18;
    let lasti = if lasti & 1 == 0 { lasti.rem_euclid(most) & !1 } else { lasti };

    let regions = [Region { start: AT, bytes: table }];
    let image = ImageReader::new(&regions);
    let (data, len) = (Addr::new(AT), table.len() as u64);
    // Two loads for 16 bytes, eight for a look at 64 that finds an svarint in them, and one for each byte of an svarint:
    // 26 for 16 bytes at the worst.
    let reader = Budgeted::new(image, table.len() as u32 * 2 + 8);
    let found = line_at(&reader, data, len, first, lasti);
    if let Err(LineError::Fault(fault)) = found {
        violation::line_lookup_leaves_the_table(&format!("{fault:?}, {len} bytes at {data}"));
    }

    let expected = match reference::line_at(table, first, lasti) {
        Ok(Some(line)) => Ok(Line::Number(line)),
        Ok(None) => Ok(Line::None),
        Err(reference::NoAnswer::Malformed) => Err(LineError::Malformed),
        Err(reference::NoAnswer::PastEnd) => Err(LineError::PastEnd),
    };
    if found != expected {
        violation::line_lookup_differs_from_the_reference(&format!("{found:?}"), &format!("{expected:?}"));
    }
    if let Ok(line) = found {
        let cpython = line_at_as_cpython(&image, data, len, first, lasti);
        if cpython != Ok(line.or_minus_one()) {
            violation::line_lookup_differs_from_cpython(&format!("{found:?}"), &format!("{cpython:?}"));
        }
    } else {
        // Total over anything, whatever it says and wherever it reads.
        let _ = line_at_as_cpython(&Budgeted::new(image, 1 << 16), data, len, first, lasti);
    }
}

//! The body of the target `line_table`: any bytes as a location table.
//!
//! Input: first line i32, offset i32 (taken modulo a little more than the table covers, unless its lowest bit is set),
//! the table.

use crate::{reference, violation};
use sigwalk::addr::Addr;
use sigwalk::line_table::{Decoder, Line, LineError, line_at_as_cpython, line_at_by, most_loads, needed};
use sigwalk::reader::{Budgeted, ImageReader, Region};

/// Where the table lies. Nothing else is mapped.
const AT: u64 = 0x7000_0000_0000;

/// Both vectorised decoders, where the machine has both; SSE2's first.
fn decoders() -> impl Iterator<Item = Decoder> {
    let best = Decoder::best();
    [Some(Decoder::Sse2), (best != Decoder::Sse2).then_some(best)].into_iter().flatten()
}

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
    let mut found = Err(LineError::PastEnd);
    for decoder in decoders() {
        let reader = Budgeted::new(image, most_loads(table.len() as u32));
        let this = line_at_by(decoder, &reader, data, len, first, lasti);
        if decoder != Decoder::Sse2 && this != found {
            violation::line_lookup_differs_from_the_reference(
                &format!("{this:?}"),
                &format!("{found:?}, by SSE2"),
            );
        }
        found = this;
    }
    if let Err(LineError::Fault(fault)) = found {
        violation::line_lookup_leaves_the_table(&format!("{fault:?}, {len} bytes at {data}"));
    }

    // Behind what a table of whole entries can need, nothing is looked at.
    let needed = &table[..needed(len, lasti) as usize];
    let expected = match reference::line_at(needed, first, lasti) {
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

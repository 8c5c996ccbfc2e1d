//! `_PyCode_SafeAddr2Line` as 3.13 to 3.15 have it: the order of its tests, and the bound that monitoring bypasses.
#![cfg(not(loom))]

mod image;

use image::readers::Recorder;
use image::{Entry, Function, MINORS, NOWHERE, Process, UNITS, first_line, line};
use sigwalk::addr::Addr;
use sigwalk::heuristics::safe_addr2line;
use sigwalk::reader::{Fault, FaultKind, ImageReader};
use sigwalk::walk::{Detail, End, Site, Stop, Truncated};
use sigwalk::walkers;

/// Monitoring data and its `lines`, mapped.
const MONITORING: u64 = 0x70_0000;
const LINES: u64 = 0x71_0000;
const END: i32 = 2 * UNITS as i32;

fn addr2line(process: &Process, lasti: i32) -> (Result<i32, Stop>, Vec<Addr>) {
    let regions = process.regions();
    let reader = Recorder::new(ImageReader::new(&regions));
    let line = safe_addr2line(&reader, &process.interpreter, process.codes[0], lasti);
    (line, reader.into_loads())
}

fn process(minor: u8) -> Process {
    Process::new(minor, &[Function, Entry])
}

/// Active line monitoring: `lines` has an entry of `width` bytes for each unit (3.13+: and says so in its first byte).
fn monitored(minor: u8, width: u8) -> Process {
    let mut process = process(minor);
    let code = process.layout().code;
    process.map(MONITORING, 0x100);
    process.map(LINES, 0x400);
    process.put(process.codes[0].plus(code.monitoring.unwrap()), MONITORING);
    process.put(Addr::new(MONITORING).plus(code.monitoring_lines), LINES);
    process.put_bytes(Addr::new(LINES), &[width]);
    process
}

fn fault(site: Site, at: u64) -> Result<i32, Stop> {
    let fault = Fault { at: Addr::new(at), kind: FaultKind::Unmapped };
    Err(Stop(End::Truncated(Truncated::Fault(site, fault))))
}

#[test]
fn a_negative_offset_is_the_first_line_and_nothing_else_is_read() {
    for minor in MINORS {
        let mut process = process(minor);
        let layout = process.layout().code;
        if let Some(monitoring) = layout.monitoring {
            process.put(process.codes[0].plus(monitoring), NOWHERE);
        }
        for lasti in [-1, -2, i32::MIN] {
            let first = process.codes[0].plus(layout.firstlineno);
            assert_eq!(addr2line(&process, lasti), (Ok(first_line(0)), vec![first]), "3.{minor}");
        }
    }
}

#[test]
fn an_offset_beyond_the_code_is_minus_one_before_the_table_is_read() {
    for minor in MINORS {
        let process = process(minor);
        let layout = process.layout().code;
        let code = process.codes[0];
        assert_eq!(addr2line(&process, END - 2).0, Ok(line(0, END - 2)), "3.{minor}");
        let mut loads: Vec<Addr> = layout.monitoring.into_iter().map(|offset| code.plus(offset)).collect();
        loads.push(code.plus(layout.units));
        for lasti in [END, END + 2, i32::MAX] {
            assert_eq!(addr2line(&process, lasti), (Ok(-1), loads.clone()), "3.{minor}, {lasti}");
        }
    }
}

#[test]
fn the_table_is_read_as_it_stands() {
    for minor in MINORS {
        let process = process(minor);
        let (layout, text) = (process.layout().code, process.layout().text);
        let (code, table) = (process.codes[0], process.linetable(0));
        let (line_at_0, loads) = addr2line(&process, 0);
        assert_eq!(line_at_0, Ok(line(0, 0)), "3.{minor}");
        let mut expected: Vec<Addr> = layout.monitoring.into_iter().map(|offset| code.plus(offset)).collect();
        expected.extend([layout.units, layout.linetable].map(|offset| code.plus(offset)));
        expected.push(table.plus(text.bytes_size));
        expected.push(code.plus(layout.firstlineno));
        // The header of the first entry. The type of the table is never looked at.
        expected.push(table.plus(text.bytes_data));
        assert_eq!(loads, expected, "3.{minor}");
    }
}

#[test]
fn monitoring_is_asked_before_the_range_is_tested() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        let mut process = monitored(minor, 5);
        let layout = process.layout().code;
        let code = process.codes[0];
        // The entry of unit 4: opcode, then the distance from the first line plus 2 in four bytes.
        process.put_bytes(Addr::new(LINES + 1 + 4 * 5), &[0xff, 0x2c, 0x01, 0, 0]);
        let (line_at_8, loads) = addr2line(&process, 8);
        let monitoring = code.plus(layout.monitoring.unwrap());
        let lines = Addr::new(MONITORING).plus(layout.monitoring_lines);
        let mut expected = vec![monitoring, lines];
        if minor == 12 {
            // Pairs of opcode and delta; the line is the table's.
            expected.extend([Addr::new(LINES + 4 * 2 + 1), code.plus(layout.units)]);
            assert_eq!(line_at_8, Ok(line(0, 8)), "3.{minor}");
            assert_eq!(loads[..expected.len()], expected, "3.{minor}");
        } else {
            expected.push(Addr::new(LINES));
            expected.extend((0..4).map(|byte| Addr::new(LINES + 1 + 4 * 5 + 1 + byte)));
            expected.push(code.plus(layout.firstlineno));
            assert_eq!((line_at_8, loads), (Ok(first_line(0) + 0x12c - 2), expected), "3.{minor}");
            // An odd offset is its unit's. No distance, no line, and then the first line is not read either.
            assert_eq!(addr2line(&process, 9).0, Ok(first_line(0) + 0x12c - 2), "3.{minor}");
            let (none, loads) = addr2line(&process, 6);
            assert_eq!((none, loads.len()), (Ok(-1), 7), "3.{minor}");
        }
    }
}

#[test]
fn the_width_of_monitoring_entries_is_believed() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 13) {
        // Below 2 there is still one byte of distance; above 5 the shift goes round.
        for (width, bytes, delta) in [
            (0, &[7_u8, 9][..], 7 - 2),
            (1, &[7, 9], 7 - 2),
            (2, &[7, 9], 7 - 2),
            (3, &[7, 1], 0x107 - 2),
            (6, &[7, 0, 0, 0x80, 1], (0x8000_0007_u32 as i32 | 1).wrapping_sub(2)),
        ] {
            let mut process = monitored(minor, width);
            process.put_bytes(Addr::new(LINES + 2), bytes);
            let expected = first_line(0).wrapping_add(delta);
            assert_eq!(addr2line(&process, 0).0, Ok(expected), "3.{minor}, width {width}");
        }
    }
}

#[test]
fn with_monitoring_an_offset_beyond_the_code_is_read_out_of_bounds() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        let process = monitored(minor, 2);
        let far = 0x10_0000;
        let at = if minor == 12 { LINES + far as u64 + 1 } else { LINES + 1 + far as u64 + 1 };
        assert_eq!(addr2line(&process, far).0, fault(Site::Monitoring, at), "3.{minor}");
        // Mapped, and no entry: no crash, and no -1 by the range test either, which is not reached.
        let (answer, loads) = addr2line(&process, END);
        assert_eq!(answer, Ok(-1), "3.{minor}");
        let reads = |at: Addr| loads.contains(&at);
        if minor == 12 {
            // The table has run out by then.
            assert!(reads(process.linetable(0).plus(process.layout().text.bytes_data)), "3.{minor}");
        } else {
            assert!(!reads(process.codes[0].plus(process.layout().code.units)), "3.{minor}");
        }
    }
}

#[test]
fn monitoring_data_without_lines_is_as_none() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        let mut process = monitored(minor, 2);
        process.put(Addr::new(MONITORING).plus(process.layout().code.monitoring_lines), 0);
        let (answer, loads) = addr2line(&process, END);
        assert_eq!((answer, loads.len()), (Ok(-1), 3), "3.{minor}: monitoring, lines, units");
    }
}

#[test]
fn stale_pointers_of_lines_are_dereferenced() {
    for minor in MINORS {
        let mut process = process(minor);
        let layout = *process.layout();
        process.put(process.codes[0].plus(layout.code.linetable), 0xdddd_dddd_dddd_dddd);
        let size = 0xdddd_dddd_dddd_dddd + u64::from(layout.text.bytes_size);
        assert_eq!(addr2line(&process, 0).0, fault(Site::LinetableSize, size), "3.{minor}");
        let walk = process.walk(walkers::named("pr-b1-hops").unwrap(), Detail::Line, 4).0;
        assert_eq!(walk.fault(), Some((Site::LinetableSize, FaultKind::Unmapped)), "3.{minor}");
        if let Some(monitoring) = layout.code.monitoring {
            process.put(process.codes[0].plus(monitoring), 0xdddd_dddd_dddd_dddd);
            let lines = 0xdddd_dddd_dddd_dddd + u64::from(layout.code.monitoring_lines);
            assert_eq!(addr2line(&process, 0).0, fault(Site::Monitoring, lines), "3.{minor}");
        }
    }
}

#[test]
fn the_bounds_of_the_scan_are_those_of_c() {
    for minor in MINORS {
        let mut process = process(minor);
        let table = process.linetable(0);
        let size = table.plus(process.layout().text.bytes_size);
        // The end of the table is a pointer: where it wraps, the table is empty, and where it lies in the upper half, the scan
        // goes on behind the table (which has a line for this offset).
        for (len, answer) in
            [(0, -1), (u64::MAX, -1), (0xfdfd_fdfd_fdfd_fdfd, line(0, 14)), (1 << 63, line(0, 14))]
        {
            process.put(size, len);
            assert_eq!(addr2line(&process, 14).0, Ok(answer), "3.{minor}, {len:#x}");
        }
        // Four entries of three bytes, two units each.
        process.put(size, 12);
        assert_eq!(addr2line(&process, 14).0, Ok(line(0, 14)), "3.{minor}");
        assert_eq!(addr2line(&process, 16).0, Ok(-1), "3.{minor}");
    }
}

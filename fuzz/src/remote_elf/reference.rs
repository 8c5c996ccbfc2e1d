//! ELF headers and memory maps once more, from their descriptions (elf(5), proc_pid_maps(5)).

use sigwalk_elf::maps::Region;
use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

fn number(file: &[u8], at: u64, size: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let bytes = file.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A file of 64 bits, little-endian, for EM_X86_64.
#[must_use]
pub fn is_x86_64(file: &[u8]) -> bool {
    file.starts_with(b"\x7fELF\x02\x01") && number(file, 18, 2) == Some(62)
}

/// Every load bias that some mapping and some program header of the file allow.
#[must_use]
pub fn biases(file: &[u8], regions: &[Region]) -> Vec<u64> {
    const EXECUTABLE: u64 = 2;
    const LOAD: u64 = 1;
    let word = |at: u64, size: usize| number(file, at, size).unwrap_or(0);
    if word(16, 2) == EXECUTABLE {
        return vec![0];
    }
    let (table, sections, mut count) = (word(32, 8), word(40, 8), word(56, 2));
    if count == 0xffff {
        // More than fit: the number is in the first section header.
        count = word(sections.saturating_add(44), 4);
    }
    let mut found = Vec::new();
    for index in 0..count.min(file.len() as u64 / 56) {
        let header = table.saturating_add(56 * index);
        let (kind, offset, address) =
            (word(header, 4), word(header.saturating_add(8), 8), word(header.saturating_add(16), 8));
        if kind == LOAD {
            found.extend(regions.iter().map(|region| {
                let first = region.addresses.start.wrapping_sub(region.offset);
                first.wrapping_add(offset).wrapping_sub(address)
            }));
        }
    }
    found
}

/// Name, addresses, offset and right to execute.
pub type Line = (PathBuf, Range<u64>, u64, bool);

/// The lines of a map that name a file, in their order.
#[must_use]
pub fn map(text: &[u8]) -> Vec<Line> {
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Line> {
    let name = &line[line.iter().position(|byte| *byte == b'/')?..];
    let front = std::str::from_utf8(&line[..line.len() - name.len()]).ok()?;
    let mut words = front.split([' ', '\t', '\r', '\x0c']).filter(|word| !word.is_empty());
    let (addresses, rights, offset) = (words.next()?, words.next()?, words.next()?);
    let (start, end) = addresses.split_once('-')?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let executable = rights.as_bytes().get(2) == Some(&b'x');
    Some((
        PathBuf::from(OsString::from_vec(replaced(name))),
        hex(start)?..hex(end)?,
        hex(offset)?,
        executable,
    ))
}

/// `\012` is a newline.
fn replaced(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < name.len() {
        if name[at..].starts_with(b"\\012") {
            out.push(b'\n');
            at += 4;
        } else {
            out.push(name[at]);
            at += 1;
        }
    }
    out
}

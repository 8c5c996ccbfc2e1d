//! What an ELF file is for, and where it was loaded.

use crate::bounded::Bounded;
use crate::maps::Region;
use object::read::{ReadCache, ReadRef};
use object::{Architecture, Endianness, Object, ObjectKind, ObjectSegment};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

/// The parts of a file's headers that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// `None` when this stress can read such a process, else what it is for, in words.
    pub foreign: Option<String>,
    /// ET_EXEC: a program at fixed addresses.
    pub fixed: bool,
    /// It has the section that every CPython keeps `_PyRuntime` in, which stays when the symbols are stripped.
    pub holds_runtime: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    offset: u64,
    size: u64,
    address: u64,
    executable: bool,
}

impl Elf {
    /// Reads the headers.
    ///
    /// # Errors
    /// The file cannot be opened, is no regular file (opening a device may do anything), or is no ELF file.
    pub fn read(path: &Path) -> io::Result<Elf> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Self::parse(File::open(path)?)
    }

    /// [`Elf::read`] of a file that is open.
    ///
    /// # Errors
    /// It cannot be read, or is no ELF file.
    pub fn parse(file: impl Read + Seek) -> io::Result<Elf> {
        let cache = ReadCache::new(Bounded::new(file)?);
        let file = object::File::parse(&cache).map_err(io::Error::other)?;
        let segments = file.segments().map(|segment| {
            let (offset, size) = segment.file_range();
            Segment {
                offset,
                size,
                address: segment.address(),
                executable: segment.permissions().executable(),
            }
        });
        Ok(Elf {
            foreign: foreign(&file),
            fixed: file.kind() == ObjectKind::Executable,
            holds_runtime: file.section_by_name(".PyRuntime").is_some(),
            segments: segments.collect(),
        })
    }

    /// What is added to an address in the file, given where the process maps it.
    ///
    /// Found by executable mappings where there are any: the process may have mapped the file once more to read it.
    pub fn bias(&self, regions: &[Region]) -> Option<u64> {
        if self.fixed {
            return Some(0);
        }
        let of = |executable: bool| {
            let regions = regions.iter().filter(move |region| region.executable == executable);
            let segments = || self.segments.iter().filter(move |segment| segment.executable == executable);
            regions
                .flat_map(move |region| segments().map(move |segment| (region, segment)))
                .find(|(region, segment)| segment.maps_from(region.offset))
                .map(|(region, segment)| {
                    // A file may be mapped lower than it is long.
                    (region.addresses.start.wrapping_sub(region.offset))
                        .wrapping_add(segment.offset)
                        .wrapping_sub(segment.address)
                })
        };
        of(true).or_else(|| of(false))
    }
}

impl Segment {
    /// Whether a mapping of this segment, or of a rear part of it, begins there in the file.
    fn maps_from(&self, offset: u64) -> bool {
        const PAGE: u64 = 4096;
        (self.offset & !(PAGE - 1)..self.offset.saturating_add(self.size)).contains(&offset)
    }
}

fn foreign<'data>(file: &object::File<'data, impl ReadRef<'data>>) -> Option<String> {
    let bits = if file.is_64() { 64 } else { 32 };
    let order = match file.endianness() {
        Endianness::Little => "little-endian",
        Endianness::Big => "big-endian",
    };
    match (file.architecture(), bits, file.endianness()) {
        (Architecture::X86_64, 64, Endianness::Little) => None,
        (Architecture::X86_64_X32, ..) => Some("x32 (32-bit pointers on x86-64)".into()),
        (Architecture::I386, ..) => Some("32-bit x86".into()),
        (architecture, ..) => Some(format!("{bits}-bit {order} {architecture:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// An ELF header and nothing behind it.
    fn header(class: u8, order: u8, machine: u16) -> Vec<u8> {
        let half = |value: u16| if order == 1 { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut bytes = vec![0x7f, b'E', b'L', b'F', class, order, 1];
        bytes.resize(if class == 2 { 64 } else { 52 }, 0);
        bytes[16..18].copy_from_slice(&half(2));
        bytes[18..20].copy_from_slice(&half(machine));
        bytes[if class == 2 { 52 } else { 40 }..][..2].copy_from_slice(&half(if class == 2 {
            64
        } else {
            52
        }));
        bytes
    }

    fn read(bytes: &[u8]) -> io::Result<Elf> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Elf::read(file.path())
    }

    #[test]
    fn other_architectures_are_named() {
        for (class, order, machine, found) in [
            (2, 1, 62, None),
            (2, 1, 183, Some("64-bit little-endian Aarch64")),
            (1, 1, 3, Some("32-bit x86")),
            (1, 1, 62, Some("x32 (32-bit pointers on x86-64)")),
            (1, 1, 40, Some("32-bit little-endian Arm")),
            (2, 2, 22, Some("64-bit big-endian S390x")),
        ] {
            let elf = read(&header(class, order, machine)).unwrap();
            assert_eq!(elf.foreign.as_deref(), found, "class {class}, order {order}, machine {machine}");
            assert!(elf.fixed);
        }
    }

    #[test]
    fn what_is_no_elf_file_is_an_error_and_devices_are_not_opened() {
        assert!(read(b"#!/bin/sh").is_err());
        assert!(read(&header(2, 1, 62)[..40]).is_err());
        assert!(Elf::read(Path::new("/dev/zero")).unwrap_err().to_string().contains("regular file"));
    }

    /// libpython3.11 of Debian in short: the code is the second segment, and a page of the file is mapped twice.
    #[test]
    fn the_bias_comes_from_the_mapping_of_the_code() {
        let segment = |offset, size, address, executable| Segment { offset, size, address, executable };
        let elf = Elf {
            foreign: None,
            fixed: false,
            holds_runtime: true,
            segments: vec![
                segment(0, 0x1800, 0x10_0000, false),
                segment(0x1800, 0x5000, 0x10_2800, true),
                segment(0x6800, 0x800, 0x10_8800, false),
            ],
        };
        let region =
            |start: u64, offset, executable| Region { addresses: start..start + 0x1000, offset, executable };
        let all = [
            region(0x6000_0000, 0, false), // read as data, elsewhere
            region(0x7000_0000, 0, false),
            region(0x7000_2000, 0x1000, true),
            region(0x7000_8000, 0x6000, false),
        ];
        assert_eq!(elf.bias(&all), Some(0x7000_0000 - 0x10_0000));
        // Its first page made writable by a debugger: the rest begins further in.
        assert_eq!(elf.bias(&[region(0x7000_4000, 0x3000, true)]), Some(0x7000_0000 - 0x10_0000));
        assert_eq!(elf.bias(&all[3..]), Some(0x7000_0000 - 0x10_0000));
        assert_eq!(elf.bias(&[region(0x7000_4000, 0x9000, true)]), None);
        assert_eq!(
            elf.bias(&[region(0x1000, 0x3000, true)]),
            Some(0x1000_u64.wrapping_sub(0x3000 + 0x10_1000))
        );
        assert_eq!(Elf { fixed: true, ..elf }.bias(&[]), Some(0));
    }
}

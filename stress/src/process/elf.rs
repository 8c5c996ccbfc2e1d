//! What an ELF file is for, and where it was loaded.

use super::maps::Region;
use object::read::ReadCache;
use object::{Architecture, Endianness, Object, ObjectKind, ObjectSegment};
use std::fs::File;
use std::io;
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
        let cache = ReadCache::new(File::open(path)?);
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
                    (region.addresses.start - region.offset)
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

fn foreign<'data>(file: &object::File<'data, &'data ReadCache<File>>) -> Option<String> {
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

//! The body of the target `remote_elf`: any bytes as an ELF file of the process that `stress walk` looks at, or as its memory map.
//!
//! The files belong to whoever started that process.

pub mod reference;

use crate::violation;
use arbitrary::{Arbitrary, Unstructured};
use sigwalk_elf::elf::Elf;
use sigwalk_elf::maps::{self, Region};
use sigwalk_elf::symtab::Symtab;
use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// An input.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Input<'a> {
    /// Bit 0: the rest is the text of a memory map. Bit 1: the mappings lie in the first pages, lower than the file is long.
    pub how: u8,
    /// Mappings of the file, one a byte: page of the file in bits 0 to 6, executable in bit 7.
    pub mappings: [u8; 3],
    /// The file.
    pub bytes: &'a [u8],
}

/// Runs the bytes of an input.
pub fn run_bytes(bytes: &[u8]) {
    if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) {
        run(&input);
    }
}

/// Runs one input.
pub fn run(input: &Input<'_>) {
    if input.how & 1 == 1 {
        return map(input.bytes);
    }
    let read = Cell::new(0);
    let file = || Counted { file: Cursor::new(input.bytes), read: &read };
    if let Ok(elf) = Elf::parse(file()) {
        header(&elf, input);
    }
    if let Some(table) = Symtab::parse(file()) {
        symbols(&table, input.bytes);
    }
    // Twice what either may read, which is 8 times the file and 16 MiB.
    if read.get() > 2 * (8 * input.bytes.len() + (16 << 20)) {
        violation::elf_file_is_read_without_bound(input.bytes.len(), read.get());
    }
}

fn header(elf: &Elf, input: &Input<'_>) {
    let readable = elf.foreign.is_none();
    if input.bytes.starts_with(b"\x7fELF") && readable != reference::is_x86_64(input.bytes) {
        violation::elf_file_of_another_machine_is_taken(&format!("{:?}", elf.foreign));
    }
    let (mut start, step) = if input.how & 2 == 0 { (0x7f00_0000_0000, 0x80_0000) } else { (0, 0x1000) };
    let regions = input.mappings.map(|mapping| {
        start += step;
        Region {
            addresses: start..start + 0x1000,
            offset: u64::from(mapping & 0x7f) * 0x1000,
            executable: mapping & 128 != 0,
        }
    });
    let Some(bias) = elf.bias(&regions) else { return };
    if reference::is_x86_64(input.bytes) && !reference::biases(input.bytes, &regions).contains(&bias) {
        violation::elf_file_has_an_impossible_bias(bias);
    }
}

fn symbols(table: &Symtab, file: &[u8]) {
    let all = table.all();
    // The smallest symbols of any format have 12 bytes, and there are two tables of them.
    if all.len() > file.len() / 6 {
        violation::symbol_is_not_in_the_file(&format!("{} symbols in {} bytes", all.len(), file.len()));
    }
    if !all.is_sorted_by_key(|symbol| symbol.address) {
        violation::symbols_are_not_in_order(&format!("{all:?}"));
    }
    for symbol in all.iter().take(64) {
        let name = symbol.name.as_bytes();
        if name.is_empty() || !file.windows(name.len()).any(|window| window == name) {
            violation::symbol_is_not_in_the_file(&symbol.name);
        }
        let by_name = table.by_name(&symbol.name).map(|found| &found.name);
        let at = table.at(symbol.address, &symbol.name);
        let before = table.function_before(symbol.address);
        let right = by_name == Some(&symbol.name)
            && at.is_some_and(|at| at.address == symbol.address && at.name == symbol.name)
            && before.is_none_or(|before| before.is_function && before.address <= symbol.address)
            && (before.is_some() || !symbol.is_function);
        if !right {
            violation::symbols_are_not_in_order(&format!("{symbol:?}: {by_name:?}, {at:?}, {before:?}"));
        }
    }
}

fn map(text: &[u8]) {
    let files = maps::parse(text);
    let found: Vec<_> = files
        .iter()
        .flat_map(|file| {
            file.regions
                .iter()
                .map(|region| (file.name.clone(), region.addresses.clone(), region.offset, region.executable))
        })
        .collect();
    // Grouped by file, in the order of the first line of each.
    let mut expected = reference::map(text);
    let order: Vec<_> = expected.iter().map(|line| line.0.clone()).collect();
    expected.sort_by_key(|line| order.iter().position(|name| *name == line.0));
    if found != expected {
        violation::memory_map_differs_from_the_reference(&format!("{found:?}"), &format!("{expected:?}"));
    }
}

/// Counts what is read.
struct Counted<'a> {
    file: Cursor<&'a [u8]>,
    read: &'a Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read.set(self.read.get() + read);
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

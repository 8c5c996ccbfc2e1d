//! The symbols of an ELF file, hidden ones included where the file still has its .symtab.

use crate::bounded::Bounded;
use object::read::ReadCache;
use object::{Object, ObjectSymbol, SymbolKind};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// One function or object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Address in the file, before the load bias.
    pub address: u64,
    /// Bytes; 0 where the file does not say.
    pub size: u64,
    /// Without a version.
    pub name: String,
    /// Else it is an object.
    pub is_function: bool,
}

/// The symbols of one file, sorted by address.
#[derive(Debug, Default)]
pub struct Symtab {
    symbols: Vec<Symbol>,
}

/// Symbol tables by file: libpython alone has 10,000 symbols, and a report asks for many addresses.
static READ: Mutex<Option<HashMap<PathBuf, Arc<Symtab>>>> = Mutex::new(None);

impl Symtab {
    /// The table of `path`; empty where the file cannot be read.
    #[must_use]
    pub fn of(path: &Path) -> Arc<Self> {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let table = read.get_or_insert_with(HashMap::new).entry(path.to_owned());
        Arc::clone(table.or_insert_with(|| Arc::new(Self::read(path).unwrap_or_default())))
    }

    fn read(path: &Path) -> Option<Self> {
        Self::parse(File::open(path).ok()?)
    }

    /// The table of a file that is open; `None` where it cannot be read.
    #[must_use]
    pub fn parse(file: impl Read + Seek) -> Option<Self> {
        // Reads only the parts that are asked for: a libpython with debug information has 30 MB of others.
        let cache = ReadCache::new(Bounded::new(file).ok()?);
        let file = object::File::parse(&cache).ok()?;
        let mut symbols: Vec<Symbol> =
            file.symbols().chain(file.dynamic_symbols()).filter_map(|symbol| entry(&symbol)).collect();
        // Of several names of one address, one with a size comes first, then a global name; both tables have the latter.
        symbols.sort_by(|a, b| (a.address, b.size, &a.name).cmp(&(b.address, a.size, &b.name)));
        symbols.dedup();
        Some(Self { symbols })
    }

    /// All, sorted by address.
    #[must_use]
    pub fn all(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The symbol called `name`.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.name == name)
    }

    /// The symbol that starts at `address` in the file.
    #[must_use]
    pub fn at(&self, address: u64, name: &str) -> Option<&Symbol> {
        let first = self.symbols.partition_point(|symbol| symbol.address < address);
        let same = self.symbols[first..].iter().take_while(|symbol| symbol.address == address);
        same.clone().find(|symbol| symbol.name == name).or_else(|| same.clone().next())
    }

    /// The last function that starts at or before `address` in the file.
    #[must_use]
    pub fn function_before(&self, address: u64) -> Option<&Symbol> {
        let end = self.symbols.partition_point(|symbol| symbol.address <= address);
        let last = self.symbols[..end].iter().rev().find(|symbol| symbol.is_function)?;
        let first = self.symbols.partition_point(|symbol| symbol.address < last.address);
        self.symbols[first..end].iter().find(|symbol| symbol.is_function)
    }
}

/// Functions and objects that are defined here. A thread-local symbol's address is an offset, and would be mistaken for one.
fn entry<'data>(symbol: &impl ObjectSymbol<'data>) -> Option<Symbol> {
    let is_function = symbol.kind() == SymbolKind::Text;
    if !(is_function || symbol.kind() == SymbolKind::Data) || symbol.is_undefined() || symbol.address() == 0 {
        return None;
    }
    let name = symbol.name().ok().filter(|name| !name.is_empty())?.to_owned();
    Some(Symbol { address: symbol.address(), size: symbol.size(), name, is_function })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::io::{self, Cursor, SeekFrom};

    struct Counted<'a>(Cursor<Vec<u8>>, &'a Cell<usize>);

    impl Read for Counted<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(into)?;
            self.1.set(self.1.get() + read);
            Ok(read)
        }
    }

    impl Seek for Counted<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn section(kind: u32, offset: usize, size: usize, link: u32, entry: u64) -> Vec<u8> {
        let mut bytes = [1_u32, kind].map(u32::to_le_bytes).concat();
        bytes.extend([0, 0, offset as u64, size as u64].map(u64::to_le_bytes).concat());
        bytes.extend([link, 0].map(u32::to_le_bytes).concat());
        bytes.extend([8, entry].map(u64::to_le_bytes).concat());
        bytes
    }

    /// A file with these functions: address and offset of the name.
    fn file(strings: &[u8], functions: impl Iterator<Item = (u64, u32)>) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        bytes.resize(64, 0);
        let table = bytes.len();
        bytes.extend([0; 24]);
        for (address, name) in functions {
            bytes.extend(name.to_le_bytes());
            // A global function, in section 1.
            bytes.extend([0x12, 0, 1, 0]);
            bytes.extend([address, 16].map(u64::to_le_bytes).concat());
        }
        let names = bytes.len();
        bytes.extend(strings);
        let sections = bytes.len();
        bytes.extend([0; 64]);
        bytes.extend(section(2, table, names - table, 2, 24));
        bytes.extend(section(3, names, strings.len(), 0, 0));
        bytes[16..20].copy_from_slice(&[3, 0, 62, 0]);
        bytes[40..48].copy_from_slice(&(sections as u64).to_le_bytes());
        bytes[52..64].copy_from_slice(&[64, 0, 56, 0, 0, 0, 64, 0, 3, 0, 2, 0]);
        bytes
    }

    #[test]
    fn functions_by_name_and_address() {
        let bytes = file(b"\0one\0two\0", [(0x2000, 5), (0x1000, 1)].into_iter());
        let table = Symtab::parse(Cursor::new(bytes)).unwrap();
        assert_eq!(table.by_name("one").unwrap().address, 0x1000);
        assert_eq!(table.function_before(0x2fff).unwrap().name, "two");
        assert_eq!(table.function_before(0xfff), None);
        assert_eq!(table.at(0x2000, "other").unwrap().name, "two");
    }

    /// Each name begins a byte further in one string of 400 kB, and none ends within what is looked at.
    #[test]
    fn long_names_that_overlap_do_not_fill_the_memory() {
        let bytes = file(&vec![b'a'; 400_000], (0..100_000).map(|index| (0x1000, index)));
        let (len, read) = (bytes.len(), Cell::new(0));
        let _ = Symtab::parse(Counted(Cursor::new(bytes), &read));
        assert!(read.get() < 20 * len, "{} bytes of a file of {len}", read.get());
    }
}

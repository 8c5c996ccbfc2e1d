//! The symbols of an ELF file, hidden ones included where the file still has its .symtab.

use object::read::ReadCache;
use object::{Object, ObjectSymbol, SymbolKind};
use std::collections::HashMap;
use std::fs::File;
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
        // Reads only the parts that are asked for: a libpython with debug information has 30 MB of others.
        let cache = ReadCache::new(File::open(path).ok()?);
        let file = object::File::parse(&cache).ok()?;
        let mut symbols: Vec<Symbol> =
            file.symbols().chain(file.dynamic_symbols()).filter_map(|symbol| entry(&symbol)).collect();
        // Of several names of one address, one with a size comes first, then a global name; both tables have the latter.
        symbols.sort_by(|a, b| (a.address, b.size, &a.name).cmp(&(b.address, a.size, &b.name)));
        symbols.dedup();
        Some(Self { symbols })
    }

    /// The symbol called `name`.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.name == name)
    }

    /// The symbol that starts at `address` in the file.
    pub(crate) fn at(&self, address: u64, name: &str) -> Option<&Symbol> {
        let first = self.symbols.partition_point(|symbol| symbol.address < address);
        let same = self.symbols[first..].iter().take_while(|symbol| symbol.address == address);
        same.clone().find(|symbol| symbol.name == name).or_else(|| same.clone().next())
    }

    /// The last function that starts at or before `address` in the file.
    pub(crate) fn function_before(&self, address: u64) -> Option<&Symbol> {
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

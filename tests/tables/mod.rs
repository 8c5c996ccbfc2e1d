//! Debug-offset tables of real interpreters, word by word as they stand at the start of `_PyRuntime`.

use sigwalk::addr::Addr;
use sigwalk::layout::{Layout, LayoutError, Version};
use sigwalk::reader::{ImageReader, Region};

/// Where a table is put.
const RUNTIME: u64 = 0x8_0000;

/// A table with the names of its words.
#[derive(Clone)]
pub struct Table {
    /// The interpreter it was read from; `d` for a debug build.
    pub tag: &'static str,
    pub names: Vec<&'static str>,
    pub words: Vec<u64>,
    /// `Py_Version` and `st_size` of `_PyRuntime`, which are not part of the table.
    pub py_version: u64,
    pub runtime_size: u64,
}

macro_rules! table {
    ($tag:literal) => {
        Table::parse($tag, include_str!(concat!("../data/debug_offsets/", $tag, ".txt")))
    };
}

/// The default builds.
pub fn default_builds() -> Vec<Table> {
    vec![
        table!("3.13.0"),
        table!("3.13"),
        table!("3.13d"),
        table!("3.14"),
        table!("3.14d"),
        table!("3.15"),
        table!("3.15d"),
    ]
}

/// A free-threaded build.
pub fn free_threaded() -> Table {
    table!("3.13ft")
}

impl Table {
    fn parse(tag: &'static str, text: &'static str) -> Table {
        let (mut names, mut words) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let (name, value) = line.split_once(' ').expect("a name and a value");
            names.push(name);
            words.push(match name {
                "cookie" => u64::from_le_bytes(value.as_bytes().try_into().expect("eight letters")),
                _ => value.parse().expect("a number"),
            });
        }
        let mut table = Table { tag, names, words, py_version: 0, runtime_size: 0 };
        table.py_version = table.word("version");
        table.runtime_size = table.word("runtime_state.size");
        table
    }

    /// The word of that name.
    pub fn word(&self, name: &str) -> u64 {
        self.words[self.index(name)]
    }

    pub fn index(&self, name: &str) -> usize {
        self.names.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{}: {name}", self.tag))
    }

    /// The same table with another value for a word.
    pub fn with(&self, name: &str, value: u64) -> Table {
        let mut changed = self.clone();
        changed.words[self.index(name)] = value;
        changed
    }

    /// The layout that is read from the table.
    pub fn read(&self) -> Result<Layout, LayoutError> {
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let regions = [Region { start: RUNTIME, bytes: &bytes }];
        let image = ImageReader::new(&regions);
        Layout::read(&image, Version::from_hex(self.py_version), Addr::new(RUNTIME), self.runtime_size)
    }
}

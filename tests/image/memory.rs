//! Bytes at addresses, writable while a process is made.

use sigwalk::addr::Addr;
use sigwalk::reader::Region;
use std::collections::BTreeMap;

/// Mapped pieces by their start.
#[derive(Default)]
pub struct Memory(BTreeMap<u64, Vec<u8>>);

impl Memory {
    /// Maps `len` zeroed bytes.
    pub fn map(&mut self, at: u64, len: usize) {
        let taken = self.0.insert(at, vec![0; len]);
        assert!(taken.is_none(), "{at:#x} is mapped twice");
    }

    /// Writes into what is mapped.
    pub fn write(&mut self, at: Addr, bytes: &[u8]) {
        let (start, piece) =
            self.0.range_mut(..=at.get()).next_back().unwrap_or_else(|| panic!("{at} is not mapped"));
        let from = (at.get() - start) as usize;
        let place = piece.get_mut(from..from + bytes.len()).unwrap_or_else(|| panic!("{at} is not mapped"));
        place.copy_from_slice(bytes);
    }

    /// The 8 bytes there.
    pub fn word(&self, at: Addr) -> u64 {
        let (start, piece) = self.0.range(..=at.get()).next_back().expect("mapped");
        let from = (at.get() - start) as usize;
        u64::from_le_bytes(piece[from..from + 8].try_into().expect("eight bytes"))
    }

    /// As an image reader wants them.
    pub fn regions(&self) -> Vec<Region<'_>> {
        self.0.iter().map(|(start, bytes)| Region { start: *start, bytes }).collect()
    }
}

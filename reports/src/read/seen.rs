//! Which trials were read already. A trial that is read twice would tighten every bound without evidence.

use std::collections::BTreeMap;

/// A set of trial indices: one bit each, in chunks, so that ten million trials take about a megabyte and one absurd
/// index takes one chunk.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<u64, Box<[u64; 64]>>);

impl Seen {
    /// Adds an index; false when it was there.
    pub fn insert(&mut self, index: u64) -> bool {
        let chunk = self.0.entry(index / 4096).or_insert_with(|| Box::new([0; 64]));
        let (word, bit) = ((index % 4096 / 64) as usize, 1_u64 << (index % 64));
        let fresh = chunk[word] & bit == 0;
        chunk[word] |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_fresh_once() {
        let mut seen = Seen::default();
        for index in [0, 1, 63, 64, 4095, 4096, u64::MAX] {
            assert!(seen.insert(index), "{index}");
            assert!(!seen.insert(index), "{index}");
        }
    }
}

//! An image in one buffer that is changed in place and put back: copying it for every input would cost more than the walks.

use crate::image::Piece;
use sigwalk::reader::Region;

/// Regions that an image may have. Those of the seeds have about 30.
pub const MAX_REGIONS: usize = 128;

/// Where a number is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its address.
    pub at: u64,
    /// Start of the structure it is a field of.
    pub base: u64,
    /// Bytes: 1, 4 or 8.
    pub width: u8,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u64,
    from: usize,
    to: usize,
    unmapped: bool,
}

#[derive(Clone, Copy, Debug)]
enum Undo {
    Write(Place, u64),
    Unmap(usize),
}

/// The memory of an image.
#[derive(Clone, Debug)]
pub struct Memory {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    undo: Vec<Undo>,
}

impl Memory {
    /// Of sorted pieces.
    ///
    /// # Panics
    /// With more than [`MAX_REGIONS`] pieces.
    #[must_use]
    pub fn new(pieces: &[Piece]) -> Self {
        assert!(pieces.len() <= MAX_REGIONS, "{} regions, more than {MAX_REGIONS}", pieces.len());
        let mut memory = Memory { bytes: Vec::new(), spans: Vec::new(), undo: Vec::with_capacity(32) };
        for piece in pieces {
            let from = memory.bytes.len();
            memory.bytes.extend(&piece.bytes);
            memory.spans.push(Span { start: piece.start, from, to: memory.bytes.len(), unmapped: false });
        }
        memory
    }

    /// Fills `into` with the regions and returns how many there are. An unmapped one stays, without bytes.
    pub fn regions<'a>(&'a self, into: &mut [Region<'a>; MAX_REGIONS]) -> usize {
        for (place, span) in into.iter_mut().zip(&self.spans) {
            let bytes = if span.unmapped { &[] } else { &self.bytes[span.from..span.to] };
            *place = Region { start: span.start, bytes };
        }
        self.spans.len()
    }

    /// Number of regions.
    #[must_use]
    pub fn region_count(&self) -> usize {
        self.spans.len()
    }

    /// Start and length of a region, whether it is mapped or not.
    #[must_use]
    pub fn region(&self, index: usize) -> (u64, u64) {
        let span = self.spans[index];
        (span.start, (span.to - span.from) as u64)
    }

    /// Bytes of the longest region.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.spans.iter().map(|span| span.to - span.from).max().unwrap_or(0)
    }

    /// What is readable from `at` on, up to `len` bytes.
    #[must_use]
    pub fn readable(&self, at: u64, len: u64) -> &[u8] {
        let index = self.spans.partition_point(|span| span.start <= at);
        let Some(span) = index.checked_sub(1).map(|index| self.spans[index]) else { return &[] };
        let offset = at - span.start;
        if span.unmapped || offset >= (span.to - span.from) as u64 {
            return &[];
        }
        let from = span.from + offset as usize;
        let count = len.min((span.to - from) as u64) as usize;
        &self.bytes[from..from + count]
    }

    /// The number at a place, 0 where the place is in no region.
    #[must_use]
    pub fn get(&self, place: Place) -> u64 {
        let mut word = [0; 8];
        let bytes = self.readable(place.at, u64::from(place.width));
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    }

    /// Whether the whole place is in one region.
    #[must_use]
    pub fn holds(&self, place: Place) -> bool {
        self.readable(place.at, u64::from(place.width)).len() == usize::from(place.width)
    }

    /// Writes the low bytes of `value`, until [`Memory::restore`]. Does nothing where nothing is mapped.
    pub fn set(&mut self, place: Place, value: u64) {
        if self.holds(place) {
            self.undo.push(Undo::Write(place, self.get(place)));
            self.put(place, value);
        }
    }

    /// Takes a region away, until [`Memory::restore`].
    pub fn unmap(&mut self, index: usize) {
        if !self.spans[index].unmapped {
            self.spans[index].unmapped = true;
            self.undo.push(Undo::Unmap(index));
        }
    }

    /// Undoes everything, last change first.
    pub fn restore(&mut self) {
        while let Some(change) = self.undo.pop() {
            match change {
                Undo::Write(place, value) => self.put(place, value),
                Undo::Unmap(index) => self.spans[index].unmapped = false,
            }
        }
    }

    fn put(&mut self, place: Place, value: u64) {
        let index = self.spans.partition_point(|span| span.start <= place.at) - 1;
        let span = self.spans[index];
        let (from, width) = (span.from + (place.at - span.start) as usize, usize::from(place.width));
        self.bytes[from..from + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

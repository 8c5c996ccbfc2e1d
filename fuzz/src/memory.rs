//! An image in one buffer that is changed in place and put back: copying it for every input would cost more than the walks.

use crate::image::Piece;
use sigwalk::reader::{Directory, ImageReader, Region};

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
    /// The spans stay where they are, so that it is made once.
    directory: Directory,
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
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for piece in pieces {
            let from = bytes.len();
            bytes.extend(&piece.bytes);
            spans.push(Span { start: piece.start, from, to: bytes.len(), unmapped: false });
        }
        let directory =
            Directory::of(pieces.iter().map(|piece| piece.start..piece.start + piece.bytes.len() as u64));
        Memory { bytes, spans, directory, undo: Vec::with_capacity(256) }
    }

    /// The memory as it is now. `into` gets the regions; an unmapped one stays, without bytes.
    #[must_use]
    pub fn reader<'a>(&'a self, into: &'a mut [Region<'a>; MAX_REGIONS]) -> ImageReader<'a> {
        for (place, span) in into.iter_mut().zip(&self.spans) {
            let bytes = if span.unmapped { &[] } else { &self.bytes[span.from..span.to] };
            *place = Region { start: span.start, bytes };
        }
        ImageReader::new(&into[..self.spans.len()]).with(&self.directory)
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
        let Some(span) = self.span(at) else { return &[] };
        let offset = at - span.start;
        if span.unmapped || offset >= (span.to - span.from) as u64 {
            return &[];
        }
        let from = span.from + offset as usize;
        let count = len.min((span.to - from) as u64) as usize;
        &self.bytes[from..from + count]
    }

    /// The last span that begins at `at` or before.
    fn span(&self, at: u64) -> Option<Span> {
        let guessed = self.spans.get(self.directory.guess(at)).copied();
        let holds =
            |span: &Span| at.checked_sub(span.start).is_some_and(|at| at < (span.to - span.from) as u64);
        guessed.filter(holds).or_else(|| {
            let index = self.spans.partition_point(|span| span.start <= at);
            index.checked_sub(1).map(|index| self.spans[index])
        })
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

    /// [`Memory::set`] for many words from `at` on, up to the first that is not mapped.
    pub fn fill(&mut self, at: u64, words: impl IntoIterator<Item = u64>) {
        for (index, word) in words.into_iter().enumerate() {
            self.set(Place { at: at.wrapping_add(8 * index as u64), base: at, width: 8 }, word);
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
        let span = self.span(place.at).expect("only places that are held are written");
        let (from, width) = (span.from + (place.at - span.start) as usize, usize::from(place.width));
        self.bytes[from..from + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

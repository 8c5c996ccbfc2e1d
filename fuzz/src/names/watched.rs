//! Readers that know where a string object ends.

use super::object::{AT, ELSEWHERE};
use super::reference::Header;
use crate::violation;
use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::reader::{Fault, ImageReader, Reader, Region};
use sigwalk::text::TextError;
use std::ops::Range;

/// Reads the object, and lets nobody read beside it.
pub struct Watched<'a> {
    image: ImageReader<'a>,
    /// The fixed part, and the characters.
    allowed: [Range<u64>; 2],
}

impl<'a> Watched<'a> {
    pub fn new(
        regions: &'a [Region<'a>],
        interpreter: &Interpreter,
        header: Result<Header, TextError>,
    ) -> Self {
        // The data pointer is the last word of the fixed part.
        let fixed = AT..AT + u64::from(interpreter.layout.text.compact_data) + 8;
        let data = header.map_or(0..0, |header| header.data..header.data.saturating_add(header.bytes()));
        Watched { image: ImageReader::new(regions), allowed: [fixed, data] }
    }

    fn check(&self, at: Addr, len: usize) {
        let end = at.get().saturating_add(len as u64);
        if len > 0 && !self.allowed.iter().any(|range| range.start <= at.get() && end <= range.end) {
            violation::text_copy_leaves_the_text(at.get(), len, &self.allowed);
        }
    }
}

impl Reader for Watched<'_> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.check(at, 8);
        self.image.u64(at)
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.check(at, 4);
        self.image.u32(at)
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.check(at, 1);
        self.image.u8(at)
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        self.check(at, into.len());
        self.image.bytes(at, into)
    }
}

/// The image of a thread, and beside it the object that its names were replaced by.
pub struct Beside<'a> {
    pub object: Watched<'a>,
    pub image: ImageReader<'a>,
}

impl Beside<'_> {
    /// Half a TiB each: more than any string is long.
    fn is_object(at: Addr) -> bool {
        (AT..ELSEWHERE + (ELSEWHERE - AT)).contains(&at.get())
    }
}

impl Reader for Beside<'_> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        if Self::is_object(at) { self.object.u64(at) } else { self.image.u64(at) }
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        if Self::is_object(at) { self.object.u32(at) } else { self.image.u32(at) }
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        if Self::is_object(at) { self.object.u8(at) } else { self.image.u8(at) }
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        if Self::is_object(at) { self.object.bytes(at, into) } else { self.image.bytes(at, into) }
    }
}

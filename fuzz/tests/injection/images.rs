//! Threads of real interpreters, saved by scripts/seeds: fuzz/seeds/walk/*.img.

use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, NO_LINE};
use sigwalk::interpreter::Interpreter;
use sigwalk::reader::{ImageReader, Reader, Region, VmReader};
use sigwalk_fuzz::image::{self as file, Image, Piece};
use sigwalk_fuzz::seed;
use std::path::{Path, PathBuf};

/// A saved thread.
pub struct Captured {
    pub interpreter: Interpreter,
    pub tstate: Addr,
    answer: Vec<file::Answer>,
    pieces: Vec<Piece>,
}

/// All images, sorted.
pub fn all() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/walk");
    let mut files: Vec<_> =
        std::fs::read_dir(dir).expect("scripts/seeds makes it").map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "img"));
    files.sort();
    files
}

impl Captured {
    pub fn read(path: &Path) -> Captured {
        let image = Image::parse(&std::fs::read(path).unwrap()).unwrap();
        let interpreter = seed::interpreter(&image).unwrap();
        let layout = &interpreter.layout;
        // The word that a line cache wants and no other walk reads (3.14+) is in no image.
        let generation = layout.runtime.code_object_generation.map(|offset| {
            let regions = regions(&image.pieces);
            let reader = ImageReader::new(&regions);
            let interp = reader.addr_at(Addr::new(image.tstate), layout.thread.interp).unwrap();
            Piece { start: interp.plus(offset).get(), bytes: vec![0; 8] }
        });
        let mut pieces = image.pieces.clone();
        pieces.extend(generation);
        pieces.sort_by_key(|piece| piece.start);
        Captured { interpreter, tstate: Addr::new(image.tstate), answer: image.frames, pieces }
    }

    pub fn regions(&self) -> Vec<Region<'_>> {
        regions(&self.pieces)
    }

    /// Whether CPython itself said so of the stack.
    pub fn is_answer(&self, frames: &[Frame], lines: bool) -> bool {
        frames.len() == self.answer.len()
            && frames.iter().zip(&self.answer).all(|(frame, answer)| {
                (frame.code.get(), frame.lasti) == (answer.code, answer.lasti)
                    && (!lines || frame.line == answer.line)
            })
    }

    /// Whether these are the innermost frames of it. Lines are found after all frames are, so they need not be there yet.
    pub fn begins_with(&self, frames: &[Frame]) -> bool {
        frames.len() <= self.answer.len()
            && frames.iter().zip(&self.answer).all(|(frame, answer)| {
                (frame.code.get(), frame.lasti) == (answer.code, answer.lasti)
                    && (frame.line == answer.line || frame.line == NO_LINE)
            })
    }

    /// An address of the image, or near one, that this process has mapped: a load that went past the reader would go unnoticed
    /// there. The kernel is asked, page by page.
    pub fn mapped_here(&self) -> Option<u64> {
        const PAGE: u64 = 4096;
        let own = VmReader::own();
        let pages = self.pieces.iter().flat_map(|piece| {
            let first = piece.start / PAGE;
            first..=(piece.start + piece.bytes.len() as u64) / PAGE
        });
        pages.map(|page| page * PAGE).find(|page| own.u8(Addr::new(*page)).is_ok())
    }
}

fn regions(pieces: &[Piece]) -> Vec<Region<'_>> {
    pieces.iter().map(|piece| Region { start: piece.start, bytes: &piece.bytes }).collect()
}

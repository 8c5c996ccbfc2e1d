//! The captured images, compiled in: the corpus of a fuzz target needs nothing but mutations.

use crate::image::{Answer, Image};
use crate::memory::Memory;
use crate::places::Places;
use crate::walk::strict_loads;
use sigwalk::addr::Addr;
use sigwalk::heuristics::Era;
use sigwalk::interpreter::Interpreter;
use sigwalk::layout::{Layout, LayoutError, Version};
use sigwalk::reader::{ImageReader, Region};

/// (name, file): `3.13.5-recursion`.
pub const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/seeds.rs"));

/// An image, ready to be mutated and walked.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Name of the file.
    pub name: &'static str,
    /// Version of the interpreter, as in the name: `3.13.5`.
    pub tag: &'static str,
    /// Index of that among [`tags`].
    pub tag_index: usize,
    /// Layout and addresses.
    pub interpreter: Interpreter,
    /// The thread state.
    pub tstate: Addr,
    /// Size of `_PyRuntime`.
    pub runtime_size: u64,
    /// The memory.
    pub memory: Memory,
    /// Its fields.
    pub places: Places,
    /// [`strict_loads`] of the memory.
    pub strict_loads: u32,
    /// What a walk of the undisturbed image finds.
    pub answers: Vec<Answer>,
}

/// The version in the name of a file.
fn tag(name: &str) -> &str {
    name.split_once('-').map_or(name, |(tag, _)| tag)
}

/// Versions that there are images of.
#[must_use]
pub fn tags() -> Vec<&'static str> {
    let mut tags: Vec<_> = FILES.iter().map(|(name, _)| tag(name)).collect();
    tags.dedup();
    tags
}

/// All seeds.
///
/// # Panics
/// A committed image is damaged.
#[must_use]
pub fn all() -> Vec<Seed> {
    let tags = tags();
    assert!(!FILES.is_empty(), "no images; run scripts/seeds");
    FILES.iter().map(|(name, file)| load(name, file, &tags)).collect()
}

/// Layout and addresses of the interpreter that was captured.
///
/// # Errors
/// The image is of one that is not known.
pub fn interpreter(image: &Image) -> Result<Interpreter, LayoutError> {
    let version = Version::from_hex(u64::from(image.version));
    let regions: Vec<_> =
        image.pieces.iter().map(|piece| Region { start: piece.start, bytes: &piece.bytes }).collect();
    let runtime = Addr::new(image.runtime);
    Ok(Interpreter {
        layout: Layout::read(&ImageReader::new(&regions), version, runtime, image.runtime_size)?,
        runtime,
        code_type: Addr::new(image.code_type),
        unicode_type: Addr::new(image.unicode_type),
        bytes_type: Addr::new(image.bytes_type),
        era: Era::of(version),
    })
}

fn load(name: &'static str, file: &[u8], tags: &[&str]) -> Seed {
    let image = Image::parse(file).unwrap_or_else(|why| panic!("{name}: {why}"));
    let interpreter = interpreter(&image).unwrap_or_else(|why| panic!("{name}: {why}"));
    let (memory, tstate) = (Memory::new(&image.pieces), Addr::new(image.tstate));
    let tag = tag(name);
    Seed {
        name,
        tag,
        tag_index: tags.iter().position(|other| *other == tag).expect("all tags are listed"),
        places: Places::of(&memory, &interpreter, tstate),
        runtime_size: image.runtime_size,
        interpreter,
        tstate,
        strict_loads: strict_loads(&memory),
        memory,
        answers: image.frames,
    }
}

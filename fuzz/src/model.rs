//! Damage of whole structures: what freed, reused and half-written memory looks like, by allocator.

use crate::memory::Place;
use crate::mutation::mixed;
use crate::places::{Kind, Object};
use crate::seed::Seed;
use sigwalk::layout::Outermost;

/// The debug hooks' byte for memory that was handed out.
pub const FRESH: u64 = 0xcdcd_cdcd_cdcd_cdcd;
/// For memory that was freed.
pub const DEAD: u64 = 0xdddd_dddd_dddd_dddd;
/// For the padding around blocks.
pub const FORBIDDEN: u64 = 0xfdfd_fdfd_fdfd_fdfd;

/// What becomes of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Freed under the debug hooks: every byte 0xdd.
    Dead,
    /// Handed out again under the debug hooks: every byte 0xcd.
    Fresh,
    /// Freed by pymalloc or mimalloc: the first word is a free-list link, the rest is intact.
    FreeList,
    /// Freed to a tcache of glibc: a mangled link, then a random key.
    Tcache,
    /// Freed to the unsorted bin of glibc: two links.
    Unsorted,
    /// A front part is that of another object of the kind: half-written, or copied while it was written.
    HalfWritten,
    /// All of it is another object of the kind, at this address: recycled.
    Recycled,
    /// All of it is an object of another kind.
    OtherKind,
    /// The outer frame of a frame is the frame itself.
    SelfCycle,
    /// Two entry frames are each the outer one of the other.
    EntryCycle,
    /// The chunk was reused: from a frame on, everything lies some words further.
    Shifted,
    /// From a byte on, a line table says that every varint goes on.
    EndlessVarint,
    /// A line table of another length, mostly shorter.
    TableLength,
    /// No entry of a line table begins where a table begins.
    NoHeader,
    /// Other kind, compactness or ASCII bit of a name.
    NameState,
    /// Another length of a name.
    NameLength,
}

impl Model {
    const ALL: [Model; 16] = [
        Model::Dead,
        Model::Fresh,
        Model::FreeList,
        Model::Tcache,
        Model::Unsorted,
        Model::HalfWritten,
        Model::Recycled,
        Model::OtherKind,
        Model::SelfCycle,
        Model::EntryCycle,
        Model::Shifted,
        Model::EndlessVarint,
        Model::TableLength,
        Model::NoHeader,
        Model::NameState,
        Model::NameLength,
    ];

    /// By a byte of input.
    #[must_use]
    pub fn of(byte: u8) -> Model {
        Model::ALL[usize::from(byte) % Model::ALL.len()]
    }

    /// The kind of structure that it is about.
    fn kind(self) -> Option<Kind> {
        match self {
            Model::SelfCycle | Model::EntryCycle | Model::Shifted => Some(Kind::Frame),
            Model::EndlessVarint | Model::TableLength | Model::NoHeader => Some(Kind::Table),
            Model::NameState | Model::NameLength => Some(Kind::Text),
            _ => None,
        }
    }
}

/// Damages a structure of the seed; [`crate::memory::Memory::restore`] undoes it.
pub fn apply(seed: &mut Seed, model: Model, which: usize, argument: u32) {
    let wide = u64::from(argument);
    let Some(object) = pick(seed, model.kind(), which) else { return };
    let at = object.base.get();
    let words = object.len / 8;
    let same = pick(seed, Some(object.kind), argument as usize).unwrap_or(object);
    match model {
        Model::Dead => seed.memory.fill(at, repeated(DEAD, words)),
        Model::Fresh => seed.memory.fill(at, repeated(FRESH, words)),
        Model::FreeList => {
            let next = if argument & 1 == 0 { same.base.get() } else { 0 };
            seed.memory.fill(at, [next]);
        }
        Model::Tcache => {
            let next = if argument & 1 == 0 { same.base.get() } else { 0 };
            seed.memory.fill(at, [next ^ (at >> 12), mixed(wide)]);
        }
        Model::Unsorted => {
            // Of the main arena, in a library that is in no image; the block before, which is in this one.
            let arena = 0x7fff_f7c0_0000 + (wide % 0x1000) * 16;
            seed.memory.fill(at, [arena, if argument & 1 == 0 { arena } else { same.base.get() }]);
        }
        Model::HalfWritten => copy(seed, same, at, 1 + (wide >> 16) % words.max(1)),
        Model::Recycled => copy(seed, same, at, words),
        Model::OtherKind => {
            if let Some(other) = pick(seed, None, argument as usize) {
                copy(seed, other, at, words);
            }
        }
        Model::SelfCycle => set_outer(seed, object, at),
        Model::EntryCycle => {
            make_entry(seed, object);
            make_entry(seed, same);
            set_outer(seed, object, same.base.get());
            set_outer(seed, same, at);
        }
        Model::Shifted => {
            let by = 1 + wide % 12;
            let old: Vec<u64> = (0..words * 2).map(|word| seed.memory.get(place(at, 8 * word, 8))).collect();
            seed.memory.fill(at + 8 * by, old);
        }
        Model::EndlessVarint | Model::NoHeader => {
            let header = u64::from(seed.interpreter.layout.text.bytes_data);
            let size = object.len.saturating_sub(header).max(1);
            if model == Model::NoHeader {
                let first = place(at, header, 1);
                let old = seed.memory.get(first);
                seed.memory.set(first, old & 0x7f);
            } else {
                let from = (wide >> 8) % size;
                for index in from..size.min(from + 64) {
                    seed.memory.set(place(at, header + index, 1), 0x40 | wide & 0x3f);
                }
            }
        }
        Model::TableLength => {
            let size = place(at, seed.interpreter.layout.text.bytes_size.into(), 8);
            let old = seed.memory.get(size);
            let new = match argument % 4 {
                0 => 0,
                1 => old.wrapping_add_signed(i64::from((argument >> 8) as i16)),
                2 => 1 << ((wide >> 8) % 64),
                _ => (wide >> 8) % old.max(1),
            };
            seed.memory.set(size, new);
        }
        Model::NameState => {
            let state = place(at, seed.interpreter.layout.text.state.into(), 4);
            let old = seed.memory.get(state);
            // Bits 2–6 are kind, compact and ASCII.
            seed.memory.set(state, old & !0x7c | wide & 0x7c);
        }
        Model::NameLength => {
            let length = place(at, seed.interpreter.layout.text.length.into(), 8);
            let new = if argument & 1 == 0 { (wide >> 1) & 0xff } else { 1 << ((wide >> 1) % 64) };
            seed.memory.set(length, new);
        }
    }
}

fn place(base: u64, offset: u64, width: u8) -> Place {
    Place { at: base.wrapping_add(offset), base, width }
}

fn repeated(word: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |_| word)
}

fn pick(seed: &Seed, kind: Option<Kind>, which: usize) -> Option<Object> {
    let places = &seed.places;
    match kind {
        None => places.objects().get(which % places.objects().len().max(1)).copied(),
        Some(kind) => places.objects_of(kind).nth(which % places.objects_of(kind).count().max(1)),
    }
}

/// Writes the first words of an object to `to`.
fn copy(seed: &mut Seed, from: Object, to: u64, words: u64) {
    for word in 0..words.min(from.len / 8) {
        let value = seed.memory.get(place(from.base.get(), 8 * word, 8));
        seed.memory.set(place(to, 8 * word, 8), value);
    }
}

fn set_outer(seed: &mut Seed, frame: Object, outer: u64) {
    let previous = place(frame.base.get(), seed.interpreter.layout.frame.previous.into(), 8);
    seed.memory.set(previous, outer);
}

/// Makes a frame one that walkers skip.
fn make_entry(seed: &mut Seed, frame: Object) {
    let layout = seed.interpreter.layout.frame;
    if let Outermost::IsEntry(offset) = layout.outermost {
        seed.memory.set(place(frame.base.get(), offset.into(), 1), 1);
    }
    if let Some(owner) = layout.entry_owner {
        seed.memory.set(place(frame.base.get(), layout.owner.into(), 1), owner.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MAX_REGIONS;
    use crate::seed;
    use sigwalk::reader::{Reader, Region};

    /// Every mapped byte.
    fn bytes(seed: &Seed) -> Vec<u8> {
        let mut regions = [Region { start: 0, bytes: &[] }; MAX_REGIONS];
        let image = seed.memory.reader(&mut regions);
        let spans = (0..seed.memory.region_count()).map(|index| seed.memory.region(index));
        let byte = |at| image.u8(sigwalk::addr::Addr::new(at)).unwrap();
        spans.flat_map(|(start, len)| start..start + len).map(byte).collect()
    }

    #[test]
    fn every_model_damages_every_image_and_is_undone() {
        for mut seed in seed::all() {
            let before = bytes(&seed);
            for model in Model::ALL {
                let mut changes = 0;
                for which in 0..40 {
                    apply(&mut seed, model, which, 0x0101 + 0x1_0203 * which as u32);
                    changes += u32::from(bytes(&seed) != before);
                    seed.memory.restore();
                    assert!(bytes(&seed) == before, "{}: {model:?} is not undone", seed.name);
                }
                assert!(changes > 0, "{}: {model:?} changes nothing", seed.name);
            }
        }
    }
}

//! Mutations: eight bytes of input each, so that a mutator that changes a byte changes one choice.
//!
//! ```text
//! 0  what: a frame field, a code field, …, raw, unmap, a whole object
//! 1  how: the value that a field gets, or what becomes of the object
//! 2  u16  which place or object of that kind
//! 4  u32  argument of that
//! ```
//!
//! `Arbitrary` is derived where it takes exactly these bytes. It is written out for enums, of which a derived one spends four bytes
//! and looks at one, and for the list, which would take a byte more an element.

use crate::memory::{Memory, Place};
use crate::model::{self, Model};
use crate::places::Kind;
use crate::seed::Seed;
use arbitrary::{Arbitrary, Unstructured};
use std::fmt;

/// Bytes of a mutation.
pub const SIZE: usize = 8;
/// Mutations of one input; what follows is ignored. More only make the walk end earlier.
pub const MOST: usize = 8;

/// What is mutated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A field.
    Field(Kind),
    /// A number anywhere.
    Raw,
    /// A whole region, which is unmapped.
    Region,
    /// A structure, by a [`Model`].
    Object,
}

impl What {
    /// By the first byte. Frames and objects more often than the rest: they are what the claims are about.
    const TABLE: [What; 20] = {
        use What::{Field, Object, Raw, Region};
        let (frame, code, table, text) =
            (Field(Kind::Frame), Field(Kind::Code), Field(Kind::Table), Field(Kind::Text));
        let (thread, chunk) = (Field(Kind::Thread), Field(Kind::Chunk));
        [
            frame, frame, frame, frame, code, code, code, thread, chunk, table, table, text, text, Raw,
            Region, Object, Object, Object, Object, Object,
        ]
    };
}

impl<'a> Arbitrary<'a> for What {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::TABLE[usize::from(u8::arbitrary(u)?) % Self::TABLE.len()])
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(1))
    }
}

/// One mutation.
#[derive(Clone, Copy, Arbitrary)]
pub struct Mutation {
    what: What,
    how: u8,
    which: u16,
    argument: u32,
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mutation { what, how, which, argument } = self;
        match what {
            What::Region => write!(f, "unmap region {which}"),
            What::Object => write!(f, "{:?} of {which}, {argument:#x}", Model::of(*how)),
            _ => write!(f, "{what:?} {which}: class {}, {argument:#x}", how % CLASSES),
        }
    }
}

/// An input of the target `walk`.
#[derive(Clone, Debug)]
pub struct Input {
    /// Which image, modulo their number.
    pub image: u8,
    /// At most [`MOST`].
    pub mutations: Vec<Mutation>,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let image = u.arbitrary()?;
        // A last mutation that is cut short is ignored.
        let count = (u.len() / SIZE).min(MOST);
        let mutations = (0..count).map(|_| u.arbitrary()).collect::<Result<_, _>>()?;
        Ok(Input { image, mutations })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, None)
    }
}

/// Applies one; [`Memory::restore`] undoes it.
pub fn apply(seed: &mut Seed, mutation: Mutation) {
    let Mutation { what, how, which, argument } = mutation;
    let which = usize::from(which);
    match what {
        What::Field(kind) => {
            let places = seed.places.of_kind(kind);
            if !places.is_empty() {
                let index = which % places.len();
                let (place, value) = (places[index], value(seed, places, index, how, argument));
                seed.memory.set(place, value);
            }
        }
        What::Raw => {
            let place = raw(&seed.memory, which, argument);
            let value = value(seed, &[place], 0, how, argument);
            seed.memory.set(place, value);
        }
        What::Region => seed.memory.unmap(which % seed.memory.region_count()),
        What::Object => model::apply(seed, Model::of(how), which, argument),
    }
}

/// A place anywhere: region by `which`, offset and width by the upper half of the argument.
fn raw(memory: &Memory, which: usize, argument: u32) -> Place {
    let (start, len) = memory.region(which % memory.region_count());
    let width = [1, 4, 8, 8][(which >> 8) % 4];
    let offset = u64::from(argument >> 16) % len.saturating_sub(u64::from(width)).max(1);
    Place { at: start + offset, base: start, width }
}

/// Free address space of every seed, a pointer by its shape.
const NOWHERE: u64 = 0x6660_0000_0000;
/// Refcounts of immortal objects: 3.12 and 3.13; 3.14 and later without and with its flags; all but the top bits.
const IMMORTAL: [u64; 4] = [0xffff_ffff, 0x3fff_ffff_ffff_ffff, 0xc000_0000, 0x5_0000_c000_0000];
const CLASSES: u8 = 18;

/// The new value of `places[index]`.
fn value(seed: &Seed, places: &[Place], index: usize, class: u8, argument: u32) -> u64 {
    let place = places[index];
    let old = seed.memory.get(place);
    let wide = u64::from(argument);
    let other_region = seed.memory.region(argument as usize % seed.memory.region_count());
    match class % CLASSES {
        // What the debug hooks leave in fresh, freed and forbidden memory.
        0 => model::FRESH,
        1 => model::DEAD,
        2 => model::FORBIDDEN,
        3 => wide & 0x1ff,
        4 => (wide & 0x1ff).wrapping_neg(),
        5 => NOWHERE + (wide & 0xff_ffff) * 8,
        // Unaligned.
        6 => old.wrapping_add(1 + wide % 7),
        // A cycle.
        7 => place.base,
        // The same or another field of a neighbour.
        8 => seed.memory.get(places[argument as usize % places.len()]),
        9 => other_region.0,
        // An alias 4 GiB further.
        10 => old.wrapping_add((1 + wide % 7) << 32),
        // All 64 bits, from 32 of input.
        11 => mixed(wide),
        // The tag, or a refcount off by one.
        12 => old ^ 1,
        13 => wide,
        // Another index, length or line.
        14 => old.wrapping_add_signed(i64::from(argument as i16)),
        15 => IMMORTAL[argument as usize % IMMORTAL.len()],
        // No address of a user: bits above the lower half.
        16 => old | (1 + wide % 0xffff) << 48,
        // Inside another region: an object that was reused for something else.
        _ => other_region.0 + ((wide >> 8) * 8) % other_region.1.max(8),
    }
}

/// A step of splitmix64.
pub(crate) fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Input {
        Input::arbitrary_take_rest(Unstructured::new(bytes)).unwrap()
    }

    #[test]
    fn a_byte_is_a_choice_of_one_mutation() {
        let bytes: Vec<u8> = (0..=2 * SIZE as u8).collect();
        let before = read(&bytes);
        assert_eq!((before.image, before.mutations.len()), (0, 2));
        for index in 1..bytes.len() {
            let mut other = bytes.clone();
            other[index] ^= 0x24;
            let after = read(&other);
            let fields = |m: &Mutation| (m.what, m.how, m.which, m.argument);
            let changed: Vec<_> = before
                .mutations
                .iter()
                .zip(&after.mutations)
                .map(|(a, b)| {
                    let (a, b) = (fields(a), fields(b));
                    [a.0 != b.0, a.1 != b.1, a.2 != b.2, a.3 != b.3]
                        .iter()
                        .filter(|differs| **differs)
                        .count()
                })
                .collect();
            let expected = if index <= SIZE { [1, 0] } else { [0, 1] };
            assert_eq!(changed, expected, "byte {index}");
        }
    }

    #[test]
    fn a_mutation_that_is_cut_short_is_ignored() {
        let input = read(&[3; 1 + SIZE + SIZE - 1]);
        assert_eq!((input.image, input.mutations.len()), (3, 1));
        let many = read(&[3; 1000]);
        assert_eq!(many.mutations.len(), MOST);
    }
}

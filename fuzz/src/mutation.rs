//! Mutations: eight bytes of input each, so that a mutator that changes a byte changes one choice.
//!
//! ```text
//! 0  what: frame field, code field, …, raw, unmap
//! 1  class of the new value
//! 2  u16  which place of that kind
//! 4  u32  argument of the class
//! ```

use crate::memory::{Memory, Place};
use crate::places::Kind;
use crate::seed::Seed;

/// Bytes of a mutation.
pub const SIZE: usize = 8;
/// Mutations of one input; what follows is ignored. More only make the walk end earlier.
pub const MOST: usize = 8;

/// Applies the mutations in `input`; [`Memory::restore`] undoes them.
pub fn apply(seed: &mut Seed, input: &[u8]) {
    for record in input.chunks_exact(SIZE).take(MOST) {
        let which = usize::from(u16::from_le_bytes([record[2], record[3]]));
        let argument = u32::from_le_bytes([record[4], record[5], record[6], record[7]]);
        // Frames three times as often as the rest: they are what the claims are about.
        let kind = match record[0] % 12 {
            0..=2 => Kind::Frame,
            3 | 4 => Kind::Code,
            5 => Kind::Thread,
            6 => Kind::Chunk,
            7 => Kind::Table,
            8 => Kind::Text,
            9 | 10 => {
                let place = raw(&seed.memory, which, argument);
                let value = value(seed, &[place], 0, record[1], argument);
                seed.memory.set(place, value);
                continue;
            }
            _ => {
                seed.memory.unmap(which % seed.memory.region_count());
                continue;
            }
        };
        let places = seed.places.of_kind(kind);
        if !places.is_empty() {
            let index = which % places.len();
            let (place, value) = (places[index], value(seed, places, index, record[1], argument));
            seed.memory.set(place, value);
        }
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

/// The new value of `places[index]`.
fn value(seed: &Seed, places: &[Place], index: usize, class: u8, argument: u32) -> u64 {
    let place = places[index];
    let old = seed.memory.get(place);
    let wide = u64::from(argument);
    let other_region = seed.memory.region(argument as usize % seed.memory.region_count());
    match class % 16 {
        // What the debug hooks leave in fresh, freed and forbidden memory.
        0 => 0xcdcd_cdcd_cdcd_cdcd,
        1 => 0xdddd_dddd_dddd_dddd,
        2 => 0xfdfd_fdfd_fdfd_fdfd,
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
        10 => old.wrapping_add((1 + wide % 7) << 32),
        // All 64 bits, from 32 of input.
        11 => mixed(wide),
        // The tag, or a refcount off by one.
        12 => old ^ 1,
        13 => wide,
        // Another index, length or line.
        14 => old.wrapping_add_signed(i64::from(argument as i16)),
        // Inside another region: an object that was reused for something else.
        _ => other_region.0 + ((wide >> 8) * 8) % other_region.1.max(8),
    }
}

/// A step of splitmix64.
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

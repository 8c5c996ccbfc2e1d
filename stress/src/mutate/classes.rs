//! What is written: classes of values, each after something that CPython's memory really shows.

use super::fields::Place;
use super::stack::Captured;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

macro_rules! classes {
    ($($variant:ident = $name:literal, $about:literal;)*) => {
        /// A class of values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Class { $($variant,)* }

        /// All classes.
        pub const ALL: &[Class] = &[$(Class::$variant),*];

        impl Class {
            /// Name in records.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Class::$variant => $name,)* }
            }
            /// Where such values come from.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Class::$variant => $about,)* }
            }
        }
    };
}

classes! {
    FreedCd = "freed-cd", "fresh memory of the debug hooks, 0xCD…";
    FreedDd = "freed-dd", "freed memory of the debug hooks, 0xDD…";
    FreedFd = "freed-fd", "guard bytes of the debug hooks, 0xFD…";
    Zero = "zero", "NULL; the first word of the last free block of a pool";
    Small = "small", "1 to 0xff: small integers and flags where a pointer was";
    NegativeSmall = "negative-small", "-0xff to -1";
    Unmapped = "unmapped", "an address of memory that was given back: aligned, canonical, not readable";
    NonCanonical = "non-canonical", "a glibc tcache key or a mangled pointer: no user address";
    Unaligned = "unaligned", "the value plus 1 to 7";
    SelfCycle = "self-cycle", "the address of the frame itself";
    TwoCycle = "two-cycle", "the address of the next inner frame";
    Neighbour = "neighbour", "the same field of another frame of this stack";
    Alias4Gib = "alias-4gib", "the value plus a multiple of 4 GiB";
    Garbage = "garbage", "an address of readable memory that holds random bytes";
    BitFlip = "bit-flip", "the value with one bit changed";
    Random = "random", "64 random bits";
}

impl Class {
    /// A value of this class for `place`, which holds `before`. Cut to the width of the place by the caller.
    pub fn value(self, place: &Place, before: u64, stack: &Captured<'_>, random: &mut ChaCha8Rng) -> u64 {
        let pick = |random: &mut ChaCha8Rng, length: u64| random.random_range(0..length);
        match self {
            Class::FreedCd => 0xcdcd_cdcd_cdcd_cdcd,
            Class::FreedDd => 0xdddd_dddd_dddd_dddd,
            Class::FreedFd => 0xfdfd_fdfd_fdfd_fdfd,
            Class::Zero => 0,
            Class::Small => 1 + pick(random, 0xff),
            Class::NegativeSmall => (1 + pick(random, 0xff)).wrapping_neg(),
            Class::Unmapped => stack.memory.unmapped + pick(random, stack.memory.size / 16) * 16,
            Class::NonCanonical => random.random::<u64>() | 1 << 62,
            Class::Unaligned => before.wrapping_add(1 + pick(random, 7)),
            Class::SelfCycle => stack.chain[place.frame].frame.get(),
            Class::TwoCycle => stack.chain[place.frame.saturating_sub(1)].frame.get(),
            Class::Neighbour => {
                let other = &stack.chain[stack.python[random.random_range(0..stack.python.len())]];
                // Of the same kind of owner: the frame, or what the frame's code leads to.
                let mine = &stack.chain[place.frame];
                let base = if place.owner == mine.frame {
                    other.frame
                } else if place.owner == mine.code {
                    other.code
                } else {
                    return random.random();
                };
                stack.live.word(base.plus(place.offset & !7)).unwrap_or(0) >> ((place.offset & 7) * 8)
            }
            Class::Alias4Gib => before.wrapping_add((1 + pick(random, 255)) << 32),
            Class::Garbage => stack.memory.garbage + pick(random, stack.memory.size / 16 - 64) * 16,
            Class::BitFlip => before ^ 1 << pick(random, u64::from(place.width) * 8),
            Class::Random => random.random(),
        }
    }
}

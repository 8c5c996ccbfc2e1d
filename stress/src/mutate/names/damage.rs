//! Fault models that only strings have.

use rand::{Rng, RngExt};

/// `PyUnicodeObject.state`: bits 2 to 4 kind (bytes a code point), bit 5 compact, bit 6 ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub u32);

const KIND: u32 = 7 << 2;
const COMPACT: u32 = 1 << 5;
const ASCII: u32 = 1 << 6;

impl State {
    pub(super) const fn kind(self) -> u32 {
        (self.0 & KIND) >> 2
    }
    pub(super) const fn is_compact(self) -> bool {
        self.0 & COMPACT != 0
    }
    pub(super) const fn is_ascii(self) -> bool {
        self.0 & ASCII != 0
    }
}

/// What becomes of a string's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Another length.
    Length,
    /// Another kind, the rest of the state as it is.
    Kind,
    /// Compact and ASCII, one of them or both, are what they are not.
    State,
}

impl Model {
    /// A value to write where `before` stands; never `before` itself.
    pub fn value(self, before: u64, random: &mut impl Rng) -> u64 {
        match self {
            Model::Length => {
                const EDGE: u64 = 1 << 31;
                let values = [
                    0,
                    before.wrapping_sub(1),
                    before + 1,
                    before / 2,
                    before * 2 + 1,
                    EDGE - 1,
                    EDGE,
                    before | 1 << 32,
                    u64::MAX,
                    random.random_range(0..4096),
                ];
                another(&values, before, random)
            }
            Model::Kind => {
                let rest = before & !u64::from(KIND);
                let values: [u64; 8] = std::array::from_fn(|kind| rest | (kind as u64) << 2);
                another(&values, before, random)
            }
            Model::State => {
                let values = [COMPACT, ASCII, COMPACT | ASCII].map(|bits| before ^ u64::from(bits));
                another(&values, before, random)
            }
        }
    }
}

fn another(values: &[u64], before: u64, random: &mut impl Rng) -> u64 {
    loop {
        let value = values[random.random_range(0..values.len())];
        if value != before {
            return value;
        }
    }
}

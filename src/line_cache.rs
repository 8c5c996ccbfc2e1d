//! Lines that were looked up before, for any thread and any handler.
//!
//! A profiler sees the same (code object, instruction) again and again, and the answer never changes while that code object
//! lives: line table and first line of a code object are immutable. But it may die, and its address is the first that the
//! allocator hands out again. So an entry is found by more than its address:
//!
//! | version | identity of a code object beyond address, table (address and length) and first line | what it cannot tell apart |
//! |---|---|---|
//! | 3.14, 3.15 | `_code_object_generation` of its interpreter, increased before a code object is freed; `co_version` too | nothing, while the interpreter lives |
//! | 3.12, 3.13 | `co_version`, given to each code object once | nothing, while the interpreter lives; after 2³² code objects the version is 0, and such code is not cached |
//! | 3.11 | 32 bytes of the table, spread over it ([`fingerprint`]) | a successor at the same two addresses whose longer table differs elsewhere, shown by the test named below: its line is that of its predecessor |
//!
//! The generation is the interpreter's (of the thread that frees), so all entries of an interpreter fall with each code object
//! that dies in it: programs that make functions with `exec` all the time profit little. The address of the interpreter state
//! is part of the key, as versions and generations are counted per interpreter.
//!
//! A new interpreter counts from the beginning, at the same address (`Py_Finalize`, then `Py_Initialize`; a sub-interpreter after
//! another): [`LineCache::clear`] belongs between them.
//!
//! A hit is believed without a look at the table: a table that is overwritten by somebody's bug is found out by a lookup and not
//! by the cache.
//!
//! Test: `stress/embed/tests/line_cache.rs` makes the allocator reuse addresses on the running interpreter.

use crate::addr::Addr;
use crate::reader::{POISON, Reader};
use crate::sync::Seqlock;

/// Entries.
pub const ENTRIES: usize = 1024;

/// Sets of two: two hot instructions that share a place do not push each other out in every walk.
const SETS: usize = ENTRIES / 2;

/// The key's words, and the line.
const WORDS: usize = 7;

/// One cache line: sequence and words.
#[derive(Debug)]
#[repr(align(64))]
struct Entry(Seqlock<WORDS>);

/// Lines of code objects, 64 KiB, for a static:
///
/// ```
/// use sigwalk::line_cache::LineCache;
/// static LINES: LineCache = LineCache::new();
/// ```
///
/// Walks fill it and ask it where a request names it (`Request::with_lines`). By hand:
///
/// ```
/// # use sigwalk::line_cache::LineCache;
/// # static LINES: LineCache = LineCache::new();
/// use sigwalk::addr::Addr;
/// use sigwalk::line_cache::Key;
///
/// let (code, table, interp) = (Addr::new(0x1000), Addr::new(0x2000), Addr::new(0x3000));
/// let key = Key { code, lasti: 8, table, len: 40, first: 1, version: 17, interp, context: 0 };
/// LINES.put(&key, 4);
/// assert_eq!(LINES.get(&key), Some(4));
/// // Another code object at the same address.
/// assert_eq!(LINES.get(&Key { version: 18, ..key }), None);
/// ```
///
/// # Signal safety
///
/// No method waits for anybody: who meets a writer, on this thread or another, looks the line up, or forgets what it found.
#[derive(Debug)]
pub struct LineCache {
    sets: [[Entry; 2]; SETS],
}

/// What a line is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The code object.
    pub code: Addr,
    /// Offset of the instruction, bytes.
    pub lasti: i32,
    /// `co_linetable`
    pub table: Addr,
    /// Its length, bytes.
    pub len: u32,
    /// `co_firstlineno`
    pub first: i32,
    /// `co_version`; 0 before 3.12.
    pub version: u32,
    /// The interpreter state.
    pub interp: Addr,
    /// 3.14+: the interpreter's `_code_object_generation`; 3.11: the table's [`fingerprint`]; else 0.
    pub context: u64,
}

impl Key {
    #[inline(always)]
    fn words(&self) -> [u64; WORDS - 1] {
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        [
            self.code.get(),
            self.table.get(),
            pair(self.lasti as u32, self.first as u32),
            pair(self.len, self.version),
            self.interp.get(),
            self.context,
        ]
    }
}

impl LineCache {
    /// An empty cache.
    #[must_use]
    pub const fn new() -> Self {
        LineCache { sets: [const { [const { Entry(Seqlock::new()) }; 2] }; SETS] }
    }

    /// The line stored with exactly this key; −1 says that the instruction has none.
    ///
    /// # Signal safety
    /// At most 18 loads.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<i32> {
        let [a, b, c, d, e, f] = key.words();
        let [first, second] = self.set(key);
        let look = |entry: &Entry| {
            let words = entry.0.read()?;
            // In registers, where `==` of two arrays is a call.
            let differs = (words[0] ^ a)
                | (words[1] ^ b)
                | (words[2] ^ c)
                | (words[3] ^ d)
                | (words[4] ^ e)
                | (words[5] ^ f);
            (differs == 0).then_some(words[6] as i32)
        };
        look(first).or_else(|| look(second))
    }

    /// Keeps a line, in the place of whatever was there. Does nothing where somebody else is writing.
    ///
    /// # Signal safety
    /// Loads, stores, one compare-exchange.
    #[inline(never)]
    pub fn put(&self, key: &Key, line: i32) {
        let [a, b, c, d, e, f] = key.words();
        let [first, second] = self.set(key);
        // By turns: an entry that was written once less is the older one.
        let entry = if first.0.writes() <= second.0.writes() { first } else { second };
        let words = [a, b, c, d, e, f, u64::from(line as u32)];
        // One that a writer never left is odd for ever: the other one serves on.
        if !entry.0.try_write(words) {
            let other = if core::ptr::eq(entry, first) { second } else { first };
            other.0.try_write(words);
        }
    }

    /// Forgets everything: needed when an interpreter took another's place. For a moment when nobody walks; an entry that
    /// somebody is writing would stay.
    pub fn clear(&self) {
        for entry in self.sets.iter().flatten() {
            // No code object is at NULL.
            entry.0.try_write([0; WORDS]);
        }
    }

    #[inline(always)]
    fn set(&self, key: &Key) -> &[Entry; 2] {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the address and the offset.
        let mixed = key.code.get() ^ u64::from(key.lasti as u32) << 32;
        let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SETS.trailing_zeros());
        &self.sets[hash as usize % SETS]
    }
}

impl Default for LineCache {
    fn default() -> Self {
        Self::new()
    }
}

/// 32 bytes of a table of `len` bytes at `data`, mixed into 64 bits: the first and the last eight, eight from the middle and
/// eight from three quarters. A table of at most 24 bytes is in it completely. A collision of two such words takes more than
/// chance: the mix is no cryptographic hash. `None` where the table cannot be read, or holds [`POISON`].
///
/// # Signal safety
/// At most eight loads, none outside the table.
#[inline(always)]
pub fn fingerprint<R: Reader>(reader: &R, data: Addr, len: u32) -> Option<u64> {
    // Four products that do not wait for one another; odd factors, so that no difference of a single word is lost.
    const FACTORS: [u64; 4] =
        [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93];
    if len < 8 {
        let mut word = 0;
        for index in 0..len {
            word = word << 8 | u64::from(reader.u8_at(data, index).ok()?);
        }
        return Some(word.wrapping_mul(FACTORS[0]));
    }
    let last = len - 8;
    let (mut hash, mut poisoned) = (0_u64, false);
    for (at, factor) in [0, last / 2, last / 2 + last / 4, last].into_iter().zip(FACTORS) {
        let word = reader.u64_or_poison(data, at);
        poisoned |= word == POISON;
        hash = hash.wrapping_add(word.wrapping_mul(factor));
    }
    (!poisoned).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{ImageReader, Region};

    static CACHE: LineCache = LineCache::new();

    fn key(code: u64, lasti: i32) -> Key {
        Key {
            code: Addr::new(code),
            lasti,
            table: Addr::new(0x5000),
            len: 40,
            first: 7,
            version: 3,
            interp: Addr::new(0x9000),
            context: 11,
        }
    }

    #[test]
    fn only_exactly_the_same_key_is_found() {
        assert_eq!(size_of::<LineCache>(), ENTRIES * 64);
        let stored = key(0x1000, 6);
        assert_eq!(CACHE.get(&stored), None);
        CACHE.put(&stored, 42);
        assert_eq!(CACHE.get(&stored), Some(42));
        let others = [
            Key { code: Addr::new(0x1010), ..stored },
            Key { lasti: 8, ..stored },
            Key { table: Addr::new(0x5010), ..stored },
            Key { len: 41, ..stored },
            Key { first: 8, ..stored },
            Key { version: 4, ..stored },
            Key { interp: Addr::new(0x9008), ..stored },
            Key { context: 12, ..stored },
        ];
        for other in &others {
            // Also where both are looked for in the same place.
            let cache = LineCache::new();
            cache.put(other, 1);
            assert_eq!(CACHE.get(other), None, "{other:?}");
            assert_eq!(cache.get(&stored), None, "{other:?}");
        }
        CACHE.put(&others[1], crate::frame::NO_LINE);
        assert_eq!(CACHE.get(&others[1]), Some(-1));
        CACHE.clear();
        assert_eq!((CACHE.get(&stored), CACHE.get(&others[1])), (None, None));
    }

    #[test]
    fn two_that_share_a_place_are_both_kept_and_the_older_one_goes() {
        let cache = LineCache::new();
        let place = |key: &Key| core::ptr::from_ref(cache.set(key));
        let mut same =
            (0..).map(|lasti| key(0x1000, lasti * 2)).filter(|other| place(other) == place(&key(0x1000, 0)));
        let [a, b, c] = core::array::from_fn(|_| same.next().unwrap());
        cache.put(&a, 1);
        cache.put(&b, 2);
        assert_eq!((cache.get(&a), cache.get(&b)), (Some(1), Some(2)));
        cache.put(&c, 3);
        assert_eq!((cache.get(&a), cache.get(&b), cache.get(&c)), (None, Some(2), Some(3)));
        cache.put(&a, 4);
        assert_eq!((cache.get(&a), cache.get(&b), cache.get(&c)), (Some(4), None, Some(3)));
    }

    #[test]
    fn offsets_of_a_code_object_and_neighbours_spread_over_the_sets() {
        let cache = LineCache::new();
        let mut keys: Vec<Key> = (0..16_u64)
            .flat_map(|code| (0..16).map(move |unit| key(0x7f00_0000_1000 + code * 0x1d0, unit * 2)))
            .collect();
        for (line, key) in keys.iter().enumerate() {
            cache.put(key, line as i32);
        }
        keys.retain(|key| cache.get(key).is_none());
        assert!(keys.len() < 32, "{} of 256 were pushed out", keys.len());
    }

    #[test]
    fn a_fingerprint_is_of_the_whole_table_while_it_is_short() {
        let print = |table: &[u8]| {
            let regions = [Region { start: 0x1000, bytes: table }];
            fingerprint(&ImageReader::new(&regions), Addr::new(0x1000), table.len() as u32).unwrap()
        };
        for len in 0..=24 {
            let table = vec![0xd8; len];
            for place in 0..len {
                let mut other = table.clone();
                other[place] ^= 8;
                assert_ne!(print(&table), print(&other), "byte {place} of {len}");
            }
        }
        // The limit that the module's description states.
        let mut other = vec![0xd8; 100];
        other[30] ^= 8;
        assert_eq!(print(&[0xd8; 100]), print(&other));
    }
}

//! A string object out of the bytes of an input.

use crate::memory::MAX_REGIONS;
use crate::places::Kind;
use crate::seed;
use arbitrary::Arbitrary;
use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::reader::{ImageReader, Reader, Region};

/// Where the object lies. Free address space of every seed.
pub const AT: u64 = 0x6660_0000_0000;
/// Where the characters of an object lie whose data is elsewhere.
pub const ELSEWHERE: u64 = 0x6661_0000_0000;

/// An input: every byte is one choice, and the rest is the object as it lies in memory.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Input<'a> {
    /// Which interpreter, modulo their number.
    pub image: u8,
    /// Bytes that there is room for.
    pub room: u8,
    /// What of the object is put right, so that other damage than the first is met: bit 0 the type, 1 the length, 2 the state word
    /// (bits 5 and 6 are its kind, 7 is ASCII), 3 the data is elsewhere. Bit 4: no call stack.
    pub repair: u8,
    /// The object.
    pub bytes: &'a [u8],
}

impl Input<'_> {
    /// Whether call stacks are collected too.
    #[must_use]
    pub fn stack(&self) -> bool {
        self.repair & 16 == 0
    }
}

/// The object of an input.
pub struct Object<'a> {
    bytes: Vec<u8>,
    elsewhere: &'a [u8],
}

impl<'a> Object<'a> {
    /// Builds it.
    pub fn of(input: &Input<'a>, interpreter: &Interpreter) -> Self {
        let (code, text) = (&interpreter.layout.code, &interpreter.layout.text);
        let mut bytes = input.bytes.to_vec();
        let (repair, mut elsewhere) = (input.repair, &[][..]);
        let apart = repair & 8 != 0;
        let ascii = repair & 128 != 0 && !apart;
        let header = if ascii { text.ascii_data } else { text.compact_data } as usize;
        if repair & 8 != 0 {
            elsewhere = input.bytes.get(header..).unwrap_or_default();
            bytes.resize(header, 0);
            bytes.extend(ELSEWHERE.to_le_bytes());
        }
        let mut put = |offset: u32, word: &[u8]| {
            if let Some(place) = bytes.get_mut(offset as usize..offset as usize + word.len()) {
                place.copy_from_slice(word);
            }
        };
        let width = if ascii { 1 } else { [1_u32, 2, 4, 1][usize::from(repair >> 5 & 3)] };
        if repair & 1 != 0 {
            put(code.ob_type, &interpreter.unicode_type.get().to_le_bytes());
        }
        if repair & 2 != 0 {
            let data = input.bytes.len().saturating_sub(header) as u64;
            put(text.length, &(data / u64::from(width)).to_le_bytes());
        }
        if repair & 4 != 0 {
            let state = width << 2 | u32::from(!apart) << 5 | u32::from(ascii) << 6;
            put(text.state, &state.to_le_bytes());
        }
        Object { bytes, elsewhere }
    }

    /// All of it.
    pub fn regions(&self) -> [Region<'_>; 2] {
        [Region { start: AT, bytes: &self.bytes }, Region { start: ELSEWHERE, bytes: self.elsewhere }]
    }

    /// What is mapped from `at` on.
    pub fn memory<'s>(&'s self) -> impl Fn(u64) -> &'s [u8] {
        |at| {
            let inside =
                |start: u64, bytes: &[u8]| at.checked_sub(start).filter(|from| *from < bytes.len() as u64);
            match (inside(AT, &self.bytes), inside(ELSEWHERE, self.elsewhere)) {
                (Some(from), _) => &self.bytes[from as usize..],
                (_, Some(from)) => &self.elsewhere[from as usize..],
                _ => &[],
            }
        }
    }
}

/// The string objects of all images as inputs, with what they are called.
#[must_use]
pub fn captured() -> Vec<(String, Vec<u8>)> {
    let mut inputs = Vec::new();
    let named = seed::all().into_iter().filter(|seed| seed.name.ends_with("-names"));
    for (image, seed) in named.enumerate() {
        let text = seed.interpreter.layout.text;
        let mut regions = [Region { start: 0, bytes: &[] }; MAX_REGIONS];
        let memory: ImageReader<'_> = seed.memory.reader(&mut regions);
        for (index, object) in seed.places.objects_of(Kind::Text).enumerate() {
            let (base, len) = (object.base, object.len as usize);
            let mut bytes = vec![0; len];
            memory.bytes(Addr::new(base.get()), &mut bytes).expect("captured");
            let length = memory.u64(base.plus(text.length)).expect("captured");
            let name = format!("{}-{index}-of-{length}", seed.tag);
            inputs.push((name, [&[image as u8, 200, 0], &bytes[..]].concat()));
        }
    }
    inputs
}

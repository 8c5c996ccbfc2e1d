//! The vectorised decoders against the scalar one, over tables of any bytes, plausible ones and real-looking ones, for every
//! offset; and what they load: nothing outside of the table, and not more often than is said.
//!
//! `SIGWALK_DECODES=100000000 cargo test --release -p sigwalk decodes` sets how many decodes the random test makes with each
//! decoder over each reader; by default a tenth of a million, in release mode a million.

use super::{Decoder, Line, LineError, line_at_by, most_loads, scalar};
use crate::addr::Addr;
use crate::cpu::Avx2;
use crate::reader::{
    Block, BlockReader, Budgeted, Fault, GuardedReader, ImageReader, Reader, Region, VmReader, WIDE_POISON,
};
use crate::signal;
use core::cell::Cell;

const AT: u64 = 0x1000;
const BUDGET: u32 = u32::MAX;
/// A few seconds either way.
const DEFAULT: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// Counts loads (one of 32 bytes as four) and ends the test at one outside the table: a decoder would get over it, because a
/// wide load that fails is only made again in smaller ones.
struct Within<R> {
    reader: R,
    data: Addr,
    len: u64,
    loads: Cell<u32>,
}

impl<R: Reader> Within<R> {
    fn new(reader: R, data: Addr, len: usize) -> Self {
        Within { reader, data, len: len as u64, loads: Cell::new(0) }
    }

    fn check(&self, at: Addr, width: u64) {
        self.loads.set(self.loads.get() + (width as u32).div_ceil(8));
        let from = at.minus(self.data);
        assert!(from < self.len && from + width <= self.len, "{width} bytes at {from} of {}", self.len);
    }
}

impl<R: Reader> Reader for Within<R> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.check(at, 8);
        self.reader.u64(at)
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.check(at, 4);
        self.reader.u32(at)
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.check(at, 1);
        self.reader.u8(at)
    }
    fn u256_or_poison(&self, avx2: Avx2, base: Addr, offset: u32) -> [u64; 4] {
        self.check(base.plus(offset), 32);
        self.reader.u256_or_poison(avx2, base, offset)
    }
}

/// Both, where the machine has both.
fn decoders() -> Vec<Decoder> {
    let all = [Some(Decoder::Sse2), Avx2::detect().map(Decoder::Avx2)];
    all.into_iter().flatten().collect()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The lowest bits of the state follow one another too regularly.
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One table: any bytes; simple entries; headers of any kind; what the compiler writes, whole or damaged in one byte;
    /// svarints of all lengths, up to one group too many.
    fn table(&mut self, sort: u64, len: usize) -> Vec<u8> {
        let mut table = Vec::with_capacity(len + 32);
        match sort % 6 {
            sort @ 0..=2 => {
                while table.len() < len {
                    let (byte, header) = (self.next() as u8, table.is_empty() || self.below(3) == 0);
                    table.push(match (sort, header) {
                        (0, _) => byte,
                        (1, true) => 0x80 | [0, 3, 10, 11, 12, 15][byte as usize % 6] << 3 | (byte & 7),
                        (_, true) => 0x80 | byte,
                        (_, false) => byte & 0x7f,
                    });
                }
            }
            sort => {
                while table.len() < len {
                    self.entry(&mut table, if sort == 5 { 7 } else { 1 });
                }
                if sort == 4 && !table.is_empty() {
                    let place = self.below(table.len() as u64) as usize;
                    table[place] = self.next() as u8;
                }
            }
        }
        table.truncate(len);
        table
    }

    /// Kinds as often as in the standard library of 3.11, and one svarint in ten of two groups; or, with `groups`, svarints of
    /// one to so many groups.
    fn entry(&mut self, table: &mut Vec<u8>, groups: u64) {
        let kind = match self.below(100) {
            0..=40 => self.below(10) as u8,
            41..=66 => 10,
            67..=76 => 11,
            77..=78 => 12,
            79 => 13,
            80..=97 => 14,
            _ => 15,
        };
        table.push(0x80 | kind << 3 | self.below(8) as u8);
        let mut varint = |random: &mut Random, groups: u64| {
            for _ in 1..groups {
                table.push(0x40 | random.below(64) as u8);
            }
            table.push(random.below(if groups == 6 { 4 } else { 64 }) as u8);
        };
        let first = if groups > 1 { 1 + self.below(groups) } else { 1 + u64::from(self.below(10) == 0) };
        match kind {
            0..=9 => varint(self, 1),
            10..=12 => {
                table.push(self.below(128) as u8);
                table.push(self.below(128) as u8);
            }
            13 => varint(self, first),
            14 => {
                for groups in [first, 1, 1 + self.below(2), 1 + self.below(2)] {
                    varint(self, groups);
                }
            }
            _ => {}
        }
    }

    fn first(&mut self) -> i32 {
        match self.below(50) {
            0 => i32::MAX - self.below(1 << 12) as i32,
            1 => i32::MIN + self.below(1 << 12) as i32,
            2 => (1 << 30) - self.below(64) as i32,
            _ => self.below(5000) as i32,
        }
    }
}

#[test]
fn each_decoder_equals_the_scalar_one_at_every_offset() {
    let mut random = Random(1);
    for sort in 0..1200 {
        let len = if sort % 10 == 0 { 1500 } else { random.below(300) as usize };
        let table = random.table(sort, len);
        let regions = [Region { start: AT, bytes: &table }];
        let image = ImageReader::new(&regions);
        let first = random.first();
        let units =
            table.iter().filter(|byte| **byte >= 0x80).map(|byte| i32::from(byte & 7) + 1).sum::<i32>();
        for lasti in (-2..units * 2 + 4).step_by(2) {
            let expected = scalar::line_at(&image, Addr::new(AT), len as u32, first, lasti);
            for decoder in decoders() {
                let found = line_at_by(decoder, &image, Addr::new(AT), len as u64, first, lasti);
                assert_eq!(found, expected, "{decoder:?}, first {first}, lasti {lasti}, table {table:x?}");
            }
        }
    }
}

#[test]
fn real_svarints_take_no_second_look() {
    // Otherwise the decoder would be right and slow: 16 words a group of 120 bytes, and no more than two groups of waste.
    let Some(avx2) = Avx2::detect() else { return };
    let mut random = Random(5);
    let table: Vec<u8> = {
        let mut table = Vec::new();
        while table.len() < 6000 {
            random.entry(&mut table, 1);
        }
        table
    };
    let regions = [Region { start: AT, bytes: &table }];
    let reader = Budgeted::new(ImageReader::new(&regions), BUDGET);
    let found = line_at_by(Decoder::Avx2(avx2), &reader, Addr::new(AT), table.len() as u64, 1, i32::MAX - 1);
    assert_eq!(found, Err(LineError::PastEnd));
    let loads = BUDGET - reader.left();
    assert!(loads < table.len() as u32 * 16 / 120 + 40, "{loads} loads");
}

/// A page that is followed by one without access. Leaked, it is a test.
fn edge() -> (&'static mut [u8], u64) {
    const PAGE: usize = 4096;
    // SAFETY: a fresh private mapping of two pages; the second is made inaccessible and the first is handed out once.
    #[allow(unsafe_code)]
    unsafe {
        let page = libc::mmap(
            core::ptr::null_mut(),
            2 * PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        assert_ne!(page, libc::MAP_FAILED);
        assert_eq!(libc::mprotect(page.byte_add(PAGE), PAGE, libc::PROT_NONE), 0);
        (core::slice::from_raw_parts_mut(page.cast(), PAGE), page as u64 + PAGE as u64)
    }
}

/// Random decodes: with each decoder over an image of just the table, over guarded loads of a table that ends where the page
/// ends, and over blocks that the kernel copied of it.
#[test]
fn decodes_of_any_bytes_read_the_table_and_nothing_else() {
    let decodes = match std::env::var("SIGWALK_DECODES") {
        Ok(count) => count.parse().expect("SIGWALK_DECODES is a number"),
        Err(_) => DEFAULT,
    };
    let guarded = GuardedReader::new(signal::install().unwrap());
    let blocks = BlockReader::new(VmReader::own()).expect("a place for copies");
    let (page, end) = edge();
    let mut random = Random(2);
    let (mut done, mut most, mut answers) = (0, 0.0_f64, 0_u64);
    while done < decodes {
        let len = 1 + random.below([40, 90, 300][(done / 16 % 3) as usize]) as usize;
        let sort = random.next();
        let table = random.table(sort, len);
        let data = Addr::new(end - len as u64);
        let start = page.len() - len;
        page[start..].copy_from_slice(&table);
        let regions = [Region { start: data.get(), bytes: &table }];
        let image = ImageReader::new(&regions);
        let first = random.first();
        blocks.forget();
        blocks.prefetch([Block { at: data, len: len as u32 / 2 }].into_iter());
        for _ in 0..16 {
            let lasti = random.below(len as u64 * 6) as i32 - 2;
            let expected = scalar::line_at(&image, data, len as u32, first, lasti);
            for decoder in decoders() {
                let (image, live) = (Within::new(image, data, len), Within::new(guarded, data, len));
                let found = line_at_by(decoder, &image, data, len as u64, first, lasti);
                assert_eq!(found, expected, "{decoder:?}, first {first}, lasti {lasti}, table {table:x?}");
                let found = line_at_by(decoder, &live, data, len as u64, first, lasti);
                assert_eq!(found, expected, "{decoder:?}, guarded, first {first}, lasti {lasti}, {table:x?}");
                let found = line_at_by(decoder, &blocks, data, len as u64, first, lasti);
                assert_eq!(found, expected, "{decoder:?}, blocks, first {first}, lasti {lasti}, {table:x?}");
                let loads = image.loads.get();
                assert_eq!(loads, live.loads.get());
                assert!(loads <= most_loads(len as u32), "{decoder:?}: {loads} loads of {table:x?}");
                most = most.max((f64::from(loads) - 8.0) / len as f64);
            }
            assert!(!matches!(expected, Err(LineError::Fault(_))), "the table is read alone");
            answers += u64::from(expected.is_ok());
            done += 1;
        }
    }
    println!(
        "{done} decodes with each of {:?} over an image, over guarded loads and over blocks, {answers} of them with an answer; at most 8 + \
         {most:.3} loads a byte",
        decoders()
    );
    assert!(answers > done / 4, "{answers} of {done} decodes have an answer");
}

#[test]
fn a_table_that_ends_early_is_a_fault_of_every_decoder() {
    let guarded = GuardedReader::new(signal::install().unwrap());
    let (page, end) = edge();
    let mut random = Random(3);
    for round in 0..2000 {
        let (len, missing) = (2 + random.below(400) as u32, random.below(200) as u32);
        let missing = 1 + missing.min(len - 2);
        let readable = (len - missing) as usize;
        let table = random.table(3 + round % 2, readable);
        let start = page.len() - readable;
        page[start..].copy_from_slice(&table);
        let data = Addr::new(end - readable as u64);
        for decoder in decoders() {
            // Behind the end of what is readable, whatever it says.
            let found = line_at_by(decoder, &guarded, data, len.into(), 1, i32::MAX - 1);
            let fault =
                matches!(found, Err(LineError::Fault(fault)) if fault.at.minus(data) < u64::from(len));
            assert!(fault || found == Err(LineError::Malformed), "{decoder:?}: {found:?} of {table:x?}");
        }
    }
}

#[test]
fn a_table_of_poison_is_a_table() {
    let guarded = GuardedReader::new(signal::install().unwrap());
    let words = [WIDE_POISON; 40];
    let simple = [crate::reader::POISON; 40];
    for words in [&words, &simple] {
        let data = Addr::new(words.as_ptr() as u64);
        for decoder in decoders() {
            let found = line_at_by(decoder, &guarded, data, 320, 1, 2000);
            let expected = scalar::line_at(&guarded, data, 320, 1, 2000);
            assert_eq!(found, expected, "{decoder:?}");
        }
    }
    assert_eq!(guarded.u64(Addr::new(words.as_ptr() as u64)), Ok(WIDE_POISON));
    let found = line_at_by(Decoder::best(), &guarded, Addr::new(simple.as_ptr() as u64), 320, 1, 2000);
    assert_eq!(found, Ok(Line::None));
}

//! A saved image: address → bytes. The same walkers run over it in tests and fuzz targets, on any machine, with no
//! interpreter at all.

use super::{Fault, FaultKind, Reader};
use crate::addr::Addr;

/// A contiguous piece of a saved process.
#[derive(Clone, Copy, Debug)]
pub struct Region<'a> {
    /// Address of the first byte.
    pub start: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl<'a> Region<'a> {
    /// The bytes from `at` on; none where it is outside.
    #[inline(always)]
    fn from(&self, at: u64) -> &'a [u8] {
        let from = at.wrapping_sub(self.start);
        if from < self.bytes.len() as u64 { &self.bytes[from as usize..] } else { &[] }
    }
}

/// In which region an address probably is: what saves the search in most loads of an image of many small regions.
///
/// It may be of other regions than those that are read: it then saves nothing, and changes no answer.
#[derive(Clone, Debug)]
pub struct Directory([u8; Directory::PLACES]);

impl Directory {
    const PLACES: usize = 8192;
    /// Bytes that share a place: what allocators align to, so that few places are of two objects.
    const GRAIN: u64 = 16;

    /// Of the regions that begin and end there, in their order. Only the first 256 are listed.
    #[must_use]
    pub fn of(regions: impl Iterator<Item = core::ops::Range<u64>>) -> Self {
        let mut places = [0; Self::PLACES];
        for (index, region) in (0..=u8::MAX).zip(regions) {
            let grains = region.start / Self::GRAIN..region.end.div_ceil(Self::GRAIN);
            // A region longer than the directory has every place, and needs none twice.
            for grain in grains.take(Self::PLACES) {
                places[grain as usize % Self::PLACES] = index;
            }
        }
        Directory(places)
    }

    /// Index of the region that `at` may be in.
    #[inline(always)]
    #[must_use]
    pub fn guess(&self, at: u64) -> usize {
        usize::from(self.0[(at / Self::GRAIN) as usize % Self::PLACES])
    }
}

/// Reads from regions. What is in none of them is unmapped.
#[derive(Clone, Copy, Debug)]
pub struct ImageReader<'a> {
    regions: &'a [Region<'a>],
    directory: Option<&'a Directory>,
}

impl<'a> ImageReader<'a> {
    /// A reader over `regions`, which must be sorted by `start` and must not overlap: a load spans at most one region.
    #[must_use]
    pub fn new(regions: &'a [Region<'a>]) -> Self {
        debug_assert!(
            regions.windows(2).all(|w| w[0].start + w[0].bytes.len() as u64 <= w[1].start),
            "regions are sorted and do not overlap"
        );
        ImageReader { regions, directory: None }
    }

    /// The same, faster where `directory` is that of the regions.
    #[must_use]
    pub fn with(self, directory: &'a Directory) -> Self {
        ImageReader { directory: Some(directory), ..self }
    }

    /// `N` bytes, one load.
    #[inline(always)]
    fn array<const N: usize>(&self, at: Addr) -> Result<[u8; N], Fault> {
        match self.guessed(at).first_chunk::<N>() {
            Some(bytes) => Ok(*bytes),
            None => self.search(at).first_chunk::<N>().copied().ok_or_else(|| unmapped(at)),
        }
    }

    /// What is mapped from `at` on, if it is in the region that the directory says; else perhaps nothing.
    #[inline(always)]
    fn guessed(&self, at: Addr) -> &'a [u8] {
        let region = self.directory.and_then(|directory| self.regions.get(directory.guess(at.get())));
        region.map_or(&[], |region| region.from(at.get()))
    }

    /// What is mapped from `at` on.
    #[inline(never)]
    fn search(&self, at: Addr) -> &'a [u8] {
        let index = self.regions.partition_point(|region| region.start <= at.get());
        let region = index.checked_sub(1).and_then(|index| self.regions.get(index));
        region.map_or(&[], |region| region.from(at.get()))
    }
}

fn unmapped(at: Addr) -> Fault {
    Fault { at, kind: FaultKind::Unmapped }
}

impl Reader for ImageReader<'_> {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.array(at).map(u64::from_le_bytes)
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.array(at).map(u32::from_le_bytes)
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.array(at).map(u8::from_le_bytes)
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        let mut found = self.guessed(at);
        if found.len() < into.len() {
            found = self.search(at);
        }
        into.copy_from_slice(found.get(..into.len()).ok_or_else(|| unmapped(at))?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_inside_between_and_across_regions() {
        let (low, high) = ([1, 2, 3, 4, 5, 6, 7, 8], [9; 8]);
        let regions = [Region { start: 0x1000, bytes: &low }, Region { start: 0x1010, bytes: &high }];
        let image = ImageReader::new(&regions);
        assert_eq!(image.u64(Addr::new(0x1000)), Ok(0x0807_0605_0403_0201));
        assert_eq!(image.u32(Addr::new(0x1004)), Ok(0x0807_0605));
        assert_eq!(image.u8(Addr::new(0x1017)), Ok(9));
        for outside in [0, 0xfff, 0x1001, 0x1008, 0x100f, 0x1011, 0x1018, u64::MAX] {
            assert!(image.u64(Addr::new(outside)).is_err(), "{outside:#x}");
        }
    }

    #[test]
    fn a_directory_changes_no_answer() {
        // Neighbours within a grain, a region longer than the directory, and one that is as far from another as it is long.
        let (short, long) = ([7; 40], vec![5; 140_000]);
        let regions = [
            Region { start: 0x1010, bytes: &short[..9] },
            Region { start: 0x1019, bytes: &short[..40] },
            Region { start: 0x10_0000, bytes: &long },
            Region { start: 0x22_1010, bytes: &short },
        ];
        let plain = ImageReader::new(&regions);
        let ends = |region: &Region<'_>| region.start..region.start + region.bytes.len() as u64;
        let others = Directory::of([0x22_1010..0x22_2000, 0x1000..0x1040].into_iter());
        for directory in [Directory::of(regions.iter().map(ends)), others] {
            let fast = plain.with(&directory);
            for base in regions.iter().flat_map(|region| [region.start, ends(region).end]) {
                for at in base - 70..base + 70 {
                    assert_eq!(fast.u64(Addr::new(at)), plain.u64(Addr::new(at)), "{at:#x}");
                    assert_eq!(fast.u8(Addr::new(at)), plain.u8(Addr::new(at)), "{at:#x}");
                }
            }
        }
    }
}

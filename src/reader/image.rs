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

/// Reads from regions. What is in none of them is unmapped.
#[derive(Clone, Copy, Debug)]
pub struct ImageReader<'a> {
    regions: &'a [Region<'a>],
}

impl<'a> ImageReader<'a> {
    /// A reader over `regions`, which must be sorted by `start` and must not overlap: a load spans at most one region.
    #[must_use]
    pub fn new(regions: &'a [Region<'a>]) -> Self {
        debug_assert!(
            regions.windows(2).all(|w| w[0].start + w[0].bytes.len() as u64 <= w[1].start),
            "regions are sorted and do not overlap"
        );
        ImageReader { regions }
    }

    fn slice(&self, at: Addr, len: usize) -> Result<&'a [u8], Fault> {
        let fault = Fault { at, kind: FaultKind::Unmapped };
        let index = self.regions.partition_point(|region| region.start <= at.get());
        let region = self.regions.get(index.wrapping_sub(1)).ok_or(fault)?;
        let from = usize::try_from(at.get() - region.start).map_err(|_| fault)?;
        let to = from.checked_add(len).ok_or(fault)?;
        region.bytes.get(from..to).ok_or(fault)
    }

    fn array<const N: usize>(&self, at: Addr) -> Result<[u8; N], Fault> {
        let mut out = [0; N];
        out.copy_from_slice(self.slice(at, N)?);
        Ok(out)
    }
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
        into.copy_from_slice(self.slice(at, into.len())?);
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
}

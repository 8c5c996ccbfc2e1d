//! Addresses in the memory that is walked. Numbers, never Rust pointers: nothing here can dereference one.

use core::fmt;

/// An address in the walked process. May be anything at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Addr(u64);

/// Lowest address a process may map by default (`vm.mmap_min_addr` is 64 KiB; the first page is never mapped).
const FIRST_PAGE: u64 = 4096;
/// First address that user space can never have: 2^47 with four-level page tables. CPython never asks for more.
const USER_END: u64 = 1 << 47;

impl Addr {
    /// Address zero.
    pub const NULL: Addr = Addr(0);

    /// An address from its bits.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Addr(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is address zero.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// `offset` bytes further, wrapping like the hardware does: torn pointers are added to before they are judged.
    #[inline(always)]
    #[must_use]
    pub const fn plus(self, offset: u32) -> Addr {
        Addr(self.0.wrapping_add(offset as u64))
    }

    /// `self - other` in bytes, wrapping.
    #[inline(always)]
    #[must_use]
    pub const fn minus(self, other: Addr) -> u64 {
        self.0.wrapping_sub(other.0)
    }

    /// Shape of a pointer to an object: 8-aligned, not in the first page, canonical and in user space.
    ///
    /// 8 and not 16: data-stack frames and the static code objects of frozen modules (3.11, 3.12) are 8-aligned only.
    #[inline(always)]
    #[must_use]
    pub const fn is_pointer_shaped(self) -> bool {
        // One comparison: what is below FIRST_PAGE wraps to a huge number, and so does what is not 8-aligned, since the
        // rotation makes its low bits the highest.
        self.0.wrapping_sub(FIRST_PAGE).rotate_right(3) < (USER_END - FIRST_PAGE) >> 3
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Addr;

    #[test]
    fn shape_of_a_pointer() {
        for good in [0x1000, 0x7fff_ffff_fff8, 0x5555_5555_0000] {
            assert!(Addr::new(good).is_pointer_shaped(), "{good:#x}");
        }
        for bad in [0, 8, 0xff8, 0x1001, 0x1004, 1 << 47, 0xdddd_dddd_dddd_dddd, u64::MAX, u64::MAX - 7] {
            assert!(!Addr::new(bad).is_pointer_shaped(), "{bad:#x}");
        }
    }
}

//! The single checks of the policies, and which of them are made: what a check is worth is told by walks without it.
//!
//! A policy takes a [`Checks`] as its first argument and asks it before each of its checks. The walkers of the registry are
//! the policies with [`Every`] check: a type of no size whose answer is a constant, so that asking leaves no instruction
//! behind. [`Mask`] is asked at run time, by campaigns; [`Without`] is a constant too, for benches.
//!
//! What is not checked is not read either: a policy without its look at reference counts does not load them. What a fault
//! leaves in place of a value ([`crate::reader::POISON`]) is never believed: where the check is off that would have met it, the
//! load is made by the variant that reports the fault.
//!
//! NULL ends a chain of any kind, whatever is off: that is how the data structure says "no more", and no check.

mod list;

pub use list::Check;

/// Which checks a policy makes.
pub trait Checks: Copy {
    /// Whether it makes this one.
    fn has(self, check: Check) -> bool;
}

/// All of them: the walkers of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every;

impl Checks for Every {
    #[inline(always)]
    fn has(self, _: Check) -> bool {
        true
    }
}

/// All but one, known when it is compiled: `Without<{ Check::Refcount as u32 }>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Without<const CHECK: u32>;

impl<const CHECK: u32> Checks for Without<CHECK> {
    #[inline(always)]
    fn has(self, check: Check) -> bool {
        check as u32 != CHECK
    }
}

/// A set of checks, chosen at run time. Checks that a policy does not have make no difference.
///
/// ```
/// use sigwalk::checks::{Check, Checks, Mask};
/// let on = Mask::ALL.without(Check::Refcount);
/// assert!(on.has(Check::CodeType) && !on.has(Check::Refcount));
/// assert_eq!(Mask::NONE.with(Check::Refcount), Mask::of(&[Check::Refcount]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mask(u32);

impl Mask {
    /// No check at all.
    pub const NONE: Mask = Mask(0);
    /// Every check of every policy.
    pub const ALL: Mask = Mask(u32::MAX);

    /// Exactly these.
    #[must_use]
    pub const fn of(checks: &[Check]) -> Mask {
        let (mut mask, mut index) = (Mask::NONE, 0);
        while index < checks.len() {
            mask = mask.with(checks[index]);
            index += 1;
        }
        mask
    }

    /// These and that one.
    #[must_use]
    pub const fn with(self, check: Check) -> Mask {
        Mask(self.0 | 1 << check as u32)
    }

    /// These but that one.
    #[must_use]
    pub const fn without(self, check: Check) -> Mask {
        Mask(self.0 & !(1 << check as u32))
    }
}

impl Checks for Mask {
    #[inline(always)]
    fn has(self, check: Check) -> bool {
        self.0 >> check as u32 & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_bit_and_a_name_of_its_own() {
        assert!(Check::ALL.len() <= 32);
        for (index, check) in Check::ALL.iter().enumerate() {
            assert_eq!(*check as usize, index);
            assert_eq!(Check::named(check.name()), Some(*check));
            assert!(check.name().bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()));
        }
        assert_eq!(Check::named("no-such"), None);
    }

    #[test]
    fn sets_of_checks() {
        for check in Check::ALL {
            for other in Check::ALL {
                assert!(Every.has(*other) && Mask::ALL.has(*other) && !Mask::NONE.has(*other));
                assert_eq!(Mask::ALL.without(*check).has(*other), check != other);
                assert_eq!(Mask::of(&[*check]).has(*other), check == other);
            }
        }
        let without = Without::<{ Check::Refcount as u32 }>;
        assert!(!without.has(Check::Refcount) && without.has(Check::CodeType));
    }
}

//! Which loads of a walk fail: the n-th, the n-th and all after it, or each with a probability.

use super::{Block, FaultKind};
use core::cell::Cell;

/// A schedule of failures, for the hook of a [`super::Before`]: one walk, one `Failing`.
///
/// ```
/// use sigwalk::addr::Addr;
/// use sigwalk::reader::{Before, Failing, ImageReader, Reader, Region};
///
/// let regions = [Region { start: 0x1000, bytes: &[0; 16] }];
/// let failing = Failing::transient(2);
/// let hook = |load| failing.before(load);
/// let reader = Before::new(ImageReader::new(&regions), &hook);
/// let loads = [0; 3].map(|_| reader.u64(Addr::new(0x1000)).is_ok());
/// assert_eq!((loads, failing.failed()), ([true, false, true], 1));
/// ```
///
/// # Signal safety
/// Plain memory of the caller.
#[derive(Clone, Debug)]
pub struct Failing {
    when: When,
    /// Loads of a walk that does not end.
    budget: u32,
    made: Cell<u32>,
    failed: Cell<u32>,
    spent: Cell<bool>,
}

#[derive(Clone, Debug)]
enum When {
    /// From this load on, so many.
    Run { nth: u32, length: u32 },
    /// Where a draw is below: of 2^64, and the generator's state.
    Rate { below: u64, state: Cell<u64> },
}

impl Failing {
    const fn new(when: When) -> Self {
        Failing { when, budget: u32::MAX, made: Cell::new(0), failed: Cell::new(0), spent: Cell::new(false) }
    }

    /// No load fails: for a walk whose loads are counted.
    #[must_use]
    pub const fn none() -> Self {
        Failing::new(When::Run { nth: 0, length: 0 })
    }

    /// The `nth` load fails (from 1), and no other: a page that came back, a write that was in the way.
    #[must_use]
    pub const fn transient(nth: u32) -> Self {
        Failing::new(When::Run { nth, length: 1 })
    }

    /// The `nth` load (from 1) and all after it fail: the process is gone, the right was taken.
    #[must_use]
    pub const fn persistent(nth: u32) -> Self {
        Failing::new(When::Run { nth, length: u32::MAX })
    }

    /// Each load fails with a probability of `per_million` parts of a million, independently of the others: the same ones for
    /// the same `seed`.
    #[must_use]
    pub const fn rate(per_million: u32, seed: u64) -> Self {
        let below = (per_million as u64).saturating_mul(u64::MAX / 1_000_000);
        Failing::new(When::Rate { below, state: Cell::new(seed) })
    }

    /// At most `loads` loads, after which all fail as [`FaultKind::Budget`]: these are not counted as failed.
    #[must_use]
    pub const fn within(self, loads: u32) -> Self {
        Failing { budget: loads, ..self }
    }

    /// The hook.
    ///
    /// # Errors
    /// The load is one that fails.
    #[inline]
    pub fn before(&self, _: Block) -> Result<(), FaultKind> {
        let made = self.made.get().saturating_add(1);
        self.made.set(made);
        if made > self.budget {
            self.spent.set(true);
            return Err(FaultKind::Budget);
        }
        let fails = match &self.when {
            When::Run { nth, length } => made >= *nth && made - *nth < *length,
            When::Rate { below, state } => draw(state) < *below,
        };
        if fails {
            self.failed.set(self.failed.get() + 1);
            return Err(FaultKind::Unmapped);
        }
        Ok(())
    }

    /// Loads that were asked for.
    #[must_use]
    pub fn made(&self) -> u32 {
        self.made.get()
    }

    /// Loads that failed because they were to.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.failed.get()
    }

    /// Whether the walk asked for more than its budget.
    #[must_use]
    pub fn spent(&self) -> bool {
        self.spent.get()
    }
}

/// splitmix64.
fn draw(state: &Cell<u64>) -> u64 {
    let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(next);
    let mut z = next;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Addr;

    fn failures(failing: &Failing, loads: usize) -> Vec<usize> {
        let load = Block { at: Addr::NULL, len: 8 };
        (1..=loads).filter(|_| failing.before(load).is_err()).collect()
    }

    #[test]
    fn schedules() {
        assert_eq!(failures(&Failing::none(), 9), []);
        assert_eq!(failures(&Failing::transient(3), 9), [3]);
        assert_eq!(failures(&Failing::persistent(8), 9), [8, 9]);
        assert_eq!(failures(&Failing::rate(0, 1), 1000), []);
        assert_eq!(failures(&Failing::rate(1_000_000, 1), 1000).len(), 1000);
    }

    #[test]
    fn a_rate_is_that_rate_and_the_same_for_the_same_seed() {
        let (one, other) = (Failing::rate(100_000, 7), Failing::rate(100_000, 8));
        let failed = failures(&one, 100_000);
        assert_eq!(failed, failures(&Failing::rate(100_000, 7), 100_000));
        assert_ne!(failed, failures(&other, 100_000));
        // Seven standard deviations; the draws are always the same.
        assert!(failed.len().abs_diff(10_000) < 660, "{}", failed.len());
        assert_eq!(failed.len() as u32, one.failed());
    }

    #[test]
    fn what_is_over_the_budget_is_no_injected_failure() {
        let failing = Failing::transient(2).within(3);
        assert_eq!(failures(&failing, 5), [2, 4, 5]);
        assert_eq!((failing.failed(), failing.made(), failing.spent()), (1, 5, true));
    }
}

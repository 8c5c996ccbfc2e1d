//! What each check of a policy costs: the whole policy, and the same without each of its checks.
//!
//! A check is a nanosecond or less a walk and frame, and a machine drifts by more from one second to the next. So all sides of a
//! policy are timed in rounds of a few microseconds each, the first of one round last in the next, and a difference is one
//! of samples that were taken together.
//!
//! What is left is the compiler's: without a check it lays the rest of a walk out anew, which can cost more than the check. How
//! much that is say the checks that an iteration does not make: those of line tables, and of the range of an offset, where only
//! code is asked for. A difference below theirs is none.
//!
//! A check that is off is off when the policy is compiled ([`Without`]): no instruction of it is left, and neither are its loads.

use crate::place::Here;
use crate::subjects::Subject;
use crate::subjects::walkers::{Live, unregistered};
use sigwalk::checks::{Check, Without};
use sigwalk::walkers::{Policy, PrB1, PrB1Hops, Strict, Walker};
use sigwalk_record::What;
use std::time::Duration;

/// Walks of a side in a round.
pub const WALKS: u64 = 20;

/// How many times as many samples as usual, of as much less time: another process that gets the processor for a moment spoils the
/// sides that it meets, of that sample only, and not the median of all differences.
pub const SAMPLES: usize = 5;

/// What a reader of the figures should know.
pub const NOTE: &str = "timed in rounds, with the whole policy and it without each other check: samples of one index belong together";

/// A policy and its variants, which are timed together.
pub struct Sides {
    family: &'static str,
    what: What,
    /// The whole policy, and then it without each check.
    pub subjects: Vec<Box<dyn Subject>>,
    first: usize,
}

impl Sides {
    fn new(family: &'static str, whole: Live, without: &[(Check, Live)], what: What) -> Self {
        let mut subjects = vec![unregistered(format!("{family} whole"), what, whole)];
        let of = |(check, live): &(Check, Live)| {
            unregistered(format!("{family} without {}", check.name()), what, *live)
        };
        subjects.extend(without.iter().map(of));
        Sides { family, what, subjects, first: 0 }
    }

    /// Name in Criterion's output.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.family, self.what.name())
    }

    /// Walks in a round of all sides.
    #[must_use]
    pub fn walks(&self) -> u64 {
        WALKS * self.subjects.len() as u64
    }

    /// The time of each side.
    pub fn rounds(&mut self, here: &Here<'_>, rounds: u64) -> Vec<Duration> {
        let sides = self.subjects.len();
        let mut times = vec![Duration::ZERO; sides];
        for _ in 0..rounds {
            for turn in 0..sides {
                let side = (self.first + turn) % sides;
                times[side] += self.subjects[side].batch(here, WALKS);
            }
            // Each side follows the same other one, and comes first as often as any.
            self.first = (self.first + 1) % sides;
        }
        times
    }
}

macro_rules! sides {
    ($name:literal, $policy:ty, $reader:ident, [$($check:ident),* $(,)?]) => {
        (
            $name,
            (|readers, request, out| <$policy as Walker>::walk(&readers.$reader, request, out)) as Live,
            vec![$((
                Check::$check,
                (|readers, request, out| {
                    let checks = Without::<{ Check::$check as u32 }>;
                    <$policy as Policy>::walk_by(checks, &readers.$reader, request, out)
                }) as Live,
            )),*],
        )
    };
}

/// Name, whole policy, and it without each check.
type Family = (&'static str, Live, Vec<(Check, Live)>);

/// As the walkers are used: those of the PR by raw loads, the strict one by guarded loads.
fn families() -> [Family; 3] {
    [
        sides!(
            "pr-b1",
            PrB1,
            raw,
            [
                FrameFreed,
                GlobalsNull,
                BuiltinsNull,
                ExecutableNull,
                ExecutableFreed,
                TypeFreed,
                CodeType,
                SecondLook,
                LastiRange,
                WidePatterns,
            ]
        ),
        sides!(
            "pr-b1-hops",
            PrB1Hops,
            raw,
            [
                HopBudget,
                FrameFreed,
                CodeBeforeComplete,
                GlobalsNull,
                BuiltinsNull,
                ExecutableNull,
                ExecutableFreed,
                TypeFreed,
                CodeType,
                SecondLook,
                LastiRange,
                WidePatterns,
            ]
        ),
        sides!(
            "guarded",
            Strict,
            guarded,
            [
                FrameShape,
                HopBudget,
                DataStack,
                ChunkShape,
                ChunkBudget,
                OwnerPlace,
                Owner,
                ChainEnd,
                HeadAgain,
                CodeShape,
                CodeType,
                Refcount,
                Instruction,
                Resume,
                TableShape,
                TableType,
                TableBounds,
            ]
        ),
    ]
}

/// All policies, with code and with lines.
#[must_use]
pub fn all() -> Vec<Sides> {
    let both = |(name, whole, without): &Family| {
        [What::Code, What::Line].map(|what| Sides::new(name, *whole, without, what))
    };
    families().iter().flat_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::families;
    use sigwalk::checks::Check;
    use sigwalk::walkers::FAMILIES;

    #[test]
    fn every_check_of_every_family_is_timed() {
        for ((name, _, without), family) in families().iter().zip(FAMILIES) {
            let checks: Vec<Check> = without.iter().map(|(check, _)| *check).collect();
            assert_eq!((*name, &checks[..]), (family.name, family.checks));
        }
        assert_eq!(families().len(), FAMILIES.len());
    }
}

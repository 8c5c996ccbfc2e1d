//! Which checks are needed, by a search over all damages of one field: each field that a walk reads, with wrong values of every
//! class, on a stack with a frame of every kind, on every version.
//!
//! A check is needed where the policy without it does harm (a load that faults, a walk without an end, a wrong stack called whole)
//! and the whole policy does none. A check that no damage of one field needs is listed here, with why: so that it is noticed
//! when that changes. Damages of more than one field, and memory that changes during the walk: `checks_needed.rs`.
#![cfg(not(loom))]

mod image;

use image::damage::{Damage, Harm};
use image::{Entry, Function, Generator, Incomplete, MINORS, OlderChunk, Process, Slot};
use sigwalk::checks::{Check, Mask};
use sigwalk::walkers::{Family, family};
use std::collections::{BTreeMap, BTreeSet};

const STACK: &[Slot] =
    &[Function, Entry, Generator, Incomplete, OlderChunk, Function, Function, OlderChunk, Function, Entry];

/// What a check was seen to do.
#[derive(Default)]
struct Seen {
    /// Harm that only it prevents.
    prevents: BTreeMap<Harm, u32>,
    /// Answers that are others without it, and neither does harm.
    differs: u32,
    /// Harm that only it does.
    does: BTreeMap<Harm, u32>,
}

/// Walks every damage with these checks, and with all of these but one, for each one.
fn search(family: &Family, on: Mask) -> BTreeMap<Check, Seen> {
    let mut seen: BTreeMap<Check, Seen> = BTreeMap::new();
    for minor in MINORS {
        let mut process = Process::new(minor, STACK);
        let fields = process.fields();
        let damages: Vec<Damage> = fields.into_iter().flat_map(|field| process.damages(field)).collect();
        assert!(damages.len() > 10_000);
        for damage in &damages {
            process.damaged(damage, |process| {
                let (walk, frames) = process.walk_by(family, on);
                let whole = Harm::of(&process.expected, &walk, &frames);
                for check in family.checks {
                    let without = process.walk_by(family, on.without(*check));
                    let harm = Harm::of(&process.expected, &without.0, &without.1);
                    let seen = seen.entry(*check).or_default();
                    match (whole, harm) {
                        (None, Some(harm)) => *seen.prevents.entry(harm).or_default() += 1,
                        (Some(harm), None) => *seen.does.entry(harm).or_default() += 1,
                        (None, None) if (walk.end, &frames) != (without.0.end, &without.1) => {
                            seen.differs += 1
                        }
                        _ => {}
                    }
                }
            });
        }
    }
    for (check, Seen { prevents, differs, does }) in &seen {
        println!("{} {}: prevents {prevents:?}, differs {differs}, does {does:?}", family.name, check.name());
    }
    seen
}

/// The checks that prevent harm, each with its kinds; those that only give other answers; those that nothing needs.
fn expect(seen: &BTreeMap<Check, Seen>, prevents: &[(Check, &[Harm])], answers: &[Check], nothing: &[Check]) {
    let found: BTreeMap<Check, Vec<Harm>> = seen
        .iter()
        .filter(|(_, seen)| !seen.prevents.is_empty())
        .map(|(check, seen)| (*check, seen.prevents.keys().copied().collect()))
        .collect();
    let expected: BTreeMap<Check, Vec<Harm>> =
        prevents.iter().map(|(check, harm)| (*check, harm.to_vec())).collect();
    assert_eq!(found, expected, "checks that prevent harm");
    let others = |differ: bool| -> BTreeSet<Check> {
        let of =
            |seen: &Seen| seen.prevents.is_empty() && (seen.differs > 0 || !seen.does.is_empty()) == differ;
        seen.iter().filter(|(_, seen)| of(seen)).map(|(check, _)| *check).collect()
    };
    assert_eq!(others(true), answers.iter().copied().collect(), "checks that only give other answers");
    assert_eq!(others(false), nothing.iter().copied().collect(), "checks that nothing needs");
}

use Check::*;
use Harm::*;

#[test]
fn checks_of_the_proposed_walk() {
    let family = family("pr-b1").unwrap();
    let seen = search(family, Mask::ALL);
    expect(
        &seen,
        &[
            (FrameFreed, &[Crash]),
            (ExecutableFreed, &[Crash]),
            (CodeType, &[Crash, Lie]),
            (WidePatterns, &[Crash]),
        ],
        // A frame without globals or builtins is a frame all the same. An offset behind the code ends the scan of a table that
        // is whole, too, so that the range says −1 where the scan says it: but for a damaged size.
        &[GlobalsNull, BuiltinsNull, LastiRange],
        // A null reference is 1; without its tag it is 0, which is a pattern in either era. No pattern is the code type. Another
        // look sees the same in memory that stands still.
        &[ExecutableNull, TypeFreed, SecondLook],
    );
}

#[test]
fn checks_of_the_amended_walk() {
    let family = family("pr-b1-hops").unwrap();
    let seen = search(family, Mask::ALL);
    expect(
        &seen,
        &[
            (HopBudget, &[Hang]),
            (FrameFreed, &[Crash]),
            (CodeBeforeComplete, &[Crash, Lie]),
            // Of what is no frame: a wild pointer to one is found out by a NULL where the globals would be.
            (GlobalsNull, &[Crash]),
            (BuiltinsNull, &[Crash]),
            (ExecutableFreed, &[Crash]),
            (CodeType, &[Crash, Lie]),
            (WidePatterns, &[Crash]),
        ],
        &[LastiRange],
        &[ExecutableNull, TypeFreed, SecondLook],
    );
}

#[test]
fn checks_of_the_strict_walk() {
    let family = family("guarded").unwrap();
    let seen = search(family, Mask::ALL);
    expect(
        &seen,
        &[
            (FrameShape, &[Crash]),
            (HopBudget, &[Hang]),
            (DataStack, &[Crash, Lie]),
            (ChunkShape, &[Crash]),
            (ChunkBudget, &[Hang]),
            (OwnerPlace, &[Lie]),
            (Owner, &[Crash, Lie]),
            (ChainEnd, &[Crash, Lie]),
            (CodeShape, &[Crash]),
            (CodeType, &[Crash]),
            (Instruction, &[Lie]),
            (Resume, &[Lie]),
            (TableShape, &[Crash]),
            (TableType, &[Lie]),
            (TableBounds, &[Lie]),
        ],
        // A code object with nothing wrong but its count is as good as before: only what has become of a freed one does harm.
        &[Refcount],
        // The head of memory that stands still is the same.
        &[HeadAgain],
    );
    // Checks that read what the walk would not have read do harm where that is damaged. A chunk's header that cannot be loaded is
    // a fault, and the base frame of 3.15 is believed: one that names another frame of the chain ends it there, as if whole.
    let does = |check: Check| seen[&check].does.keys().copied().collect::<Vec<_>>();
    let harmful: Vec<_> = family
        .checks
        .iter()
        .map(|check| (*check, does(*check)))
        .filter(|(_, harm)| !harm.is_empty())
        .collect();
    assert_eq!(harmful, [(DataStack, vec![Crash]), (ChainEnd, vec![Lie])]);
}

/// Two checks are nothing but what another one sees as well: without that one they are needed.
#[test]
fn checks_that_another_one_makes_redundant() {
    for name in ["pr-b1", "pr-b1-hops"] {
        let family = family(name).unwrap();
        for (redundant, by) in [(ExecutableNull, ExecutableFreed), (TypeFreed, CodeType)] {
            let pair = Family { checks: &[ExecutableNull, TypeFreed], ..*family };
            let seen = &search(&pair, Mask::ALL.without(by))[&redundant];
            assert!(seen.differs > 0 || !seen.prevents.is_empty(), "{name}: {}", redundant.name());
        }
    }
}

//! What holds in every interruption of a producer and of the consumer, and at full speed.

use super::super::atomics::watched::{for_ever, interrupt};
use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::vec::Vec;

fn ring<const SLOTS: usize>() -> &'static Ring<SLOTS, 2> {
    for_ever(Ring::new())
}

/// Takes everything out. Words of one record are equal.
fn taken<const SLOTS: usize>(ring: &Ring<SLOTS, 2>) -> Vec<u64> {
    let mut seen = Vec::new();
    ring.drain(|record| {
        assert!(record.len() == 2 && record[0] == record[1], "torn: {record:?}");
        seen.push(record[0]);
    });
    seen
}

#[test]
fn records_come_out_whole_and_the_oldest_first() {
    let ring = Ring::<4, 3>::new();
    assert_eq!(ring.drain(|_| unreachable!()), 0);
    for record in [&[1_u64][..], &[2, 2], &[], &[4, 4, 4]] {
        assert_eq!(ring.push(record), Ok(()));
    }
    let mut seen = Vec::new();
    assert_eq!(ring.drain(|record| seen.push(record.to_vec())), 4);
    assert_eq!(seen, [vec![1], vec![2, 2], vec![], vec![4, 4, 4]]);
    assert_eq!(ring.counts(), Counts { produced: 4, consumed: 4, ..Counts::default() });
}

#[test]
fn a_full_ring_overwrites_the_oldest_and_counts_it() {
    let ring = ring::<4>();
    for record in 1..=10 {
        assert_eq!(ring.push(&[record, record]), Ok(()));
    }
    let counts = ring.counts();
    assert_eq!(counts, Counts { produced: 10, overwritten: 6, waiting: 4, ..Counts::default() });
    assert_eq!(taken(ring), [7, 8, 9, 10]);
    assert!(ring.counts().balanced() && ring.counts().consumed == 4);
}

#[test]
fn a_record_that_does_not_fit_is_refused_and_counted() {
    let ring = ring::<2>();
    assert_eq!(ring.push(&[1, 2, 3]), Err(NotCarried::TooLong));
    assert_eq!(ring.counts(), Counts { refused: 1, ..Counts::default() });
    assert!(ring.counts().balanced());
}

#[test]
fn counts_come_round_without_touching_each_other() {
    let full = State::of(FULL, COUNT, COUNT);
    let next = full.claimed().unwrap();
    assert_eq!((next.phase(), next.overwritten(), next.writes()), (WRITING, 0, 0));
    let next = State::of(EMPTY, 7, 9).claimed().unwrap().now(FULL);
    assert_eq!((next.phase(), next.overwritten(), next.writes()), (FULL, 7, 10));
}

#[test]
fn a_zeroed_mapping_is_an_empty_ring() {
    // As every byte of a fresh mapping.
    assert_eq!(State(0), State::of(EMPTY, 0, 0));
    let fresh = ring::<2>();
    for word in [&fresh.next, &fresh.lost, &fresh.refused, &fresh.consumed] {
        assert_eq!(word.load(Ordering::Relaxed), 0);
    }
    for slot in &fresh.slots {
        assert_eq!(slot.state.load(Ordering::Relaxed) | slot.length.load(Ordering::Relaxed), 0);
    }
}

/// Runs `body` as often as it has operations, each time with `handler` before another one of them, and `after` at the end.
fn interrupted_everywhere<const SLOTS: usize>(
    before: u64,
    handler: fn(&'static Ring<SLOTS, 2>),
    body: fn(&'static Ring<SLOTS, 2>),
    after: impl Fn(&'static Ring<SLOTS, 2>),
) -> u32 {
    for at in 1.. {
        let ring = ring::<SLOTS>();
        for record in 0..before {
            ring.push(&[100 + record, 100 + record]).unwrap();
        }
        if !interrupt(at, move || handler(ring), || body(ring)) {
            return at - 1;
        }
        assert!(ring.counts().balanced(), "interrupted before operation {at}: {:?}", ring.counts());
        after(ring);
    }
    unreachable!()
}

fn produce<const SLOTS: usize>(ring: &'static Ring<SLOTS, 2>) {
    let _ = ring.push(&[1, 1]);
}

fn nested<const SLOTS: usize>(ring: &'static Ring<SLOTS, 2>) {
    let _ = ring.push(&[2, 2]);
}

/// More than a whole round, so that the handler comes to the slot that is being written.
fn nested_round<const SLOTS: usize>(ring: &'static Ring<SLOTS, 2>) {
    for record in 0..=SLOTS as u64 {
        let _ = ring.push(&[10 + record, 10 + record]);
    }
}

#[test]
fn a_producer_is_interrupted_by_a_producer_before_each_operation() {
    let steps = interrupted_everywhere::<2>(0, nested, produce, |ring| {
        assert_eq!(ring.counts(), Counts { produced: 2, waiting: 2, ..Counts::default() });
        let mut seen = taken(ring);
        seen.sort_unstable();
        assert_eq!(seen, [1, 2], "both are carried");
    });
    assert_eq!(steps, 7, "ticket, look, claim, length, two words, publish");
}

#[test]
fn and_by_a_whole_round_that_comes_to_its_slot() {
    for full in [0, 1, 3] {
        interrupted_everywhere::<3>(full, nested_round, produce, |ring| {
            let counts = ring.counts();
            assert_eq!(counts.produced, full + 5);
            assert_eq!((counts.lost, counts.writing), (0, 0), "a slot that is being written is passed over");
            let seen = taken(ring);
            assert_eq!(seen.len() as u64 + counts.overwritten, full + 5);
            assert!(ring.counts().balanced());
        });
    }
}

#[test]
fn in_a_ring_of_one_slot_the_handlers_sample_is_lost_and_counted() {
    let mut lost = 0;
    for at in 1.. {
        let ring = ring::<1>();
        if !interrupt(at, move || nested(ring), || produce(ring)) {
            break;
        }
        let counts = ring.counts();
        assert!(counts.balanced() && counts.produced == 2, "{counts:?}");
        assert_eq!(counts.lost + counts.overwritten + taken(ring).len() as u64, 2);
        lost += counts.lost;
    }
    assert_eq!(lost, 5, "after each operation from the claim on, the handler's; before it, the claim's own");
}

#[test]
fn a_consumer_is_interrupted_by_a_producer_before_each_operation() {
    for full in [1, 2] {
        interrupted_everywhere::<2>(
            full,
            nested_round,
            |ring| {
                taken(ring);
            },
            |ring| {
                taken(ring);
                let counts = ring.counts();
                assert!(counts.balanced(), "{counts:?}");
                assert_eq!((counts.produced, counts.waiting, counts.lost), (full + 3, 0, 0));
            },
        );
    }
}

/// Ends a call in its midst, as a cancelled thread or a killed process ends.
fn abandoned(ring: &'static Ring<3, 2>, at: u32) -> bool {
    let ends = || resume_unwind(Box::new("never comes back"));
    catch_unwind(AssertUnwindSafe(|| interrupt(at, ends, || produce(ring)))).is_err()
}

#[test]
fn a_producer_that_never_comes_back_costs_one_slot_and_no_count() {
    let mut left = 0;
    for at in 1.. {
        let ring = ring::<3>();
        if !abandoned(ring, at) {
            break;
        }
        let writing = ring.counts().writing;
        left += writing;
        assert_eq!(ring.counts().produced, writing, "counted when it has a slot");
        for record in 1..=10 {
            assert_eq!(ring.push(&[record, record]), Ok(()), "left before operation {at}");
        }
        let seen = taken(ring);
        assert_eq!(seen.len() as u64, 3 - writing);
        assert!(seen.contains(&10), "the newest is carried");
        let counts = ring.counts();
        assert!(counts.balanced(), "{counts:?}");
        assert_eq!((counts.produced, counts.writing, counts.lost), (10 + writing, writing, 0));
    }
    assert_eq!(left, 4, "between the claim and the publishing");
}

#[test]
fn when_every_slot_was_left_samples_are_lost_and_counted() {
    let ring = ring::<3>();
    for _ in 0..3 {
        assert!(abandoned(ring, 4));
    }
    assert_eq!(ring.push(&[1, 1]), Err(NotCarried::Lost));
    assert_eq!(taken(ring), []);
    let counts = ring.counts();
    assert_eq!(counts, Counts { produced: 4, lost: 1, writing: 3, ..Counts::default() });
    assert!(counts.balanced());
}

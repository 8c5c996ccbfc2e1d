//! Models of `sync::Ring`: `scripts/loom`.
//!
//! Two producers and the consumer, each a thread. What loom cannot show here: a producer that interrupts another one, or the
//! consumer, on the same thread (src/sync/ring/tests.rs interrupts before each operation, tests/ring_every_instruction.rs before each
//! instruction); a load that sees a store which is yet to come, against which the consumer's Release stands; other processes, which
//! are threads to it; and more than three threads, or more preemptions than a model says.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use sigwalk::sync::planted::{Bug, plant};
use sigwalk::sync::{Counts, Ring};

/// Takes what is there into `seen`. Words of one record are equal.
fn take<const SLOTS: usize>(ring: &Ring<SLOTS, 2>, seen: &mut Vec<u64>) {
    ring.drain(|record| {
        assert!(record.len() == 2 && record[0] == record[1], "torn: {record:?}");
        assert!(!seen.contains(&record[0]), "taken twice: {record:?}");
        seen.push(record[0]);
    });
}

fn balanced(counts: Counts) {
    assert!(counts.balanced(), "the accounts: {counts:?}");
}

/// Four preemptions in a model of three threads: each bug below needs one or two; five take a minute and a half, all of them hours.
fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(model);
}

/// Two threads produce a record each while the consumer takes, and takes again when they are through.
fn two_producers<const SLOTS: usize>() {
    bounded(|| {
        let ring = Arc::new(Ring::<SLOTS, 2>::new());
        let producers: Vec<_> = (1..=2)
            .map(|number| {
                let ring = Arc::clone(&ring);
                thread::spawn(move || ring.push(&[number, number]).is_ok())
            })
            .collect();
        let mut seen = Vec::new();
        take(&ring, &mut seen);
        balanced(ring.counts());
        let carried = producers.into_iter().map(|producer| u64::from(producer.join().unwrap())).sum::<u64>();
        take(&ring, &mut seen);
        let counts = ring.counts();
        balanced(counts);
        assert_eq!(
            (counts.produced, counts.lost),
            (2, 2 - carried),
            "the accounts of who produced: {counts:?}"
        );
        assert_eq!((counts.waiting, counts.writing), (0, 0), "left: {counts:?}");
        assert_eq!(counts.consumed, seen.len() as u64);
    });
}

/// One thread produces twice, over a record that was not taken, while the consumer takes.
fn one_producer_goes_round() {
    loom::model(|| {
        let ring = Arc::new(Ring::<1, 2>::new());
        let producer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || [1, 2].map(|number| ring.push(&[number, number]).is_ok()))
        };
        let mut seen = Vec::new();
        take(&ring, &mut seen);
        balanced(ring.counts());
        let carried = producer.join().unwrap().into_iter().filter(|carried| *carried).count() as u64;
        take(&ring, &mut seen);
        let counts = ring.counts();
        balanced(counts);
        assert_eq!(
            (counts.produced, counts.lost),
            (2, 2 - carried),
            "the accounts of who produced: {counts:?}"
        );
        assert!(seen.is_sorted(), "one thread's records in their order: {seen:?}");
    });
}

#[test]
fn one_slot() {
    two_producers::<1>();
}

#[test]
fn two_slots() {
    two_producers::<2>();
}

#[test]
fn a_producer_that_overwrites_what_the_consumer_reads() {
    one_producer_goes_round();
}

#[test]
#[should_panic(expected = "torn")]
fn a_relaxed_publishing_is_found() {
    plant(Bug::RelaxedStores, two_producers::<2>);
}

#[test]
#[should_panic(expected = "torn")]
fn a_consumer_that_acquires_nothing_is_found() {
    plant(Bug::RelaxedLoads, two_producers::<2>);
}

#[test]
#[should_panic(expected = "the accounts")]
fn a_slot_that_two_can_claim_is_found() {
    plant(Bug::TornExchange, two_producers::<1>);
}

#[test]
#[should_panic(expected = "the accounts")]
fn a_record_that_is_taken_while_it_is_overwritten_is_found() {
    plant(Bug::TornExchange, one_producer_goes_round);
}

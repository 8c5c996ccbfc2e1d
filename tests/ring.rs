//! `sync::Ring` with real threads and real signals: at the end every sample is accounted for.
//!
//! What depends on timing (how many are overwritten or lost) is not asserted; that the accounts are exact is, and they are compared with
//! what the producers counted themselves.
#![cfg(not(loom))]
#![allow(unsafe_code)]

mod handler;
mod image;

use handler::handle;
use sigwalk::sync::{Counts, Ring};
use std::collections::HashSet;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

/// Who, the how-manieth, and a word that proves that both belong together.
fn record(who: u64, number: u64) -> [u64; 3] {
    [who, number, (who << 48 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15)]
}

/// What a consumer has seen: every record whole, none twice.
#[derive(Default)]
struct Seen(HashSet<(u64, u64)>);

impl Seen {
    fn take<const SLOTS: usize>(&mut self, ring: &Ring<SLOTS, 3>) {
        ring.drain(|words| {
            assert_eq!(words, record(words[0], words[1]), "torn");
            assert!(self.0.insert((words[0], words[1])), "taken twice: {words:?}");
        });
        // For the consumer at any moment.
        let counts = ring.counts();
        assert!(counts.balanced(), "{counts:?}");
    }
}

#[track_caller]
fn settled(counts: Counts, produced: u64, seen: &Seen) {
    assert!(counts.balanced(), "{counts:?}");
    assert_eq!((counts.produced, counts.waiting, counts.writing), (produced, 0, 0), "{counts:?}");
    assert_eq!(counts.consumed, seen.0.len() as u64, "{counts:?}");
}

fn at_full_speed<const SLOTS: usize>(ring: &Ring<SLOTS, 3>) {
    const EACH: u64 = 50_000;
    let mut seen = Seen::default();
    thread::scope(|scope| {
        let producers: Vec<_> = (1..=4)
            .map(|who| {
                scope.spawn(move || {
                    (0..EACH).filter(|number| ring.push(&record(who, *number)).is_err()).count()
                })
            })
            .collect();
        while !producers.iter().all(|producer| producer.is_finished()) {
            seen.take(ring);
        }
        let lost: usize = producers.into_iter().map(|producer| producer.join().unwrap()).sum();
        seen.take(ring);
        assert_eq!(ring.counts().lost, lost as u64, "each producer knows of its own");
    });
    settled(ring.counts(), 4 * EACH, &seen);
}

#[test]
fn threads_produce_at_full_speed() {
    static LARGE: Ring<256, 3> = Ring::new();
    static SMALL: Ring<2, 3> = Ring::new();
    static ONE: Ring<1, 3> = Ring::new();
    at_full_speed(&LARGE);
    at_full_speed(&SMALL);
    at_full_speed(&ONE);
}

/// Signals, not threads: handlers of these are shared by the whole test process, so only one test uses them.
static SIGNALLED: Ring<8, 3> = Ring::new();
static BY_HANDLERS: AtomicU64 = AtomicU64::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

const HANDLER: u64 = 1000;

#[test]
fn handlers_produce_on_threads_that_produce_and_on_the_one_that_consumes() {
    const SIGNALS: u64 = 20_000;
    for signal in [libc::SIGPROF, libc::SIGURG] {
        // Each may interrupt the other: producers nest three deep.
        handle(signal, libc::SA_RESTART, &[], |_| {
            let number = BY_HANDLERS.fetch_add(1, Relaxed);
            let _ = SIGNALLED.push(&record(HANDLER, number));
        });
    }
    let producers: Vec<_> = (1..=2)
        .map(|who| {
            thread::spawn(move || {
                let mut number = 0;
                while !STOP.load(Relaxed) {
                    let _ = SIGNALLED.push(&record(who, number));
                    number += 1;
                }
                number
            })
        })
        .collect();
    let consumer = thread::spawn(|| {
        let mut seen = Seen::default();
        while !STOP.load(Relaxed) {
            seen.take(&SIGNALLED);
        }
        seen
    });
    let threads = producers.iter().map(JoinHandleExt::as_pthread_t).chain([consumer.as_pthread_t()]);
    let threads: Vec<_> = threads.collect();
    while BY_HANDLERS.load(Relaxed) < SIGNALS {
        for thread in &threads {
            for signal in [libc::SIGPROF, libc::SIGURG] {
                // SAFETY: threads that were not joined.
                unsafe { libc::pthread_kill(*thread, signal) };
            }
        }
    }
    STOP.store(true, Relaxed);
    let produced: u64 = producers.into_iter().map(|producer| producer.join().unwrap()).sum();
    let mut seen = consumer.join().unwrap();
    seen.take(&SIGNALLED);
    settled(SIGNALLED.counts(), produced + BY_HANDLERS.load(Relaxed), &seen);
    assert!(seen.0.iter().any(|(who, _)| *who == HANDLER), "handlers' samples are carried");
}

/// In memory that processes share, one of which is killed while it produces.
#[test]
fn a_process_that_is_killed_costs_one_slot_at_most_and_no_count() {
    let ring: *mut Ring<4, 3> = handler::shared();
    // SAFETY: a zeroed shared mapping that is never unmapped; all-zero is an empty ring, and only its atomics are used.
    let ring = unsafe { &*ring };
    // SAFETY: the child makes no call but pushes, and is killed.
    let child = match unsafe { libc::fork() } {
        0 => {
            for number in 0.. {
                let _ = ring.push(&record(1, number));
            }
            unreachable!()
        }
        child => child,
    };
    let mut seen = Seen::default();
    while ring.counts().consumed < 10_000 {
        seen.take(ring);
    }
    // SAFETY: our own child.
    assert_eq!(unsafe { libc::kill(child, libc::SIGKILL) }, 0);
    handler::wait(child);
    seen.take(ring);
    let counts = ring.counts();
    assert!(counts.balanced() && counts.waiting == 0 && counts.writing <= 1, "{counts:?}");
    for number in 0..100 {
        assert_eq!(ring.push(&record(2, number)), Ok(()));
    }
    seen.take(ring);
    assert!(seen.0.contains(&(2, 99)), "it goes on, and the newest is carried");
    let after = ring.counts();
    assert_eq!((after.produced, after.writing), (counts.produced + 100, counts.writing));
    assert_eq!(after.lost, counts.lost, "one slot less, and no sample");
}

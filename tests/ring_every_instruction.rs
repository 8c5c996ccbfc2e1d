//! A handler that produces before every instruction of a producer and of the consumer: the trap flag makes each instruction of this
//! thread end in SIGTRAP, whose handler pushes a sample into the ring that the thread is at work on.
#![cfg(not(loom))]
#![allow(unsafe_code)]

mod handler;
mod image;

use handler::handle;
use sigwalk::sync::Ring;
use std::arch::asm;
use std::cell::Cell;
use std::sync::Mutex;

thread_local! {
    static INSIDE: Cell<Option<&'static dyn Fn(u64)>> = const { Cell::new(None) };
    static TRAPS: Cell<u64> = const { Cell::new(0) };
}

/// Runs `body` with `inside` before each of its instructions, which gets their number; how many there were.
fn stepped(inside: &'static dyn Fn(u64), body: impl FnOnce()) -> u64 {
    handle(libc::SIGTRAP, 0, &[], |_| {
        let number = TRAPS.get();
        TRAPS.set(number + 1);
        if let Some(inside) = INSIDE.get() {
            inside(number);
        }
    });
    TRAPS.set(0);
    INSIDE.set(Some(inside));
    // SAFETY: sets the trap flag and clears it: SIGTRAP has a handler, and the kernel clears the flag while that runs.
    unsafe {
        asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq");
        body();
        asm!("pushfq", "and qword ptr [rsp], -0x101", "popfq");
    }
    INSIDE.set(None);
    TRAPS.get()
}

/// Puts a value where a handler may use it for ever. A leak detector finds it in the list.
fn for_ever<T: 'static>(value: T) -> &'static T {
    static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let kept: &'static T = Box::leak(Box::new(value));
    KEPT.lock().unwrap().push(std::ptr::from_ref(kept).addr());
    kept
}

fn new<const SLOTS: usize>() -> &'static Ring<SLOTS, 2> {
    for_ever(Ring::new())
}

/// What is there, each record whole and in this order of numbers; numbers.
fn taken<const SLOTS: usize>(ring: &Ring<SLOTS, 2>) -> Vec<u64> {
    let mut seen = Vec::new();
    ring.drain(|record| {
        assert!(record.len() == 2 && record[0] == record[1], "torn: {record:?}");
        seen.push(record[0]);
    });
    seen
}

/// A number that no handler pushes.
const OUTER: u64 = 1 << 32;

#[test]
fn a_producer_is_interrupted_by_a_producer_before_each_instruction() {
    let ring = new::<1024>();
    let inside: &'static dyn Fn(u64) = for_ever(|number| {
        assert_eq!(ring.push(&[number, number]), Ok(()));
    });
    let instructions = stepped(inside, || assert_eq!(ring.push(&[OUTER, OUTER]), Ok(())));
    assert!((20..1000).contains(&instructions), "{instructions}");
    let counts = ring.counts();
    assert_eq!(
        (counts.produced, counts.overwritten, counts.lost, counts.writing),
        (instructions + 1, 0, 0, 0)
    );
    let mut seen = taken(ring);
    seen.sort_unstable();
    let expected: Vec<u64> = (0..instructions).chain([OUTER]).collect();
    assert_eq!(seen, expected, "all are carried, each once");
    println!("a sample before each of {instructions} instructions of a producer");
}

fn producers_that_come_round<const SLOTS: usize>() {
    let ring = new::<SLOTS>();
    let inside: &'static dyn Fn(u64) = for_ever(|number| {
        let _ = ring.push(&[number, number]);
    });
    let instructions = stepped(inside, || {
        let _ = ring.push(&[OUTER, OUTER]);
    });
    let counts = ring.counts();
    assert_eq!((counts.produced, counts.writing), (instructions + 1, 0), "{counts:?}");
    assert!(counts.balanced(), "{counts:?}");
    let seen = taken(ring).len() as u64;
    assert_eq!(counts.lost + counts.overwritten + seen, instructions + 1);
}

#[test]
fn and_by_producers_that_come_to_the_slot_it_is_writing() {
    producers_that_come_round::<1>();
    producers_that_come_round::<2>();
}

#[test]
fn a_consumer_is_interrupted_by_a_producer_before_each_instruction() {
    let ring = new::<4>();
    for number in 1..=4 {
        ring.push(&[OUTER + number, OUTER + number]).unwrap();
    }
    // Before each instruction one more, so that every slot is overwritten again and again while it is read.
    let inside: &'static dyn Fn(u64) = for_ever(|number| {
        assert_eq!(ring.push(&[number, number]), Ok(()));
    });
    let seen: &'static Cell<u64> = for_ever(Cell::new(0));
    let instructions = stepped(inside, || {
        ring.drain(|record| {
            if record.len() == 2 && record[0] == record[1] {
                seen.set(seen.get() + 1);
            } else {
                seen.set(u64::MAX / 2);
            }
        });
    });
    let counts = ring.counts();
    assert_eq!(counts.produced, instructions + 4);
    assert_eq!(counts.consumed, seen.get(), "a torn record, or one that was counted wrong");
    assert!(counts.balanced() && counts.waiting == 4, "{counts:?}");
}

#[test]
fn a_consumer_is_interrupted_once_at_each_instruction() {
    let mut at = 0;
    loop {
        let ring = new::<2>();
        for number in 1..=2 {
            ring.push(&[number, number]).unwrap();
        }
        let inside: &'static dyn Fn(u64) = for_ever(move |number| {
            if number == at {
                ring.push(&[3, 3]).unwrap();
            }
        });
        let seen: &'static Cell<(u64, u64)> = for_ever(Cell::new((0, 0)));
        let instructions = stepped(inside, || {
            ring.drain(|record| {
                let (count, sum) = seen.get();
                seen.set((count + 1, sum + record[0] + record[1]));
            });
        });
        let late: Vec<u64> = taken(ring);
        let (count, sum) = seen.get();
        let counts = ring.counts();
        if at < instructions {
            assert!(counts.balanced(), "before instruction {at}: {counts:?}");
            assert_eq!((counts.produced, counts.consumed), (3, count + late.len() as u64));
            assert_eq!(count + late.len() as u64 + counts.overwritten, 3);
            // Everything but what was overwritten, which is the first record or the second, came out whole.
            let missing = 12 - sum - 2 * late.iter().sum::<u64>();
            assert!(
                missing == 0 && counts.overwritten == 0
                    || (missing == 2 || missing == 4) && counts.overwritten == 1
            );
        } else {
            break;
        }
        at += 1;
    }
    assert!(at > 20);
    println!("a sample before each of {at} instructions of the consumer");
}

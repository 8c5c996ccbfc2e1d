//! Policies with all of their checks are the registered walkers, and policies without some of them never believe what a failed
//! load leaves in place of a value.
#![cfg(not(loom))]

mod image;

use image::readers::{Mode, NthFails};
use image::{Entry, Function, Generator, Incomplete, MINORS, OlderChunk, Process, Slot};
use sigwalk::checks::{Check, Mask};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{Before, ImageReader};
use sigwalk::walk::{Detail, End, Truncated, Walk};
use sigwalk::walkers::{self, FAMILIES, Family, Policy, PrB1, PrB1Hops, Strict};

const STACK: &[Slot] =
    &[Function, Entry, Generator, Incomplete, OlderChunk, Function, OlderChunk, Function, Entry];

/// Loads of which only an endless walk makes more.
const LOADS: u32 = 3000;

fn walk(family: &Family, on: Mask, process: &Process, detail: Detail, room: usize) -> (Walk, Vec<Frame>) {
    process.walk_in(|reader, request, out| (family.image)(on, reader, request, out), detail, room, LOADS)
}

fn registered(family: &Family, process: &Process, detail: Detail, room: usize) -> (Walk, Vec<Frame>) {
    let entry = walkers::named(family.name).expect("a family has the name of its walker");
    process.walk_in(entry.image, detail, room, LOADS)
}

#[test]
fn with_all_checks_a_family_is_the_registered_walker() {
    for family in FAMILIES {
        let mut walks = 0;
        for minor in MINORS {
            let mut process = Process::new(minor, STACK);
            for damage in
                process.fields().into_iter().flat_map(|field| process.damages(field)).collect::<Vec<_>>()
            {
                process.damaged(&damage, |process| {
                    for (detail, room) in [(Detail::Line, 16), (Detail::Code, 3)] {
                        let whole = registered(family, process, detail, room);
                        for on in [Mask::ALL, Mask::of(family.checks)] {
                            let found = walk(family, on, process, detail, room);
                            assert_eq!(found, whole, "{} on 3.{minor}, {damage:x?}", family.name);
                        }
                        walks += 1;
                    }
                });
            }
        }
        assert!(walks > 10_000, "{walks}");
    }
}

#[test]
fn a_healthy_stack_is_whole_whatever_is_off() {
    for family in FAMILIES {
        for minor in MINORS {
            let process = Process::new(minor, STACK);
            let one_off = family.checks.iter().map(|check| Mask::ALL.without(*check));
            let one_on = family.checks.iter().map(|check| Mask::NONE.with(*check));
            for on in one_off.chain(one_on).chain([Mask::NONE]) {
                let (walk, frames) = walk(family, on, &process, Detail::Line, 16);
                let about = format!("{} on 3.{minor}, {on:?}", family.name);
                assert_eq!((walk.end, &frames[..]), (End::Complete, &process.expected[..]), "{about}");
            }
        }
    }
}

/// The n-th load fails, for every n, with any one check off, any one on, and none: a fault, or an answer that needed nothing of
/// what was not read.
fn failed_loads<P: Policy>(family: &Family) {
    for minor in MINORS {
        let process = Process::new(minor, STACK);
        let regions = process.regions();
        let one_off = family.checks.iter().map(|check| Mask::ALL.without(*check));
        let one_on = family.checks.iter().map(|check| Mask::NONE.with(*check));
        for on in one_off.chain(one_on).chain([Mask::NONE]) {
            for mode in [Mode::Place, Mode::Everything] {
                for nth in 1.. {
                    let failing = NthFails::new(nth, mode);
                    let hook = |load| failing.before(load);
                    let reader = Before::new(ImageReader::new(&regions), &hook);
                    let mut frames = [Frame::default(); 16];
                    let mut out = FrameBuf::new(&mut frames);
                    let walk = P::walk_by(on, &reader, &process.request(Detail::Line), &mut out);
                    let about = format!("{} on 3.{minor}, {on:?}, load {nth}, {mode:?}", family.name);
                    if !failing.hit()
                        || mode == Mode::Place && failing.was_poison() && walk.end == End::Complete
                    {
                        assert_eq!(
                            (walk.end, out.frames()),
                            (End::Complete, &process.expected[..]),
                            "{about}"
                        );
                        if failing.hit() { continue } else { break }
                    }
                    assert!(matches!(walk.end, End::Truncated(Truncated::Fault(..))), "{about}: {walk:?}");
                }
            }
        }
    }
}

#[test]
fn a_failed_load_is_a_fault_whatever_is_off() {
    failed_loads::<PrB1>(walkers::family("pr-b1").unwrap());
    failed_loads::<PrB1Hops>(walkers::family("pr-b1-hops").unwrap());
    failed_loads::<Strict>(walkers::family("guarded").unwrap());
}

/// A place of RESUME that was not loaded is less than the offset of a wild instruction pointer, where nobody asks for its range.
#[test]
fn a_wild_offset_hides_no_failed_load() {
    for minor in MINORS {
        let mut process = Process::new(minor, &[Function, Entry]);
        process.put(process.instruction(0), process.offset(0, 1 << 40));
        let regions = process.regions();
        for nth in 1.. {
            let failing = NthFails::new(nth, Mode::Place);
            let hook = |load| failing.before(load);
            let reader = Before::new(ImageReader::new(&regions), &hook);
            let mut frames = [Frame::default(); 4];
            let mut out = FrameBuf::new(&mut frames);
            let on = Mask::ALL.without(Check::Instruction);
            let walk = Strict::walk_by(on, &reader, &process.request(Detail::Code), &mut out);
            if !failing.hit() {
                assert_eq!((walk.end, out.frames().len()), (End::Complete, 1), "3.{minor}");
                break;
            }
            assert!(matches!(walk.end, End::Truncated(Truncated::Fault(..))), "3.{minor}, {nth}: {walk:?}");
        }
    }
}

#[test]
fn families_have_all_checks_and_none_twice() {
    let mut seen: Vec<Check> = Vec::new();
    for family in FAMILIES {
        let mut checks = family.checks.to_vec();
        checks.sort();
        checks.dedup();
        assert_eq!(checks.len(), family.checks.len(), "{}", family.name);
        seen.extend(checks);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, Check::ALL);
}

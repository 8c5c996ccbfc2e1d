//! What the four functions of PR 148930 load, in which order, and where their heuristics end: the exact C checks, no
//! more and no fewer.
#![cfg(not(loom))]

mod image;

use image::readers::Recorder;
use image::{Entry, Function, Generator, MINORS, NOWHERE, Process, Slot};
use sigwalk::addr::Addr;
use sigwalk::frame::Frame;
use sigwalk::heuristics::{Era, is_incomplete, safe_get_code, safe_get_lasti};
use sigwalk::reader::{FaultKind, ImageReader, Reader};
use sigwalk::walk::{Detail, EXTRA_HOPS, End, Rejected, Site, Stop, Truncated, Walk};
use sigwalk::walkers;

/// The frame that is damaged is the outer one of two, so that a walk has a frame before it.
const TWO: &[Slot] = &[Function, Function, Entry];

/// A load by its offset in frame 1 or in its code object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Frame(u32),
    Code(u32),
}

/// The answer of a helper, and its loads.
fn loads_of<T>(process: &Process, helper: impl FnOnce(&Recorder<ImageReader<'_>>) -> T) -> (T, Vec<Load>) {
    let regions = process.regions();
    let reader = Recorder::new(ImageReader::new(&regions));
    let answer = helper(&reader);
    let name = |at: Addr| match at.minus(process.frames[1]) {
        offset if offset < 88 => Load::Frame(offset as u32),
        _ => Load::Code(at.minus(process.codes[1]) as u32),
    };
    (answer, reader.into_loads().into_iter().map(name).collect())
}

fn get_code(process: &Process) -> (Result<Option<Addr>, Stop>, Vec<Load>) {
    loads_of(process, |reader| safe_get_code(reader, &process.interpreter, process.frames[1]))
}

fn walk(process: &Process, walker: &str) -> (Walk, Vec<Frame>) {
    process.walk(walkers::named(walker).unwrap(), Detail::Line, 8)
}

fn order(process: &Process) -> [Load; 4] {
    let (frame, code) = (&process.layout().frame, &process.layout().code);
    let [globals, builtins, executable] = [frame.globals, frame.builtins, frame.executable].map(Load::Frame);
    [globals, builtins, executable, Load::Code(code.ob_type)]
}

#[test]
fn get_code_loads_globals_builtins_executable_and_the_type() {
    for minor in MINORS {
        let process = Process::new(minor, TWO);
        let (code, loads) = get_code(&process);
        assert_eq!(code, Ok(Some(process.codes[1])), "3.{minor}");
        assert_eq!(loads, order(&process), "3.{minor}");
    }
}

#[test]
fn a_null_of_globals_or_builtins_ends_get_code_at_once() {
    for minor in MINORS {
        let layout = Process::new(minor, TWO).layout().frame;
        for (field, loads) in [(layout.globals, 1), (layout.builtins, 2)] {
            let mut process = Process::new(minor, TWO);
            process.put(process.frames[1].plus(field), 0);
            assert_eq!(get_code(&process), (Ok(None), order(&process)[..loads].to_vec()), "3.{minor}");
            // No pattern is looked for there: only NULL counts.
            process.put(process.frames[1].plus(field), 0xdddd_dddd_dddd_dddd);
            assert_eq!(get_code(&process).0, Ok(Some(process.codes[1])), "3.{minor}");
        }
    }
}

/// Values of a freed pointer: of both eras, and of the second only.
const FILLS: [u64; 4] = [0, 0xcdcd_cdcd_cdcd_cdcd, 0xdddd_dddd_dddd_dddd, 0xfdfd_fdfd_fdfd_fdfd];
const SINCE: [u64; 4] = [2, 0xfe, u64::MAX - 1, u64::MAX - 0xfd];

#[test]
fn a_pattern_in_executable_ends_get_code_before_the_type_is_read() {
    for minor in MINORS {
        for (era, patterns) in
            [(Era::BeforeGh140815, &FILLS[..]), (Era::SinceGh140815, &[FILLS, SINCE].concat())]
        {
            for pattern in patterns {
                let mut process = Process::new(minor, TWO);
                process.interpreter.era = era;
                process.put(process.executable(1), *pattern);
                let about = format!("3.{minor}, {era:?}, {pattern:#x}");
                assert_eq!(get_code(&process), (Ok(None), order(&process)[..3].to_vec()), "{about}");
            }
        }
        // What the earlier era does not know is dereferenced.
        for pattern in SINCE {
            let mut process = Process::new(minor, TWO);
            process.interpreter.era = Era::BeforeGh140815;
            process.put(process.executable(1), pattern);
            let Err(Stop(End::Truncated(Truncated::Fault(site, _)))) = get_code(&process).0 else { panic!() };
            assert_eq!(site, Site::CodeType, "3.{minor}, {pattern:#x}");
        }
    }
}

#[test]
fn a_tagged_null_is_null_and_other_tags_are_taken_off() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        process.interpreter.era = Era::BeforeGh140815;
        process.put(process.executable(1), 1);
        let null = get_code(&process);
        process.put(process.executable(1), process.codes[1].get() | 1);
        let tagged = get_code(&process).0;
        if minor >= 14 {
            assert_eq!(null, (Ok(None), order(&process)[..3].to_vec()), "3.{minor}");
            assert_eq!(tagged, Ok(Some(process.codes[1])), "3.{minor}");
            // The pattern is looked for before the tag goes and after.
            process.put(process.executable(1), 0xdddd_dddd_dddd_dddd);
            assert_eq!(get_code(&process), (Ok(None), order(&process)[..3].to_vec()), "3.{minor}");
            process.interpreter.era = Era::SinceGh140815;
            process.put(process.executable(1), 0xff);
            assert_eq!(get_code(&process), (Ok(None), order(&process)[..3].to_vec()), "3.{minor}");
        } else {
            assert!(matches!(null.0, Err(Stop(End::Truncated(Truncated::Fault(Site::CodeType, _))))));
            assert_ne!(tagged, Ok(Some(process.codes[1])), "3.{minor} has no tags");
        }
    }
}

#[test]
fn a_pattern_in_the_type_or_another_type_is_no_code() {
    for minor in MINORS {
        for era in [Era::BeforeGh140815, Era::SinceGh140815] {
            for type_bits in [FILLS, SINCE].concat().into_iter().chain([image::BYTES_TYPE.get()]) {
                let mut process = Process::new(minor, TWO);
                process.interpreter.era = era;
                process.put(process.codes[1].plus(process.layout().code.ob_type), type_bits);
                let about = format!("3.{minor}, {era:?}, {type_bits:#x}");
                assert_eq!(get_code(&process), (Ok(None), order(&process).to_vec()), "{about}");
            }
        }
    }
}

#[test]
fn a_freed_pattern_is_no_code_even_where_it_equals_the_type() {
    // Only so the pattern test of ob_type shows: without it, PyCode_Check says no to every pattern anyway.
    for minor in MINORS {
        for (era, pattern) in FILLS
            .map(|fill| (Era::BeforeGh140815, fill))
            .into_iter()
            .chain(SINCE.map(|edge| (Era::SinceGh140815, edge)))
        {
            let mut process = Process::new(minor, TWO);
            process.interpreter.era = era;
            process.interpreter.code_type = Addr::new(pattern);
            process.put(process.codes[1].plus(process.layout().code.ob_type), pattern);
            assert_eq!(get_code(&process).0, Ok(None), "3.{minor}, {era:?}, {pattern:#x}");
        }
    }
}

#[test]
fn nothing_is_checked_of_a_code_object_but_its_type() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        // Freed by pymalloc: the first word is a free-list pointer, the rest is as it was.
        process.put(process.codes[1], 0x7f12_3456_7890);
        for walker in ["pr-b1", "pr-b1-hops"] {
            let found = walk(&process, walker);
            assert_eq!(
                (found.0.end, found.1),
                (End::Complete, process.expected.clone()),
                "{walker}, 3.{minor}"
            );
        }
    }
}

#[test]
fn lasti_reads_the_code_a_second_time_and_then_the_instruction() {
    for minor in MINORS {
        let process = Process::new(minor, TWO);
        let (lasti, loads) =
            loads_of(&process, |reader| safe_get_lasti(reader, &process.interpreter, process.frames[1]));
        assert_eq!(lasti, Ok(process.expected[1].lasti), "3.{minor}");
        let mut expected = order(&process).to_vec();
        expected.push(Load::Frame(process.layout().frame.instruction));
        assert_eq!(loads, expected, "3.{minor}");
    }
}

#[test]
fn lasti_is_minus_one_where_the_code_is_not_believed() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        process.put(process.executable(1), 0);
        let (lasti, loads) =
            loads_of(&process, |reader| safe_get_lasti(reader, &process.interpreter, process.frames[1]));
        assert_eq!((lasti, loads), (Ok(-1), order(&process)[..3].to_vec()), "3.{minor}");
    }
}

#[test]
fn an_alias_by_four_gibibytes_has_a_valid_looking_lasti() {
    for minor in MINORS {
        for alias in [1 << 32, -(1 << 32), 1 << 33, 5 << 32] {
            let mut process = Process::new(minor, TWO);
            let healthy = process.expected[1].lasti;
            process.put(process.instruction(1), process.offset(1, i64::from(healthy) + alias));
            let regions = process.regions();
            let lasti = safe_get_lasti(&ImageReader::new(&regions), &process.interpreter, process.frames[1]);
            assert_eq!(lasti, Ok(healthy), "3.{minor}, {alias:#x}");
        }
    }
}

#[test]
fn an_odd_instruction_pointer_has_an_odd_lasti() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        let healthy = process.expected[1].lasti;
        process.put(process.instruction(1), process.offset(1, i64::from(healthy) + 1));
        let regions = process.regions();
        let lasti = safe_get_lasti(&ImageReader::new(&regions), &process.interpreter, process.frames[1]);
        assert_eq!(lasti, Ok(healthy + 1), "3.{minor}");
    }
}

#[test]
fn the_alias_is_walked_as_a_healthy_frame() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        let healthy = process.expected[1].lasti;
        process.put(process.instruction(1), process.offset(1, i64::from(healthy) + (1 << 32)));
        for walker in ["pr-b1", "pr-b1-hops"] {
            let found = walk(&process, walker);
            assert_eq!(
                (found.0.end, found.1),
                (End::Complete, process.expected.clone()),
                "{walker}, 3.{minor}"
            );
        }
    }
}

#[test]
fn a_freed_pattern_in_previous_ends_the_walk_as_complete() {
    for minor in MINORS {
        for (era, patterns) in
            [(Era::BeforeGh140815, &FILLS[..]), (Era::SinceGh140815, &[FILLS, SINCE].concat())]
        {
            for pattern in patterns {
                let mut process = Process::new(minor, TWO);
                process.interpreter.era = era;
                process.put(process.previous(0), *pattern);
                for walker in ["pr-b1", "pr-b1-hops"] {
                    let (walk, frames) = walk(&process, walker);
                    let about = format!("{walker} on 3.{minor}, {era:?}, {pattern:#x}");
                    assert_eq!((walk.end, &frames[..]), (End::Complete, &process.expected[..1]), "{about}");
                }
            }
        }
    }
}

#[test]
fn a_stale_executable_is_dereferenced_by_the_unguarded_skip_loop() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        process.put(process.executable(1), 0xdddd_dddd_dddd_dddd);
        let (proposed, frames) = walk(&process, "pr-b1");
        let crash = Some((Site::CodeFirsttraceable, FaultKind::Unmapped));
        assert_eq!((proposed.fault(), &frames[..]), (crash, &process.expected[..1]), "3.{minor}");
        let (guarded, frames) = walk(&process, "pr-b1-hops");
        assert_eq!(guarded.end, End::Rejected(Rejected::NoCode), "3.{minor}");
        assert_eq!(frames, process.expected[..1], "3.{minor}");
        // Where no pattern shows it, the guard crashes too: at the type.
        process.put(process.executable(1), NOWHERE);
        let crash = Some((Site::CodeType, FaultKind::Unmapped));
        assert_eq!(walk(&process, "pr-b1-hops").0.fault(), crash, "3.{minor}");
    }
}

#[test]
fn incomplete_reads_owner_executable_instruction_and_the_resume() {
    for minor in MINORS {
        for (slots, expected) in [(TWO, false), (&[Function, image::Incomplete, Entry], true)] {
            let process = Process::new(minor, slots);
            let (answer, loads) =
                loads_of(&process, |reader| is_incomplete(reader, &process.interpreter, process.frames[1]));
            let (frame, code) = (&process.layout().frame, &process.layout().code);
            let [owner, executable, instruction] =
                [frame.owner, frame.executable, frame.instruction].map(Load::Frame);
            assert_eq!(answer, Ok(expected), "3.{minor}");
            let resume = Load::Code(code.firsttraceable);
            assert_eq!(loads, [owner, executable, instruction, resume], "3.{minor}");
        }
        let process = Process::new(minor, &[Function, Generator, Entry]);
        let (answer, loads) =
            loads_of(&process, |reader| is_incomplete(reader, &process.interpreter, process.frames[1]));
        let owner = Load::Frame(process.layout().frame.owner);
        assert_eq!((answer, loads), (Ok(false), vec![owner]), "3.{minor}");
    }
}

#[test]
fn owners_are_compared_as_the_version_does() {
    for minor in MINORS {
        // From 3.14 `>=`, of a signed char; before, `==`.
        for (owner, incomplete) in
            [(3, minor >= 12), (4, minor >= 14), (0x7f, minor >= 14), (0x80, false), (0xff, false)]
        {
            let mut process = Process::new(minor, TWO);
            process.put_bytes(process.owner(1), &[owner]);
            let regions = process.regions();
            let answer = is_incomplete(&ImageReader::new(&regions), &process.interpreter, process.frames[1]);
            assert_eq!(answer, Ok(incomplete), "3.{minor}, owner {owner:#x}");
            for walker in ["pr-b1", "pr-b1-hops"] {
                let shown = if incomplete { 1 } else { 2 };
                assert_eq!(walk(&process, walker).1, process.expected[..shown], "{walker}, owner {owner:#x}");
            }
            // The guard asks for the code of exactly those frames that are not entries.
            process.put(process.executable(1), 0xdddd_dddd_dddd_dddd);
            let end = if incomplete { End::Complete } else { End::Rejected(Rejected::NoCode) };
            assert_eq!(walk(&process, "pr-b1-hops").0.end, end, "3.{minor}, owner {owner:#x}");
        }
    }
}

#[test]
fn a_cycle_of_entry_frames_never_ends_without_a_hop_budget() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        for slots in [&[Function, Entry, Entry][..], &[Function, Entry]] {
            let mut process = Process::new(minor, slots);
            process.put(process.previous(slots.len() - 1), process.frames[1].get());
            let (proposed, frames) = walk(&process, "pr-b1");
            assert_eq!(proposed.fault().map(|fault| fault.1), Some(FaultKind::Budget), "3.{minor}");
            assert_eq!(frames, process.expected, "3.{minor}");
            assert!(proposed.hops > 100_000, "3.{minor}: {proposed:?}");
            let (guarded, frames) = walk(&process, "pr-b1-hops");
            let budget = End::Truncated(Truncated::HopBudget);
            assert_eq!(guarded, Walk { end: budget, hops: 8 + EXTRA_HOPS + 1 }, "3.{minor}");
            assert_eq!(frames, process.expected, "3.{minor}");
        }
    }
}

#[test]
fn each_walk_has_a_hop_budget_of_its_own() {
    // The budget is for the walk and not for a call: an entry frame after each of many frames is healthy.
    for minor in MINORS {
        let slots: Vec<Slot> = [Function, Entry].into_iter().cycle().take(2 * 8).collect();
        let process = Process::new(minor, &slots);
        let (walk, frames) = walk(&process, "pr-b1-hops");
        assert_eq!((walk.end, frames), (End::Complete, process.expected.clone()), "3.{minor}");
    }
}

#[test]
fn a_torn_pointer_is_loaded_from_without_a_look_at_its_shape() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        process.put(process.previous(0), NOWHERE + 1);
        let regions = process.regions();
        let reader = Recorder::new(ImageReader::new(&regions));
        let frame = Addr::new(NOWHERE + 1);
        assert!(reader.u8(frame).is_err());
        for walker in ["pr-b1", "pr-b1-hops"] {
            let crash = Some((Site::FrameOwner, FaultKind::Unmapped));
            assert_eq!(walk(&process, walker).0.fault(), crash, "{walker}, 3.{minor}");
        }
    }
}

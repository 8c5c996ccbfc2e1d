//! A damage for each check that only this check answers: with all checks, the policy's own reason; without this one, a load that
//! faults, a walk without an end, or a wrong stack called whole. The test fails where a check is taken out of the source, and
//! where a check has no row.
//!
//! Damages of one field are searched through in `checks_search.rs`. Here are those that a freed object really shows (one field gives
//! it away, another one has changed), and memory that changes during the walk.
#![cfg(not(loom))]

mod image;

use image::damage::Harm;
use image::readers::{Recorder, Switches};
use image::{
    BYTES_TYPE, Entry, Function, Generator, Incomplete, MINORS, NOWHERE, OlderChunk, Process, Slot, UNITS,
};
use sigwalk::checks::{Check, Mask};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::layout::chunk;
use sigwalk::reader::{Budgeted, ImageReader};
use sigwalk::walk::{Detail, End, Rejected, Site, Truncated, Walk};
use sigwalk::walkers::{FAMILIES, Policy, PrB1, PrB1Hops, Strict, family};

/// What the policy without the check does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// That load faults.
    Crashes(Site),
    Hangs,
    Lies,
}

/// A damage that needs a check.
struct Row {
    check: Check,
    /// Earlier versions have nothing to check there.
    from: u8,
    slots: &'static [Slot],
    /// Also takes back what of [`Process::expected`] is true no longer.
    damage: fn(&mut Process),
    /// How the whole policy's walk ends.
    whole: End,
    without: Without,
}

const TWO: &[Slot] = &[Function, Function, Entry];
const FOUR: &[Slot] = &[Function, Generator, Function, Entry];
const FREED: u64 = 0xdddd_dddd_dddd_dddd;
const NO_FRAME: u64 = 1 << 47;

const fn row(
    check: Check,
    slots: &'static [Slot],
    whole: End,
    without: Without,
    damage: fn(&mut Process),
) -> Row {
    Row { check, from: 11, slots, damage, whole, without }
}

/// Another object has taken the place of a code object: whatever it is, it begins at another line.
fn recycled(process: &mut Process, frame: usize) {
    let first = process.codes[frame].plus(process.layout().code.firstlineno);
    process.put_u32(first, 7);
}

fn cycle_of_entry_frames(process: &mut Process) {
    process.put(process.previous(1), process.frames[1].get());
}

fn strict() -> Vec<Row> {
    use Check::*;
    use Without::*;
    let rejected = |why| End::Rejected(why);
    let linetable = rejected(Rejected::Linetable);
    let mut rows = vec![
        row(FrameShape, TWO, rejected(Rejected::FrameShape), Crashes(Site::FrameExecutable), |p| {
            p.put(p.previous(0), NO_FRAME);
        }),
        // The innermost frame was popped, and the head still names it.
        row(DataStack, TWO, rejected(Rejected::OutsideDataStack), Lies, |p| {
            p.put(p.datastack_top(), p.frames[0].get());
            p.expected.remove(0);
        }),
        row(
            ChunkShape,
            &[Function, OlderChunk, Function, Entry],
            rejected(Rejected::OutsideDataStack),
            Crashes(Site::Chunk),
            |p| p.put(p.chunks[0].plus(chunk::PREVIOUS), NO_FRAME),
        ),
        row(
            ChunkBudget,
            &[Function, OlderChunk, Function, Entry],
            rejected(Rejected::OutsideDataStack),
            Hangs,
            |p| {
                p.put(p.chunks[1].plus(chunk::TOP), 0);
                p.put(p.chunks[1].plus(chunk::PREVIOUS), p.chunks[1].get());
            },
        ),
        // Frames of generators are shown wherever they are.
        row(OwnerPlace, &[Function, Incomplete, Function, Entry], rejected(Rejected::Owner), Lies, |p| {
            p.put_bytes(p.owner(1), &[1]);
        }),
        row(Owner, FOUR, rejected(Rejected::Owner), Lies, |p| p.put_bytes(p.owner(1), &[5])),
        row(ChainEnd, TWO, End::Truncated(Truncated::ChainCut), Lies, |p| p.put(p.previous(0), 0)),
        row(CodeShape, TWO, rejected(Rejected::CodeShape), Crashes(Site::CodeType), |p| {
            p.put(p.executable(1), NO_FRAME);
        }),
        row(CodeType, TWO, rejected(Rejected::CodeType), Lies, |p| {
            p.put(p.codes[1].plus(p.layout().code.ob_type), BYTES_TYPE.get());
            recycled(p, 1);
        }),
        // Freed by pymalloc: the first word leads to the next free block.
        row(Refcount, TWO, rejected(Rejected::CodeRefcount), Lies, |p| {
            p.put(p.codes[1], 0x7f12_3456_7890);
            recycled(p, 1);
        }),
        row(Instruction, TWO, rejected(Rejected::Instruction), Lies, |p| {
            p.put(p.instruction(1), p.offset(1, -0x1000));
        }),
        row(Resume, TWO, rejected(Rejected::Resume), Lies, |p| {
            p.put_u32(p.codes[1].plus(p.layout().code.firsttraceable), UNITS as u32 + 2);
        }),
        row(TableShape, TWO, linetable, Crashes(Site::LinetableType), |p| {
            p.put(p.codes[1].plus(p.layout().code.linetable), NO_FRAME);
        }),
        // A string whose first byte is a good entry.
        row(TableType, TWO, linetable, Lies, |p| {
            let table = p.linetable(1);
            p.put(table.plus(p.layout().code.ob_type), image::UNICODE_TYPE.get());
            p.put_bytes(table.plus(p.layout().text.bytes_data), &[0xe1]);
        }),
        row(TableBounds, TWO, linetable, Lies, |p| {
            p.put_bytes(p.linetable(1).plus(p.layout().text.bytes_data), &[0x01]);
        }),
    ];
    let budget = End::Truncated(Truncated::HopBudget);
    let hops = row(HopBudget, &[Function, Entry, Function, Entry], budget, Hangs, cycle_of_entry_frames);
    rows.push(Row { from: 12, ..hops });
    rows
}

/// Of both walks of the PR. `_PyFrame_IsIncomplete` leaves frames of generators alone, so that the checks come first.
fn pr_b1() -> Vec<Row> {
    use Check::*;
    use Without::*;
    let no_code = End::Rejected(Rejected::NoCode);
    let globals: fn(&mut Process) = |p| {
        p.put(p.frames[1].plus(p.layout().frame.globals), 0);
        p.put(p.executable(1), NOWHERE);
    };
    let builtins: fn(&mut Process) = |p| {
        p.put(p.frames[1].plus(p.layout().frame.builtins), 0);
        p.put(p.executable(1), NOWHERE);
    };
    let wide = row(WidePatterns, FOUR, no_code, Crashes(Site::CodeType), |p| p.put(p.executable(1), 0xfe));
    vec![
        // A freed pattern ends the walk: what is then called whole is a lie, and no crash.
        row(FrameFreed, TWO, End::Complete, Crashes(Site::FrameOwner), |p| p.put(p.previous(0), FREED)),
        row(GlobalsNull, FOUR, no_code, Crashes(Site::CodeType), globals),
        row(BuiltinsNull, FOUR, no_code, Crashes(Site::CodeType), builtins),
        row(ExecutableFreed, FOUR, no_code, Crashes(Site::CodeType), |p| p.put(p.executable(1), FREED)),
        row(CodeType, TWO, no_code, Lies, |p| {
            p.put(p.codes[1].plus(p.layout().code.ob_type), BYTES_TYPE.get());
            recycled(p, 1);
        }),
        // One that is beyond the code, and a table without an end.
        row(LastiRange, TWO, End::Complete, Crashes(Site::Linetable), |p| {
            p.put(p.instruction(1), p.offset(1, 0x10_0000));
            p.put(p.linetable(1).plus(p.layout().text.bytes_size), 1 << 40);
        }),
        Row { from: 13, ..wide },
    ]
}

fn pr_b1_hops() -> Vec<Row> {
    use Check::*;
    let mut rows = pr_b1();
    let no_code = End::Rejected(Rejected::NoCode);
    rows.push(row(CodeBeforeComplete, TWO, no_code, Without::Crashes(Site::CodeFirsttraceable), |p| {
        p.put(p.executable(1), FREED);
    }));
    let budget = End::Truncated(Truncated::HopBudget);
    let hops =
        row(HopBudget, &[Function, Entry, Function, Entry], budget, Without::Hangs, cycle_of_entry_frames);
    rows.push(Row { from: 12, ..hops });
    rows
}

/// Nothing needs these: `checks_search.rs` has the proof.
const REDUNDANT: &[(&str, &[Check])] = &[
    ("pr-b1", &[Check::ExecutableNull, Check::TypeFreed]),
    ("pr-b1-hops", &[Check::ExecutableNull, Check::TypeFreed]),
    ("guarded", &[]),
];

/// These need memory that changes: below.
const MOVING: &[(&str, &[Check])] = &[
    ("pr-b1", &[Check::SecondLook]),
    ("pr-b1-hops", &[Check::SecondLook]),
    ("guarded", &[Check::HeadAgain]),
];

fn rows(name: &str) -> Vec<Row> {
    match name {
        "pr-b1" => pr_b1(),
        "pr-b1-hops" => pr_b1_hops(),
        _ => strict(),
    }
}

#[test]
fn every_check_has_a_damage_that_only_it_answers() {
    for family in FAMILIES {
        for row in rows(family.name) {
            for minor in MINORS.into_iter().filter(|minor| *minor >= row.from) {
                let mut process = Process::new(minor, row.slots);
                (row.damage)(&mut process);
                let about = format!("{} on 3.{minor}: {}", family.name, row.check.name());
                let (walk, _) = process.walk_by(family, Mask::ALL);
                assert_eq!(walk.end, row.whole, "{about}");
                let (walk, frames) = process.walk_by(family, Mask::ALL.without(row.check));
                let found = match Harm::of(&process.expected, &walk, &frames) {
                    Some(Harm::Crash) => Without::Crashes(walk.fault().unwrap().0),
                    Some(Harm::Hang) => Without::Hangs,
                    Some(Harm::Lie) => Without::Lies,
                    None => panic!("{about}: no harm without it: {walk:?}"),
                };
                assert_eq!(found, row.without, "{about}: {walk:?}");
            }
        }
    }
}

#[test]
fn no_check_is_without_a_damage() {
    for family in FAMILIES {
        let mut listed: Vec<Check> = rows(family.name).iter().map(|row| row.check).collect();
        for list in [REDUNDANT, MOVING] {
            listed.extend(list.iter().find(|(name, _)| *name == family.name).unwrap().1);
        }
        listed.sort();
        let mut checks = family.checks.to_vec();
        checks.sort();
        assert_eq!(listed, checks, "{}", family.name);
    }
}

/// A walk that sees another process from the n-th load on; whether it got there.
fn switching<P: Policy>(on: Mask, worlds: [&Process; 2], nth: u32) -> (Walk, Vec<Frame>, bool) {
    let [before, after] = worlds.map(Process::regions);
    let reader = Switches::new(ImageReader::new(&before), ImageReader::new(&after), nth);
    let mut frames = [Frame::default(); 8];
    let mut out = FrameBuf::new(&mut frames);
    let walk = P::walk_by(on, &Budgeted::new(&reader, 5000), &worlds[0].request(Detail::Line), &mut out);
    (walk, out.frames().to_vec(), reader.hit())
}

#[test]
fn only_the_second_look_at_the_head_tells_two_stacks_from_one_made_of_both() {
    for minor in MINORS {
        let before = Process::new(minor, &[Function, Function, Function, Entry]);
        // The inner two have returned. The third has called another function, whose frame stands where the second's was.
        let mut after = Process::new(minor, &[Function, Function, Function, Entry]);
        let called = after.frames[1];
        after.put(after.head_field(), called.get());
        after.put(after.datastack_top(), called.get() + u64::from(after.layout().frame.size));
        after.put(after.executable(1), after.codes[0].get());
        after.put(after.instruction(1), after.offset(0, 8));
        after.expected.remove(0);
        after.expected[0] = Frame { frame: called, lasti: 8, line: image::line(0, 8), code: after.codes[0] };
        let mut spliced = 0;
        for nth in 1.. {
            let worlds = [&before, &after];
            let is_spliced = |(walk, frames, _): &(Walk, Vec<Frame>, bool)| {
                walk.end == End::Complete && worlds.iter().all(|world| *frames != world.expected)
            };
            let whole = switching::<Strict>(Mask::ALL, worlds, nth);
            assert!(!is_spliced(&whole), "3.{minor}, load {nth}: {whole:?}");
            let without = switching::<Strict>(Mask::ALL.without(Check::HeadAgain), worlds, nth);
            if is_spliced(&without) {
                assert_eq!(whole.0.end, End::Rejected(Rejected::HeadMoved), "3.{minor}, load {nth}");
                spliced += 1;
            }
            if !whole.2 {
                break;
            }
        }
        assert!(spliced > 0, "3.{minor}");
    }
}

/// The frame ends and its code is freed between two looks of `GetLineSafe`.
fn only_the_second_look_sees_code_that_was_freed_meanwhile<P: Policy>() {
    for minor in MINORS {
        let before = Process::new(minor, TWO);
        let mut after = Process::new(minor, TWO);
        after.put(after.executable(0), FREED);
        let lines = after.codes[0].plus(after.layout().code.linetable);
        after.put(lines, NOWHERE);
        // Where the loads of the two walks begin to differ: behind the first look.
        let loads = |on| {
            let regions = before.regions();
            let reader = Recorder::new(ImageReader::new(&regions));
            let mut frames = [Frame::default(); 8];
            let request = before.request(Detail::Line);
            P::walk_by(on, &reader, &request, &mut FrameBuf::new(&mut frames));
            reader.into_loads()
        };
        let (whole, without) = (loads(Mask::ALL), loads(Mask::ALL.without(Check::SecondLook)));
        let same = whole.iter().zip(&without).take_while(|(one, other)| one == other).count();
        let nth = same as u32 + 1;
        let (walk, frames, _) = switching::<P>(Mask::ALL, [&before, &after], nth);
        assert_eq!((frames[0].lasti, frames[0].line), (-1, -1), "3.{minor}: {walk:?}");
        let (walk, _, _) = switching::<P>(Mask::ALL.without(Check::SecondLook), [&before, &after], nth);
        assert_eq!(walk.fault().map(|fault| fault.0), Some(Site::LinetableSize), "3.{minor}: {walk:?}");
    }
}

#[test]
fn only_the_second_look_of_get_line_sees_code_that_was_freed_meanwhile() {
    only_the_second_look_sees_code_that_was_freed_meanwhile::<PrB1>();
    only_the_second_look_sees_code_that_was_freed_meanwhile::<PrB1Hops>();
}

#[test]
fn a_policy_without_checks_is_the_bare_structure() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        // Found out by every check of code: none is made, and only the table is read.
        process.put(process.codes[1], 0);
        process.put(process.codes[1].plus(process.layout().code.ob_type), 0);
        let (walk, frames) = process.walk_by(family("guarded").unwrap(), Mask::NONE);
        assert_eq!((walk.end, frames), (End::Complete, process.expected.clone()), "3.{minor}");
    }
}

/// How often a walk asks for the type of a code object.
fn looks<P: Policy>(on: Mask, detail: Detail) -> usize {
    let process = Process::new(13, TWO);
    let regions = process.regions();
    let reader = Recorder::new(ImageReader::new(&regions));
    let mut frames = [Frame::default(); 8];
    P::walk_by(on, &reader, &process.request(detail), &mut FrameBuf::new(&mut frames));
    let ob_type = process.codes[0].plus(process.layout().code.ob_type);
    reader.into_loads().into_iter().filter(|at| *at == ob_type).count()
}

#[test]
fn each_function_of_the_pr_looks_for_itself() {
    // GetCodeSafe; SafeGetLasti. GetLineSafe looks, and has SafeGetLasti look, too.
    let once = Mask::ALL.without(Check::SecondLook);
    for (detail, number) in [(Detail::Code, 2), (Detail::Line, 3)] {
        assert_eq!((looks::<PrB1>(Mask::ALL, detail), looks::<PrB1>(once, detail)), (number, 1));
        // The amended skip loop asks before completeness.
        assert_eq!((looks::<PrB1Hops>(Mask::ALL, detail), looks::<PrB1Hops>(once, detail)), (number + 1, 2));
    }
}

//! What walks of healthy stacks find, and how the strict walk tells a whole chain from a cut, endless or moving one.
#![cfg(not(loom))]

mod image;

use image::readers::{ChangesOnce, Recorder};
use image::{Entry, FrameObject, Function, Generator, Incomplete, MINORS, OlderChunk, Process, Slot};
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf, NO_LINE};
use sigwalk::layout::{Outermost, chunk};
use sigwalk::reader::{ImageReader, Reader};
use sigwalk::walk::{Detail, EXTRA_HOPS, End, Rejected, Truncated, Walk, strict};
use sigwalk::{text, walkers};

fn strict(process: &Process, capacity: usize) -> (Walk, Vec<Frame>) {
    process.walk(walkers::named("guarded").unwrap(), Detail::Line, capacity)
}

const CHAIN_CUT: End = End::Truncated(Truncated::ChainCut);

#[test]
fn every_walker_finds_the_frames_of_a_healthy_stack() {
    let stacks: &[&[Slot]] = &[
        &[Function, Entry],
        &[Function, Function, Function, Entry],
        &[Incomplete, Function, Entry, Generator, FrameObject, Function, Entry],
        &[Function, Entry, Function, OlderChunk, Function, OlderChunk, Incomplete, Function, Entry],
    ];
    for minor in MINORS {
        for slots in stacks {
            let process = Process::new(minor, slots);
            for walker in walkers::ALL {
                let about = format!("{} on 3.{minor}, {slots:?}", walker.name);
                let (walk, frames) = process.walk(walker, Detail::Line, 64);
                assert_eq!(walk.end, End::Complete, "{about}");
                assert_eq!(frames, process.expected, "{about}");
                assert!(!frames.is_empty(), "{about}");
            }
        }
    }
}

#[test]
fn an_entry_frame_may_be_innermost() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        let process = Process::new(minor, &[Entry, Function, Entry]);
        for walker in walkers::ALL {
            let (walk, frames) = process.walk(walker, Detail::Line, 8);
            let found = (walk.end, frames);
            assert_eq!(found, (End::Complete, process.expected.clone()), "{} on 3.{minor}", walker.name);
        }
    }
}

#[test]
fn without_lines_code_and_offset_are_the_same() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Generator, Function, Entry]);
        let expected: Vec<_> =
            process.expected.iter().map(|frame| Frame { line: NO_LINE, ..*frame }).collect();
        for walker in walkers::ALL {
            let (walk, frames) = process.walk(walker, Detail::Code, 8);
            assert_eq!((walk.end, &frames), (End::Complete, &expected), "{} on 3.{minor}", walker.name);
        }
    }
}

#[test]
fn a_thread_without_frames_is_whole() {
    for minor in MINORS {
        let process = Process::new(minor, &[]);
        assert_eq!(strict(&process, 8), (Walk { end: End::Complete, hops: 0 }, vec![]), "3.{minor}");
    }
}

#[test]
fn names_can_be_copied_from_the_codes_that_were_found() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Function, Entry]);
        let regions = process.regions();
        let image = ImageReader::new(&regions);
        let names: Vec<String> = strict(&process, 8)
            .1
            .iter()
            .map(|frame| {
                let name = Addr::new(process.word(frame.code.plus(process.layout().code.qualname)));
                let mut into = [0; 16];
                let copied = text::copy(&image, &process.interpreter, name, &mut into).unwrap();
                String::from_utf8_lossy(&into[..copied.bytes]).into_owned()
            })
            .collect();
        assert_eq!(names, ["f0", "f1"], "3.{minor}");
    }
}

#[test]
fn a_frame_is_complete_from_its_resume_on() {
    for minor in MINORS {
        for (lasti, shown) in [(0, false), (2, false), (4, true), (126, true)] {
            let mut process = Process::new(minor, &[Function, Function, Entry]);
            process.put(process.instruction(0), process.offset(0, lasti));
            for walker in walkers::ALL {
                let (walk, frames) = process.walk(walker, Detail::Line, 8);
                let about = format!("{} on 3.{minor}, offset {lasti}", walker.name);
                assert_eq!(walk.end, End::Complete, "{about}");
                let offsets: Vec<i32> = frames.iter().map(|frame| frame.lasti).collect();
                let outer = process.expected[1].lasti;
                assert_eq!(offsets, if shown { vec![lasti as i32, outer] } else { vec![outer] }, "{about}");
            }
        }
    }
}

#[test]
fn a_full_buffer_keeps_the_innermost_frames() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Function, Entry, Function, Entry]);
        for capacity in 0..3 {
            for walker in walkers::ALL {
                let (walk, frames) = process.walk(walker, Detail::Line, capacity);
                let about = format!("{} on 3.{minor}, room for {capacity}", walker.name);
                assert_eq!(walk.end, End::Truncated(Truncated::BufferFull), "{about}");
                assert_eq!(frames, process.expected[..capacity], "{about}");
            }
        }
        assert_eq!(strict(&process, 3).0.end, End::Complete, "3.{minor}");
    }
}

#[test]
fn cycles_of_entry_frames_end_by_the_hop_budget() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        for slots in [&[Function, Entry, Entry][..], &[Function, Entry]] {
            let mut process = Process::new(minor, slots);
            // The last entry frame leads back to the first: a 2-cycle, then a self-cycle.
            process.put(process.previous(slots.len() - 1), process.frames[1].get());
            let (walk, frames) = strict(&process, 4);
            let about = format!("3.{minor}, {slots:?}");
            assert_eq!(walk.end, End::Truncated(Truncated::HopBudget), "{about}");
            assert_eq!(walk.hops, 4 + EXTRA_HOPS + 1, "{about}");
            assert_eq!(frames, process.expected, "{about}");
        }
    }
}

#[test]
fn exactly_the_budget_of_hops_is_allowed() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        let mut process = Process::new(minor, &[Function, Entry]);
        // As many entry frames in a row as the budget has hops, less the two that are there.
        let (size, first) = (0x80, 0x3000_0000);
        let more = u64::from(4 + EXTRA_HOPS) - 2;
        process.map(first, (more * size) as usize);
        let entry_owner = process.layout().frame.owner;
        let previous = process.layout().frame.previous;
        for index in 0..more {
            let at = Addr::new(first + index * size);
            process.put_bytes(at.plus(entry_owner), &[3]);
            let outward = if index + 1 < more { at.get() + size } else { process.frames[1].get() };
            process.put(at.plus(previous), outward);
        }
        process.put(process.previous(0), first);
        let (walk, frames) = strict(&process, 4);
        assert_eq!((walk.end, walk.hops), (End::Complete, 4 + EXTRA_HOPS), "3.{minor}");
        assert_eq!(frames, process.expected, "3.{minor}");
    }
}

#[test]
fn frames_of_the_data_stack_are_hops_of_the_same_budget() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        let mut process = Process::new(minor, &[Function, Function, Entry]);
        // So many entry frames before them that one function is left in the budget.
        let (size, first) = (0x80, 0x3000_0000);
        let before = u64::from(4 + EXTRA_HOPS) - 1;
        process.map(first, (before * size) as usize);
        let (owner, previous) = (process.layout().frame.owner, process.layout().frame.previous);
        for index in 0..before {
            let at = Addr::new(first + index * size);
            process.put_bytes(at.plus(owner), &[3]);
            let outward = if index + 1 < before { at.get() + size } else { process.frames[0].get() };
            process.put(at.plus(previous), outward);
        }
        process.put(process.head_field(), first);
        let (walk, frames) = strict(&process, 4);
        assert_eq!(walk.end, End::Truncated(Truncated::HopBudget), "3.{minor}");
        assert_eq!(frames, process.expected[..1], "3.{minor}");
    }
}

#[test]
fn a_cycle_of_python_frames_ends_by_the_buffer() {
    for minor in MINORS {
        let mut process = Process::new(minor, &[Generator, Function, Entry]);
        process.put(process.previous(0), process.frames[0].get());
        let (walk, frames) = strict(&process, 5);
        assert_eq!(walk.end, End::Truncated(Truncated::BufferFull), "3.{minor}");
        assert_eq!(frames, vec![process.expected[0]; 5], "3.{minor}");
    }
}

#[test]
fn a_chain_that_ends_at_no_outermost_frame_is_cut() {
    for minor in MINORS {
        let mut process = Process::new(minor, &[Generator, Function, Entry]);
        process.put(process.previous(0), 0);
        let (walk, frames) = strict(&process, 8);
        assert_eq!(walk.end, CHAIN_CUT, "3.{minor}");
        assert_eq!(frames, process.expected[..1], "3.{minor}");
    }
}

#[test]
fn the_end_of_a_chain_is_that_of_its_version() {
    // 3.11: a frame that is_entry; 1 is true, and nothing else is.
    for (is_entry, end) in [(1, End::Complete), (0, CHAIN_CUT), (2, CHAIN_CUT)] {
        let mut process = Process::new(11, &[Function, Function, Entry]);
        let Outermost::IsEntry(offset) = process.layout().frame.outermost else { panic!() };
        process.put_bytes(process.frames[1].plus(offset), &[is_entry]);
        assert_eq!(strict(&process, 8).0.end, end, "is_entry {is_entry}");
    }
    // Nor is a generator's frame that C code runs: `stress walk` met five in 750 walks of busy threads, each half a stack.
    let mut process = Process::new(11, &[Function, Generator, Function, Entry]);
    let Outermost::IsEntry(offset) = process.layout().frame.outermost else { panic!() };
    process.put_bytes(process.frames[1].plus(offset), &[1]);
    assert_eq!(strict(&process, 8).0.end, End::Complete);
    process.put(process.previous(1), 0);
    assert_eq!(strict(&process, 8).0.end, CHAIN_CUT);
    // 3.12 to 3.14: an entry frame. A function frame, for once, is none.
    for minor in [12, 13, 14] {
        assert_eq!(strict(&Process::new(minor, &[Function, Entry]), 8).0.end, End::Complete, "3.{minor}");
        assert_eq!(strict(&Process::new(minor, &[Entry, Function]), 8).0.end, CHAIN_CUT, "3.{minor}");
    }
    // 3.15: the base frame of the thread state and no other entry frame.
    let mut process = Process::new(15, &[Function, Entry]);
    assert_eq!(strict(&process, 8).0, Walk { end: End::Complete, hops: 2 });
    process.put(process.previous(1), 0);
    assert_eq!(strict(&process, 8).0.end, CHAIN_CUT);
    process.put(process.head_field(), 0);
    assert_eq!(strict(&process, 8), (Walk { end: CHAIN_CUT, hops: 0 }, vec![]));
}

#[test]
fn a_base_frame_of_null_ends_no_chain() {
    // A zeroed thread state: 3.15 has no thread without a base frame.
    for first in [Some(0), None] {
        let mut process = Process::new(15, &[Generator, Entry]);
        let Outermost::BaseFrame(offset) = process.layout().frame.outermost else { panic!() };
        process.put(process.tstate.plus(offset), 0);
        let last = first.map_or(process.head_field(), |frame| process.previous(frame));
        process.put(last, 0);
        assert_eq!(strict(&process, 8).0.end, CHAIN_CUT, "{first:?}");
    }
}

#[test]
fn a_head_that_moved_during_the_walk_is_noticed() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Function, Entry]);
        let regions = process.regions();
        let walk_when = |later: u64| {
            let reader = ChangesOnce::new(ImageReader::new(&regions), process.head_field(), later);
            let mut frames = [Frame::default(); 8];
            let mut out = FrameBuf::new(&mut frames);
            let walk = strict::walk(&reader, &process.request(Detail::Line), &mut out);
            (walk.end, out.frames().to_vec())
        };
        // The innermost frame returned. What was read of it stays, for those who want it in spite of the verdict.
        let returned = walk_when(process.frames[1].get());
        assert_eq!(returned, (End::Rejected(Rejected::HeadMoved), process.expected.clone()), "3.{minor}");
        let unmoved = walk_when(process.frames[0].get());
        assert_eq!(unmoved, (End::Complete, process.expected.clone()), "3.{minor}");
    }
}

/// What `double` gives is believed of a full buffer, too, and no head that moved is missed there.
#[test]
fn a_head_that_moved_is_noticed_where_the_buffer_is_full() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Function, Function, Entry]);
        let regions = process.regions();
        let image = ImageReader::new(&regions);
        let walk_when = |at, later: u64, collects: u32| {
            let reader = ChangesOnce::new(image, at, later);
            let mut frames = [Frame::default(); 2];
            let mut out = FrameBuf::new(&mut frames);
            let request = process.request(Detail::Line);
            match collects {
                1 => strict::walk_confirmed::<_, 1>(&reader, &request, &mut out).end,
                _ => strict::walk_confirmed::<_, 2>(&reader, &request, &mut out).end,
            }
        };
        let head = process.head_field();
        for collects in [1, 2] {
            let unmoved = walk_when(head, process.frames[0].get(), collects);
            assert_eq!(unmoved, End::Truncated(Truncated::BufferFull), "3.{minor}, {collects}");
            let moved = walk_when(head, process.frames[1].get(), collects);
            assert_eq!(moved, End::Rejected(Rejected::HeadMoved), "3.{minor}, {collects}");
        }
        // The second collect finds another instruction in the second frame.
        let other = process.instruction(1);
        let later = image.u64(other).unwrap() + 2;
        assert_eq!(walk_when(other, later, 1), End::Truncated(Truncated::BufferFull), "3.{minor}");
        assert_eq!(walk_when(other, later, 2), End::Rejected(Rejected::Unstable), "3.{minor}");
    }
}

#[test]
fn nothing_but_the_chain_is_read_before_the_head_is_read_again() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Entry, Generator, OlderChunk, Function, Entry]);
        let regions = process.regions();
        let reader = Recorder::new(ImageReader::new(&regions));
        let mut frames = [Frame::default(); 8];
        let walk = strict::walk(&reader, &process.request(Detail::Line), &mut FrameBuf::new(&mut frames));
        assert_eq!(walk.end, End::Complete, "3.{minor}");
        let loads = reader.into_loads();
        let again = loads.iter().rposition(|at| *at == process.head_field()).unwrap();
        let of_a_code = |at: &Addr| process.codes.iter().any(|code| at.minus(*code) < 0x1000);
        assert_eq!(loads[..again].iter().position(of_a_code), None, "3.{minor}");
        assert!(loads[again..].iter().any(of_a_code), "3.{minor}");
        let frames_again = loads[again + 1..].iter().filter(|at| !of_a_code(at)).count();
        assert_eq!(frames_again, 0, "3.{minor}");
        assert!(loads.contains(&process.chunks[0].plus(chunk::PREVIOUS)), "3.{minor}");
    }
}

//! Each single check of the strict policy: a healthy stack, one damaged field, the verdict. Every test here fails when
//! its check is taken out.
#![cfg(not(loom))]

mod image;

use image::{Entry, Function, Generator, MINORS, NOWHERE, OlderChunk, Process, Slot, UNITS};
use sigwalk::frame::Frame;
use sigwalk::layout::chunk;
use sigwalk::walk::{Detail, End, Rejected, Truncated, Walk};
use sigwalk::walkers;

fn strict(process: &Process, detail: Detail) -> (Walk, Vec<Frame>) {
    process.walk(walkers::named("guarded").unwrap(), detail, 16)
}

/// Damages a stack of every version and expects `why`, with the first `kept` shown frames.
fn rejected(slots: &[Slot], kept: usize, why: Rejected, damage: impl Fn(&mut Process)) {
    for minor in MINORS {
        rejected_on(minor, slots, kept, why, &damage);
    }
}

fn rejected_on(minor: u8, slots: &[Slot], kept: usize, why: Rejected, damage: impl Fn(&mut Process)) {
    let mut process = Process::new(minor, slots);
    assert_eq!(strict(&process, Detail::Line).0.end, End::Complete, "3.{minor} before the damage");
    damage(&mut process);
    let (walk, frames) = strict(&process, Detail::Line);
    assert_eq!(walk.end, End::Rejected(why), "3.{minor}");
    assert_eq!(frames, process.expected[..kept], "3.{minor}");
}

/// A damage that must change nothing.
fn accepted_on(minor: u8, slots: &[Slot], damage: impl Fn(&mut Process)) {
    let mut process = Process::new(minor, slots);
    damage(&mut process);
    let (walk, frames) = strict(&process, Detail::Line);
    assert_eq!((walk.end, frames), (End::Complete, process.expected.clone()), "3.{minor}");
}

const TWO: &[Slot] = &[Function, Function, Entry];

#[test]
fn frame_pointers_of_no_frames_shape_are_not_followed() {
    for bits in [8, 0xff8, 1 << 47, 0xdddd_dddd_dddd_dddd, u64::MAX - 7] {
        rejected(TWO, 1, Rejected::FrameShape, |p| p.put(p.previous(0), bits));
    }
    // Unaligned, yet mapped: only the shape tells.
    for skew in [1, 2, 4] {
        rejected(TWO, 1, Rejected::FrameShape, |p| p.put(p.previous(0), p.frames[1].get() + skew));
    }
    rejected(TWO, 0, Rejected::FrameShape, |p| p.put(p.head_field(), p.frames[0].get() + 1));
}

#[test]
fn a_damaged_top_of_the_data_stack_makes_no_address_a_frame() {
    for top in [u64::MAX - 7, 1 << 60] {
        rejected(TWO, 1, Rejected::FrameShape, |p| {
            p.put(p.datastack_top(), top);
            p.put(p.previous(0), 1 << 47);
        });
    }
}

#[test]
fn an_owner_above_the_entry_frames_is_no_entry_frame() {
    for minor in MINORS.into_iter().filter(|minor| *minor >= 12) {
        for owner in [4, 5, 0x7f] {
            rejected_on(minor, TWO, 2, Rejected::Owner, |p| p.put_bytes(p.owner(2), &[owner]));
        }
    }
}

#[test]
fn owners_are_those_of_the_version() {
    for minor in MINORS {
        let mut none = vec![4, 5, 7, 8, 0x7f, 0x80, 0xff];
        if minor == 11 {
            none.push(3);
        }
        for owner in none {
            rejected_on(minor, TWO, 1, Rejected::Owner, |p| p.put_bytes(p.owner(1), &[owner]));
        }
        // A frame object's frame is as good as a generator's, where it may stand.
        let mut process = Process::new(minor, &[Function, Generator, Entry]);
        process.put_bytes(process.owner(1), &[2]);
        process.put(process.instruction(1), process.offset(1, 8));
        let (walk, frames) = strict(&process, Detail::Line);
        assert_eq!((walk.end, frames.len()), (End::Complete, 2), "3.{minor}");
    }
}

#[test]
fn a_popped_frame_is_outside_the_data_stack() {
    let size = |p: &Process| u64::from(p.layout().frame.size);
    rejected(TWO, 0, Rejected::OutsideDataStack, |p| p.put(p.datastack_top(), p.frames[0].get()));
    // The top inside the fixed part of the frame, and exactly behind it.
    rejected(TWO, 0, Rejected::OutsideDataStack, |p| {
        p.put(p.datastack_top(), p.frames[0].get() + size(p) - 8);
    });
    for minor in MINORS {
        accepted_on(minor, TWO, |p| p.put(p.datastack_top(), p.frames[0].get() + size(p)));
    }
}

#[test]
fn a_data_stack_frame_anywhere_else_is_outside_the_data_stack() {
    rejected(&[Generator, Function, Entry], 0, Rejected::OutsideDataStack, |p| p.put_bytes(p.owner(0), &[0]));
    // Below the first frame that a chunk can hold.
    rejected(TWO, 1, Rejected::OutsideDataStack, |p| p.put(p.previous(0), p.chunks[0].get()));
    for no_chunk in [0, 0xdddd_dddd_dddd_dddd, 3] {
        rejected(TWO, 0, Rejected::OutsideDataStack, |p| {
            let field = p.tstate.plus(p.layout().thread.datastack_chunk);
            p.put(field, no_chunk);
        });
    }
}

#[test]
fn frames_of_older_chunks_are_held_to_their_live_part() {
    let slots = &[Function, OlderChunk, Function, Function, OlderChunk, Function, Entry];
    rejected(slots, 1, Rejected::OutsideDataStack, |p| {
        let slots = (p.frames[1].get() - p.chunks[1].plus(chunk::DATA).get()) / 8;
        p.put(p.chunks[1].plus(chunk::TOP), slots);
    });
    rejected(slots, 1, Rejected::OutsideDataStack, |p| p.put(p.chunks[0].plus(chunk::PREVIOUS), 0));
    rejected(slots, 3, Rejected::OutsideDataStack, |p| {
        let unaligned = p.chunks[2].get() + 4;
        p.put(p.chunks[1].plus(chunk::PREVIOUS), unaligned);
    });
    // Callers are further out, so a chain never comes back into a newer chunk.
    rejected(slots, 3, Rejected::OutsideDataStack, |p| p.put(p.previous(2), p.frames[0].get()));
}

#[test]
fn a_cycle_of_chunks_ends() {
    // Frame 1 is in neither chunk: `top` of the newest is not kept up to date (0 here), that of the other is too small.
    let slots = &[Function, OlderChunk, Function, Entry];
    rejected(slots, 1, Rejected::OutsideDataStack, |p| {
        let size = u64::from(p.layout().frame.size);
        p.put(p.chunks[1].plus(chunk::TOP), size / 8 - 1);
        p.put(p.chunks[1].plus(chunk::PREVIOUS), p.chunks[0].get());
    });
}

#[test]
fn a_huge_chunk_overflows_nothing() {
    for minor in MINORS {
        for top in [u64::MAX, u64::MAX / 8 + 1, 1 << 61, i64::MAX as u64] {
            accepted_on(minor, &[Function, OlderChunk, Function, Entry], |p| {
                p.put(p.chunks[1].plus(chunk::TOP), top);
            });
        }
    }
}

#[test]
fn code_pointers_of_no_objects_shape_are_not_followed() {
    for bits in [0, 8, 1 << 47, 0xcdcd_cdcd_cdcd_cdcd, u64::MAX] {
        rejected(TWO, 1, Rejected::CodeShape, |p| p.put(p.executable(1), bits));
    }
    for minor in MINORS {
        for skew in [2, 4] {
            rejected_on(minor, TWO, 1, Rejected::CodeShape, |p| {
                p.put(p.executable(1), p.codes[1].get() + skew);
            });
        }
        let tag = |p: &mut Process| p.put(p.executable(1), p.codes[1].get() | 1);
        match minor {
            // A borrowed reference has bit 0 set since 3.14.
            14.. => accepted_on(minor, TWO, tag),
            _ => rejected_on(minor, TWO, 1, Rejected::CodeShape, tag),
        }
    }
}

#[test]
fn what_is_no_code_object_is_rejected_by_its_type() {
    for other in [0, image::BYTES_TYPE.get(), image::CODE_TYPE.get() + 8, u64::MAX] {
        rejected(TWO, 1, Rejected::CodeType, |p| p.put(p.codes[1].plus(p.layout().code.ob_type), other));
    }
}

#[test]
fn refcounts_of_no_live_object_are_rejected() {
    let free_list = 0x7f12_3456_7890;
    for word in [0, free_list, u64::MAX, 1 << 63, 0xdddd_dddd_dddd_dddd, (1 << 31) + 1, 0x8000_0001] {
        rejected(TWO, 1, Rejected::CodeRefcount, |p| p.put(p.codes[1], word));
    }
    // The immortal pattern of another version.
    let immortal_3_14 = 0x0005_0000_c000_0000;
    for (minor, word) in [(11, 0xffff_ffff), (11, immortal_3_14), (12, immortal_3_14), (13, immortal_3_14)] {
        rejected_on(minor, TWO, 1, Rejected::CodeRefcount, |p| p.put(p.codes[1], word));
    }
    for minor in [14, 15] {
        for word in [0x0005_0000_0000_0000, 1 << 32 | 5, 0x0001_c000_0000, 0xbfff_ffff] {
            rejected_on(minor, TWO, 1, Rejected::CodeRefcount, |p| p.put(p.codes[1], word));
        }
    }
}

#[test]
fn refcounts_of_live_objects_are_accepted() {
    for minor in MINORS {
        let immortal: &[u64] = match minor {
            11 => &[999_999_999],
            12 | 13 => &[0xffff_ffff],
            _ => &[0x0005_0000_c000_0000, 0xc000_0000, 0xffff_ffff, 0x0004_0000_0000_0001],
        };
        for word in [1, 2, 1 << 31].iter().chain(immortal) {
            accepted_on(minor, TWO, |p| p.put(p.codes[1], *word));
        }
    }
}

#[test]
fn instruction_pointers_outside_the_code_are_rejected() {
    let end = 2 * UNITS as i64;
    for minor in MINORS {
        let before = if minor < 13 { -4 } else { -2 };
        for lasti in
            [before, -0x1000, end, end + 2, 0x1000, 9, end - 1, 1 << 32, (1 << 32) + 8, -(1 << 32) + 8]
        {
            rejected_on(minor, TWO, 1, Rejected::Instruction, |p| {
                p.put(p.instruction(1), p.offset(1, lasti));
            });
        }
        for bits in [0, 0xdddd_dddd_dddd_dddd, NOWHERE] {
            rejected_on(minor, TWO, 1, Rejected::Instruction, |p| p.put(p.instruction(1), bits));
        }
        // The first and the last offset that there are. A generator's frame is shown there too.
        for lasti in [0, end - 2] {
            let mut process = Process::new(minor, &[Function, Generator, Function, Entry]);
            process.put(process.instruction(1), process.offset(1, lasti));
            let (walk, frames) = strict(&process, Detail::Line);
            assert_eq!(walk.end, End::Complete, "3.{minor}, offset {lasti}");
            assert_eq!(frames[1].lasti, lasti as i32, "3.{minor}");
        }
    }
}

#[test]
fn a_fresh_function_frame_is_not_shown() {
    // 3.11 and 3.12 point one unit before the code then; later versions at its start.
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        process.put(process.instruction(0), process.offset(0, if minor < 13 { -2 } else { 0 }));
        let (walk, frames) = strict(&process, Detail::Line);
        assert_eq!((walk.end, &frames[..]), (End::Complete, &process.expected[1..]), "3.{minor}");
    }
}

#[test]
fn a_generators_frame_is_never_before_its_first_instruction() {
    // It runs only after RETURN_GENERATOR. The PR's walk reports co_firstlineno there, as PyCode_Addr2Line does.
    for minor in MINORS {
        let mut process = Process::new(minor, &[Generator, Function, Entry]);
        process.put(process.instruction(0), process.offset(0, -2));
        let (walk, frames) = strict(&process, Detail::Line);
        assert_eq!((walk.end, frames.len()), (End::Rejected(Rejected::Instruction), 0), "3.{minor}");
        let (_, frames) = process.walk(walkers::named("pr-b1").unwrap(), Detail::Line, 8);
        assert_eq!(frames[0].line, image::first_line(0), "3.{minor}");
    }
}

#[test]
fn a_resume_outside_the_code_is_rejected() {
    for minor in MINORS {
        for resume in [-1, i32::MIN, UNITS as i32 + 2, i32::MAX] {
            rejected_on(minor, TWO, 1, Rejected::Resume, |p| {
                p.put_u32(p.codes[1].plus(p.layout().code.firsttraceable), resume as u32);
            });
        }
    }
}

#[test]
fn an_owner_that_contradicts_the_data_stack_is_rejected() {
    // A frame of the data stack that calls itself a generator's, a frame object's or an entry frame.
    for minor in MINORS {
        let owners: &[u8] = if minor == 11 { &[1, 2] } else { &[1, 2, 3] };
        for &owner in owners {
            rejected_on(minor, TWO, 1, Rejected::Owner, |p| p.put_bytes(p.owner(1), &[owner]));
        }
    }
}

#[test]
fn code_of_an_impossible_size_is_rejected() {
    for units in [(1 << 27) + 1, u64::MAX, i64::MAX as u64, 1 << 62] {
        rejected(TWO, 1, Rejected::Instruction, |p| p.put(p.codes[1].plus(p.layout().code.units), units));
    }
    for minor in MINORS {
        accepted_on(minor, TWO, |p| p.put(p.codes[1].plus(p.layout().code.units), 1 << 27));
    }
}

#[test]
fn a_line_table_that_is_no_bytes_object_is_rejected() {
    for bits in [0, 8, 0xdddd_dddd_dddd_dddd, 1 << 47] {
        rejected(TWO, 1, Rejected::Linetable, |p| p.put(p.codes[1].plus(p.layout().code.linetable), bits));
    }
    for skew in [1, 4] {
        rejected(TWO, 1, Rejected::Linetable, |p| {
            let unaligned = p.linetable(1).get() + skew;
            p.put(p.codes[1].plus(p.layout().code.linetable), unaligned);
        });
    }
    for other in [0, image::UNICODE_TYPE.get()] {
        rejected(TWO, 1, Rejected::Linetable, |p| {
            p.put(p.linetable(1).plus(p.layout().code.ob_type), other);
        });
    }
}

#[test]
fn a_damaged_line_table_is_rejected() {
    let data = |p: &Process| p.linetable(1).plus(p.layout().text.bytes_data);
    // No header bit; an svarint that never ends; no end before the offset; too long for any compiler.
    rejected(TWO, 1, Rejected::Linetable, |p| p.put_bytes(data(p), &[0x01]));
    rejected(TWO, 1, Rejected::Linetable, |p| {
        p.put_bytes(data(p), &[0xe9, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41])
    });
    for len in [0, 3, (1 << 20) + 1, u64::MAX] {
        rejected(TWO, 1, Rejected::Linetable, |p| {
            p.put(p.linetable(1).plus(p.layout().text.bytes_size), len);
        });
    }
}

#[test]
fn without_lines_no_line_table_is_read() {
    for minor in MINORS {
        let mut process = Process::new(minor, TWO);
        process.put(process.codes[1].plus(process.layout().code.linetable), NOWHERE);
        assert_eq!(strict(&process, Detail::Code).0.end, End::Complete, "3.{minor}");
        let (walk, frames) = strict(&process, Detail::Line);
        assert!(matches!(walk.end, End::Truncated(Truncated::Fault(..))), "3.{minor}: {walk:?}");
        assert_eq!(frames, process.expected[..1], "3.{minor}");
    }
}

#[test]
fn what_the_second_pass_finds_decides_over_the_end_of_the_chain() {
    rejected(&[Function, Function, Function, Entry], 1, Rejected::CodeRefcount, |p| {
        p.put(p.codes[1], 0);
        p.put(p.previous(2), 0xdddd_dddd_dddd_dddd);
    });
}

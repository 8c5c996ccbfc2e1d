//! The body of the target `layout`: any bytes as the debug offsets at the start of `_PyRuntime`.
//!
//! Input: one byte selects the image, one says how to read the rest:
//!
//! | bits | meaning |
//! |---|---|
//! | 0–1 | 0: the rest replaces the first KiB; else it is changes of ten bytes, u16 index of a word and u64 value |
//! | 2 | `Py_Version` comes first, u32; else it is the image's |
//! | 3 | the size of `_PyRuntime` is what the table says; else it is the image's |

use crate::memory::Place;
use crate::seed::{self, Seed};
use crate::{violation, walk};
use sigwalk::layout::{Head, Layout, Outermost, Version};
use sigwalk::reader::Region;
use std::cell::RefCell;

/// Longest input that is not cut.
pub const MAX_INPUT: usize = 6 + WORDS as usize * 8;

const WORDS: u64 = 128;

thread_local! {
    static SEEDS: RefCell<Vec<Seed>> = RefCell::new(seed::all());
}

/// Runs one input.
pub fn run(input: &[u8]) {
    let [selector, how, rest @ ..] = input else { return };
    SEEDS.with_borrow_mut(|seeds| {
        let count = seeds.len();
        let seed = &mut seeds[usize::from(*selector) % count];
        let before = seed.interpreter;
        if let Some(layout) = read(seed, *how, rest) {
            check(&layout);
            seed.interpreter.layout = layout;
            walk::all(seed);
        }
        seed.interpreter = before;
        seed.memory.restore();
    });
}

/// Changes the table and reads the layout from it.
fn read(seed: &mut Seed, how: u8, rest: &[u8]) -> Option<Layout> {
    let table = seed.interpreter.runtime;
    let word = |index: u64| Place { at: table.get() + (index % WORDS) * 8, base: table.get(), width: 8 };
    let mut version = seed.interpreter.layout.version;
    let mut rest = rest;
    if how & 4 != 0 {
        let (hex, behind) = rest.split_first_chunk::<4>()?;
        (version, rest) = (Version::from_hex(u64::from(u32::from_le_bytes(*hex))), behind);
    }
    if how & 3 == 0 {
        for (index, bytes) in rest.as_chunks::<8>().0.iter().take(WORDS as usize).enumerate() {
            seed.memory.set(word(index as u64), u64::from_le_bytes(*bytes));
        }
    } else {
        for [low, high, value @ ..] in rest.as_chunks::<10>().0.iter().take(32) {
            seed.memory.set(word(u64::from(u16::from_le_bytes([*low, *high]))), u64::from_le_bytes(*value));
        }
    }
    let size = if how & 8 != 0 { seed.memory.get(word(3)) } else { seed.runtime_size };
    let mut regions = [Region { start: 0, bytes: &[] }; crate::memory::MAX_REGIONS];
    Layout::read(&seed.memory.reader(&mut regions), version, table, size).ok()
}

/// Largest thread state that a layout may claim.
const STATE_MAX: u32 = 1 << 20;

/// Whatever the table said, fields lie inside their structures.
fn check(layout: &Layout) {
    let inside = |field, offset: u32, size: u32, within: u32| {
        if offset.checked_add(size).is_none_or(|end| end > within) {
            violation::layout_accepts_an_offset_outside(field, offset);
        }
    };
    let (t, f, c, x) = (&layout.thread, &layout.frame, &layout.code, &layout.text);
    inside("thread.datastack_chunk", t.datastack_chunk, 24, STATE_MAX);
    if let Head::Direct { current_frame } = t.head {
        inside("thread.current_frame", current_frame, 8, STATE_MAX);
    }
    if let Outermost::BaseFrame(offset) = f.outermost {
        inside("thread.base_frame", offset, 8, STATE_MAX);
    }
    for (field, offset) in [
        ("frame.previous", f.previous),
        ("frame.executable", f.executable),
        ("frame.instruction", f.instruction),
        ("frame.globals", f.globals),
        ("frame.builtins", f.builtins),
    ] {
        inside(field, offset, 8, f.size);
    }
    inside("frame.owner", f.owner, 1, f.size);
    for (field, offset) in [
        ("code.ob_type", c.ob_type),
        ("code.units", c.units),
        ("code.filename", c.filename),
        ("code.name", c.name),
        ("code.qualname", c.qualname),
        ("code.linetable", c.linetable),
    ] {
        inside(field, offset, 8, c.size);
    }
    inside("code.adaptive", c.adaptive, 1, c.size);
    inside("code.firstlineno", c.firstlineno, 4, c.size);
    inside("code.firsttraceable", c.firsttraceable, 4, c.size);
    for (field, offset) in [("bytes.size", x.bytes_size), ("text.length", x.length)] {
        inside(field, offset, 8, 64);
    }
    inside("text.state", x.state, 4, 64);
}

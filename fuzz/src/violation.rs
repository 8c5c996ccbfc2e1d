//! What must never happen. Each violation panics in a function of its own name, so that crash files fall into buckets by
//! the top of their stack.

use std::ops::Range;

/// A walker followed more frames than its budget allows.
#[inline(never)]
#[cold]
pub fn walk_exceeds_its_hop_budget(walker: &str, seed: &str, hops: u32) -> ! {
    panic!("{walker} on {seed}: {hops} hops")
}

/// A guarded walker made more loads than a bounded walk can need: it may as well never end.
#[inline(never)]
#[cold]
pub fn walk_exceeds_its_load_budget(walker: &str, seed: &str, site: &str) -> ! {
    panic!("{walker} on {seed}: the last load was of {site}")
}

/// More frames than the buffer has room for.
#[inline(never)]
#[cold]
pub fn walk_overfills_its_buffer(walker: &str, seed: &str, frames: usize) -> ! {
    panic!("{walker} on {seed}: {frames} frames")
}

/// A strict walk delivered something that is no code object.
#[inline(never)]
#[cold]
pub fn strict_walk_believes_what_is_no_code(seed: &str, code: u64) -> ! {
    panic!("{seed}: code {code:#x}")
}

/// A strict walk delivered an instruction outside the code.
#[inline(never)]
#[cold]
pub fn strict_walk_leaves_the_bytecode(seed: &str, lasti: i32, units: u64) -> ! {
    panic!("{seed}: lasti {lasti} in {units} units")
}

/// A strict walk delivered a line that the reference does not give.
#[inline(never)]
#[cold]
pub fn strict_walk_invents_a_line(seed: &str, lasti: i32, found: i32, expected: &str) -> ! {
    panic!("{seed}: line {found} at lasti {lasti}, the reference says {expected}")
}

/// A copied name is no UTF-8.
#[inline(never)]
#[cold]
pub fn copied_text_is_no_utf8(seed: &str, bytes: &[u8]) -> ! {
    panic!("{seed}: {bytes:x?}")
}

/// A copy made more loads than its buffer has room for.
#[inline(never)]
#[cold]
pub fn text_copy_exceeds_its_load_budget(seed: &str) -> ! {
    panic!("{seed}")
}

/// A lookup read outside the table, or more often than once a window.
#[inline(never)]
#[cold]
pub fn line_lookup_leaves_the_table(what: &str) -> ! {
    panic!("{what}")
}

/// The lookup and the reference differ.
#[inline(never)]
#[cold]
pub fn line_lookup_differs_from_the_reference(found: &str, expected: &str) -> ! {
    panic!("{found}, the reference says {expected}")
}

/// CPython's own scan gives another line for a table that the strict one accepts.
#[inline(never)]
#[cold]
pub fn line_lookup_differs_from_cpython(found: &str, cpython: &str) -> ! {
    panic!("{found}, CPython's scan says {cpython}")
}

/// A layout that was accepted has an offset outside its structure.
#[inline(never)]
#[cold]
pub fn layout_accepts_an_offset_outside(field: &str, offset: u32) -> ! {
    panic!("{field} = {offset}")
}

/// A copy wrote behind the end of its buffer.
#[inline(never)]
#[cold]
pub fn text_copy_overruns_its_buffer(seed: &str, room: usize) -> ! {
    panic!("{seed}: more than {room} bytes")
}

/// A copy read beside the object and its characters.
#[inline(never)]
#[cold]
pub fn text_copy_leaves_the_text(at: u64, len: usize, allowed: &[Range<u64>]) -> ! {
    panic!("{len} bytes at {at:#x}, allowed are {allowed:x?}")
}

/// A copy and the reference differ.
#[inline(never)]
#[cold]
pub fn copied_text_differs_from_the_reference(seed: &str, found: &str, expected: &str) -> ! {
    panic!("{seed}: {found}, the reference says {expected}")
}

/// Escaped text has a byte that is not printable ASCII.
#[inline(never)]
#[cold]
pub fn escaped_text_is_not_printable(seed: &str, bytes: &[u8]) -> ! {
    panic!("{seed}: {bytes:x?}")
}

/// A name that could not be read took its frame with it, or another one.
#[inline(never)]
#[cold]
pub fn call_stack_loses_frames_to_their_names(seed: &str, frames: usize) -> ! {
    panic!("{seed}: {frames} frames")
}

/// A name in a call stack is not the one of the reference.
#[inline(never)]
#[cold]
pub fn call_stack_name_differs_from_the_reference(seed: &str, found: &[u8], expected: &str) -> ! {
    panic!("{seed}: {:?}, the reference says {expected}", String::from_utf8_lossy(found))
}

/// A file made its parser read far more than there is.
#[inline(never)]
#[cold]
pub fn elf_file_is_read_without_bound(len: usize, read: usize) -> ! {
    panic!("{read} bytes were read of a file of {len}")
}

/// A file of another machine is taken for one of this, or one of this is refused.
#[inline(never)]
#[cold]
pub fn elf_file_of_another_machine_is_taken(foreign: &str) -> ! {
    panic!("foreign: {foreign}")
}

/// A load bias that no program header allows.
#[inline(never)]
#[cold]
pub fn elf_file_has_an_impossible_bias(bias: u64) -> ! {
    panic!("{bias:#x}")
}

/// A symbol that the file does not have.
#[inline(never)]
#[cold]
pub fn symbol_is_not_in_the_file(symbol: &str) -> ! {
    panic!("{symbol}")
}

/// A table of symbols contradicts itself.
#[inline(never)]
#[cold]
pub fn symbols_are_not_in_order(what: &str) -> ! {
    panic!("{what}")
}

/// A memory map and the reference differ.
#[inline(never)]
#[cold]
pub fn memory_map_differs_from_the_reference(found: &str, expected: &str) -> ! {
    panic!("{found}, the reference says {expected}")
}

/// Rows were taken from other lines than hold one, or a damaged file passed.
#[inline(never)]
#[cold]
pub fn record_file_is_not_read_line_by_line(what: &str) -> ! {
    panic!("{what}")
}

/// A row that was read is another one after it is written.
#[inline(never)]
#[cold]
pub fn record_changes_when_it_is_written(row: &str, again: &str) -> ! {
    panic!("{row} is {again}")
}

/// An error of a record file lacks its line or the remedy.
#[inline(never)]
#[cold]
pub fn record_error_does_not_say_where(message: &str, line: u64) -> ! {
    panic!("{message}, at line {line}")
}

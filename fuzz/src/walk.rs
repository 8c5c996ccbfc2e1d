//! The body of the target `walk`: every walker over a mutated image.
//!
//! Input: one byte selects the image and how many walkers walk it, then [`crate::mutation`]s.

use crate::image::Answer;
use crate::memory::{MAX_REGIONS, Memory, Place};
use crate::mutation::{self, Input};
use crate::seed::{self, Seed};
use crate::tally::{self, Outcome};
use crate::{reference, violation};
use arbitrary::{Arbitrary, Unstructured};
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf, NO_LINE};
use sigwalk::line_table::{self, LineError};
use sigwalk::reader::{Budgeted, FaultKind, ImageReader, Region};
use sigwalk::text;
use sigwalk::walk::{Detail, EXTRA_HOPS, End, Request};
use sigwalk::walkers::{self, Entry, Reads};
use std::cell::RefCell;

/// Longest input that is not cut.
pub const MAX_INPUT: usize = 1 + mutation::SIZE * mutation::MOST;

/// Frames of the buffer.
const CAPACITY: usize = 32;

/// Loads after which a raw walk is suspected to be endless: ten times what the longest undisturbed one makes (a test says so).
pub const RAW_LOADS: u32 = 16_384;

/// Frames after which it is: a cycle of frames that are skipped takes few loads each. More than these in a row without coming back to
/// one have no room in an image.
const RAW_HOPS: u32 = 1024;

/// Loads of a raw walk that comes to its end: each frame of the buffer with a table that is as long as any region, and read twice.
fn most_raw_loads(memory: &Memory) -> u32 {
    (CAPACITY as u32 + EXTRA_HOPS) * (64 + 2 * memory.longest() as u32) + RAW_LOADS
}

/// The walker without a hop budget, which is the point of it.
const ENDLESS: &str = "pr-b1";

/// Loads that a strict walk of this image cannot exceed while it keeps its own bounds.
#[must_use]
pub fn strict_loads(memory: &Memory) -> u32 {
    let hops = CAPACITY as u32 + EXTRA_HOPS + 1;
    // Head (twice two), base, data stack, the end of the chain; what is wrong with the frame that ended the walk.
    let fixed = 4 + 1 + 3 + 1 + 8;
    // Steps from chunk to chunk are bounded by the hops, two loads each.
    let chunks = 2 * (hops + 3);
    // Type, refcount, units, resume, first line; table, its type and length; then the table, no longer than a region.
    let frame = 8 + line_table::most_loads(memory.longest() as u32);
    fixed + chunks + 4 * hops + frame * CAPACITY as u32
}

/// As [`strict_loads`], for walkers that copy whole blocks: a load that nobody announced copies up to 32 words; each step from
/// chunk to chunk copies a chunk, and so may the head, the first chunk, the code objects and the line tables.
#[must_use]
pub fn copying_loads(strict_loads: u32) -> u32 {
    33 * strict_loads + (CAPACITY as u32 + EXTRA_HOPS + 8) * (sigwalk::reader::PLACE_BYTES / 8) as u32
}

/// Walkers whose walk over an image is that of another one: they differ in how they get their bytes from a process.
const SAME_OVER_IMAGES: [&str; 3] = ["adaptive", "syscall", "remote"];

/// Whether a walker is a variant of the strict walk: it takes all the same branches and more loads. One image in four is walked
/// by them, so that three times as many inputs are tried.
fn is_variant(entry: &Entry) -> bool {
    entry.copies || collects(entry) > 1
}

/// How often a walker follows the chain.
fn collects(entry: &Entry) -> u32 {
    match entry.name {
        "double" => 2,
        "triple" => 3,
        _ => 1,
    }
}

thread_local! {
    static SEEDS: RefCell<Vec<Seed>> = RefCell::new(seed::all());
}

/// Runs the bytes of an input.
pub fn run_bytes(bytes: &[u8]) {
    if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) {
        run(&input);
    }
}

/// Runs one input.
pub fn run(input: &Input) {
    SEEDS.with_borrow_mut(|seeds| {
        let count = seeds.len();
        let selector = usize::from(input.image);
        let seed = &mut seeds[selector % count];
        let variants = selector / count % 4 == 3;
        for mutation in &input.mutations {
            mutation::apply(seed, *mutation);
        }
        walk_by(seed, |entry| !SAME_OVER_IMAGES.contains(&entry.name) && (variants || !is_variant(entry)));
        seed.memory.restore();
    });
}

/// Every walker over a seed as it is now.
pub(crate) fn all(seed: &Seed) {
    walk_by(seed, |_| true);
}

fn walk_by(seed: &Seed, takes: impl Fn(&Entry) -> bool) {
    let mut regions = [Region { start: 0, bytes: &[] }; MAX_REGIONS];
    let image = seed.memory.reader(&mut regions);
    let mut judged = Judged { frames: [Frame::default(); CAPACITY], count: 0 };
    for (index, entry) in walkers::ALL.iter().enumerate().filter(|(_, entry)| takes(entry)) {
        walk(seed, image, (index, entry), &mut judged);
    }
}

/// The frames that were judged last. Most walkers deliver the same ones, and the memory stands still.
struct Judged {
    frames: [Frame; CAPACITY],
    count: usize,
}

fn walk(seed: &Seed, image: ImageReader<'_>, (index, entry): (usize, &Entry), judged: &mut Judged) {
    let guarded = entry.reads != Reads::Raw;
    let bound = match (guarded, entry.copies) {
        (false, _) => RAW_LOADS,
        (true, false) => seed.strict_loads * collects(entry),
        (true, true) => copying_loads(seed.strict_loads),
    };
    let reader = Budgeted::new(image, bound);
    let request = Request::new(&seed.interpreter, seed.tstate, Detail::Line);
    let mut frames = [Frame::default(); CAPACITY];
    let mut buffer = FrameBuf::new(&mut frames);
    let mut walk = (entry.image)(&reader, &request, &mut buffer);
    if !guarded && walk.hops < RAW_HOPS && matches!(walk.fault(), Some((_, FaultKind::Budget))) {
        // Not in a cycle: long tables, many times. It is given what it can need.
        let reader = Budgeted::new(image, most_raw_loads(&seed.memory));
        buffer = FrameBuf::new(&mut frames);
        walk = (entry.image)(&reader, &request, &mut buffer);
    }

    let frames = buffer.frames();
    if frames.len() > CAPACITY {
        violation::walk_overfills_its_buffer(entry.name, seed.name, frames.len());
    }
    // The hop that breaks the budget is counted.
    if entry.name != ENDLESS && walk.hops > CAPACITY as u32 + EXTRA_HOPS + 1 {
        violation::walk_exceeds_its_hop_budget(entry.name, seed.name, walk.hops);
    }
    let outcome = match (walk.fault(), walk.end) {
        (Some((site, FaultKind::Budget)), _) if guarded => {
            violation::walk_exceeds_its_load_budget(entry.name, seed.name, site.name())
        }
        (Some((site, FaultKind::Budget)), _) => Outcome::Endless(site),
        (Some((site, _)), _) => Outcome::Fault(site),
        (None, End::Complete) if is_answer(seed, frames) => Outcome::Same,
        (None, End::Complete) => Outcome::Different,
        (None, End::Truncated(_)) => Outcome::Truncated,
        (None, End::Rejected(_)) => Outcome::Rejected,
    };
    tally::count(index, seed.tag_index, outcome);
    if guarded && *frames != judged.frames[..judged.count] {
        for frame in frames {
            judge(seed, image, frame);
        }
        judged.frames[..frames.len()].copy_from_slice(frames);
        judged.count = frames.len();
    }
}

/// Whether the frames are those of the undisturbed image.
fn is_answer(seed: &Seed, frames: &[Frame]) -> bool {
    let answer = |frame: &Frame| Answer { code: frame.code.get(), lasti: frame.lasti, line: frame.line };
    frames.len() == seed.answers.len() && frames.iter().map(answer).eq(seed.answers.iter().copied())
}

/// A frame that a strict walk delivered, looked at again by other means.
fn judge(seed: &Seed, image: ImageReader<'_>, frame: &Frame) {
    let (c, t) = (&seed.interpreter.layout.code, &seed.interpreter.layout.text);
    let get = |offset: u32, width| {
        seed.memory.get(Place { at: frame.code.plus(offset).get(), base: frame.code.get(), width })
    };
    if get(c.ob_type, 8) != seed.interpreter.code_type.get() {
        violation::strict_walk_believes_what_is_no_code(seed.name, frame.code.get());
    }
    let units = get(c.units, 8);
    let fresh = if seed.interpreter.layout.version.triple().1 < 13 { -2 } else { 0 };
    let inside = frame.lasti >= fresh && (frame.lasti < 0 || (frame.lasti as u64) < units.saturating_mul(2));
    if !inside || frame.lasti % 2 != 0 {
        violation::strict_walk_leaves_the_bytecode(seed.name, frame.lasti, units);
    }

    let table = get(c.linetable, 8);
    let len = seed.memory.get(Place { at: table.wrapping_add(t.bytes_size.into()), base: table, width: 8 });
    let data = table.wrapping_add(t.bytes_data.into());
    line(seed, image, frame, (data, len), get(c.firstlineno, 4) as i32);
    for offset in [c.filename, c.name, c.qualname] {
        name(seed, image, get(offset, 8));
    }
}

fn line(seed: &Seed, image: ImageReader<'_>, frame: &Frame, (data, len): (u64, u64), first: i32) {
    // Where the region ends before the table does, what is readable decides.
    let expected = reference::line_at(seed.memory.readable(data, len), first, frame.lasti);
    let number = expected.map(|line| line.unwrap_or(NO_LINE));
    if number != Ok(frame.line) {
        let expected = format!("{expected:?}");
        violation::strict_walk_invents_a_line(seed.name, frame.lasti, frame.line, &expected);
    }
    let again = line_table::line_at(&image, Addr::new(data), len, first, frame.lasti);
    if again.map(line_table::Line::or_minus_one) != Ok::<_, LineError>(frame.line) {
        violation::strict_walk_invents_a_line(seed.name, frame.lasti, frame.line, &format!("{again:?}"));
    }
}

fn name(seed: &Seed, image: ImageReader<'_>, at: u64) {
    const ROOM: usize = 96;
    let mut into = [0; ROOM];
    // Type, length, state and data pointer; then every piece brings at least one byte.
    let reader = Budgeted::new(image, 4 + ROOM as u32);
    match text::copy(&reader, &seed.interpreter, Addr::new(at), &mut into) {
        Ok(copied) if str::from_utf8(&into[..copied.bytes]).is_err() => {
            violation::copied_text_is_no_utf8(seed.name, &into[..copied.bytes])
        }
        Err(text::TextError::Fault(fault)) if fault.kind == FaultKind::Budget => {
            violation::text_copy_exceeds_its_load_budget(seed.name)
        }
        _ => {}
    }
}

/// Walkers that do not give CPython's answer on a seed as it is now, with what they give.
#[must_use]
pub fn disagreements(index: usize) -> Vec<String> {
    SEEDS.with_borrow(|seeds| {
        let seed = &seeds[index];
        let wrong = walkers::ALL.iter().filter_map(|entry| {
            let mut frames = [Frame::default(); CAPACITY];
            let (end, count, _) = measure(seed, entry, &mut frames);
            let right = end == End::Complete && is_answer(seed, &frames[..count]);
            (!right).then(|| format!("{}: {end:?} {:?}", entry.name, &frames[..count]))
        });
        wrong.collect()
    })
}

/// Loads that the longest walk of any seed makes.
#[must_use]
pub fn undisturbed_loads() -> u32 {
    let mut frames = [Frame::default(); CAPACITY];
    let mut loads = |seed: &Seed| walkers::ALL.iter().map(|entry| measure(seed, entry, &mut frames).2).max();
    SEEDS.with_borrow(|seeds| seeds.iter().filter_map(&mut loads).max().unwrap_or(0))
}

/// How a walk ended, its frames and its loads.
fn measure(seed: &Seed, entry: &Entry, frames: &mut [Frame]) -> (End, usize, u32) {
    let mut regions = [Region { start: 0, bytes: &[] }; MAX_REGIONS];
    let reader = Budgeted::new(seed.memory.reader(&mut regions), u32::MAX);
    let request = Request::new(&seed.interpreter, seed.tstate, Detail::Line);
    let mut buffer = FrameBuf::new(frames);
    let walk = (entry.image)(&reader, &request, &mut buffer);
    (walk.end, buffer.frames().len(), u32::MAX - reader.left())
}

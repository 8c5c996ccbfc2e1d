//! The body of the target `names`: any bytes as a string object, copied by [`sigwalk::text`] and, as the name of every function of a
//! captured stack, by [`sigwalk::call_stack`].
//!
//! Input: see [`Input`]. The object lies alone in memory that nothing else is mapped in; the rest of a walk comes from an image.

mod judge;
mod object;
pub mod reference;
mod watched;

pub use object::{Input, captured};

use crate::seed::{self, Seed};
use crate::violation;
use object::Object;
use reference::{Encoder, Header};
use sigwalk::addr::Addr;
use sigwalk::call_stack::{Escaped, FrameInfo, MISSING, TRUNCATED, collect};
use sigwalk::reader::{Budgeted, FaultKind, Region};
use sigwalk::text::{self, Encoding, TextError, Utf8};
use sigwalk::walk::{Detail, Request};
use std::cell::RefCell;
use watched::{Beside, Watched};

/// Longest input that is not cut.
pub const MAX_INPUT: usize = 600;

thread_local! {
    static SEEDS: RefCell<Vec<Seed>> = RefCell::new(seed::all().into_iter().filter(|seed| seed.name.ends_with("-names")).collect());
}

/// Runs the bytes of an input.
pub fn run_bytes(bytes: &[u8]) {
    use arbitrary::{Arbitrary, Unstructured};
    if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) {
        run(&input);
    }
}

/// Runs one input.
pub fn run(input: &Input<'_>) {
    SEEDS.with_borrow_mut(|seeds| {
        let count = seeds.len();
        let seed = &mut seeds[usize::from(input.image) % count];
        let object = Object::of(input, &seed.interpreter);
        let header = reference::header(&object.memory(), &seed.interpreter, object::AT);
        let room = usize::from(input.room);
        let utf8 = copy::<Utf8>(seed, &object, header, (room, reference::utf8));
        if let Ok(bytes) = &utf8
            && str::from_utf8(bytes).is_err()
        {
            violation::copied_text_is_no_utf8(seed.name, bytes);
        }
        if let Ok(bytes) = &copy::<Escaped>(seed, &object, header, (room, reference::escaped)) {
            judge::ascii(seed.name, bytes);
        }
        if input.stack() {
            stacks(seed, &object, header);
        }
        seed.memory.restore();
    });
}

/// Copies once and compares with the reference. Returns what was copied.
fn copy<E: Encoding>(
    seed: &Seed,
    object: &Object<'_>,
    header: Result<Header, TextError>,
    (room, encode): (usize, Encoder),
) -> Result<Vec<u8>, TextError> {
    const UNTOUCHED: u8 = 0xa5;
    let regions = object.regions();
    // Type, length, state and data pointer; ASCII at once; then every piece brings at least one byte.
    let reader = Budgeted::new(Watched::new(&regions, &seed.interpreter, header), 5 + room as u32);
    let mut into = vec![UNTOUCHED; room + 8];
    let copied = text::copy_as::<E, _>(&reader, &seed.interpreter, Addr::new(object::AT), &mut into[..room]);
    if let Err(TextError::Fault(fault)) = copied
        && fault.kind == FaultKind::Budget
    {
        violation::text_copy_exceeds_its_load_budget(seed.name);
    }
    if into[room..] != [UNTOUCHED; 8] {
        violation::text_copy_overruns_its_buffer(seed.name, room);
    }
    let expected = reference::copy(&object.memory(), header, room, encode);
    judge::copied(seed.name, &into, copied, &expected);
    copied.map(|copied| into[..copied.bytes].to_vec())
}

/// The object as the name of every function, and of every file.
fn stacks(seed: &mut Seed, object: &Object<'_>, header: Result<Header, TextError>) {
    let code = seed.interpreter.layout.code;
    for answer in seed.answers.clone() {
        for offset in [code.name, code.filename] {
            let at = Addr::new(answer.code).plus(offset).get();
            seed.memory.set(crate::memory::Place { at, base: answer.code, width: 8 }, object::AT);
        }
    }
    stack::<180, 64>(seed, object, header);
    stack::<9, 15>(seed, object, header);
}

fn stack<const FILENAME: usize, const NAME: usize>(
    seed: &Seed,
    object: &Object<'_>,
    header: Result<Header, TextError>,
) {
    const FRAMES: usize = 4;
    let (regions, mut images) =
        (object.regions(), [Region { start: 0, bytes: &[] }; crate::memory::MAX_REGIONS]);
    let watched = Watched::new(&regions, &seed.interpreter, header);
    let reader = Beside { object: watched, image: seed.memory.reader(&mut images) };
    let request = Request::new(&seed.interpreter, seed.tstate, Detail::Line);
    let mut frames = [FrameInfo::<FILENAME, NAME>::EMPTY; FRAMES];
    let collected = collect(&reader, &request, &mut frames);
    let found = frames.get(..collected.frames).unwrap_or_default();
    if found.len() != seed.answers.len().min(FRAMES) {
        violation::call_stack_loses_frames_to_their_names(seed.name, collected.frames);
    }
    for (frame, answer) in found.iter().zip(&seed.answers) {
        if frame.line != answer.line {
            violation::call_stack_loses_frames_to_their_names(seed.name, collected.frames);
        }
        for (array, flags, text) in [
            (&frame.filename[..], frame.filename_flags, frame.filename()),
            (&frame.name[..], frame.name_flags, frame.name()),
        ] {
            let expected = reference::copy(&object.memory(), header, array.len() - 1, reference::escaped);
            let right = match (&expected.copy, text) {
                (Ok(_), None) => flags == MISSING && expected.may_fault,
                (Ok((bytes, truncated)), Some(text)) => {
                    text == bytes && flags == if *truncated { TRUNCATED } else { 0 }
                }
                (Err(_), None) => flags == MISSING,
                _ => false,
            };
            // Behind the text, nothing: what was there before is not given away.
            let len = text.map_or(0, <[u8]>::len);
            if !right || array[len..].iter().any(|byte| *byte != 0) {
                violation::call_stack_name_differs_from_the_reference(
                    seed.name,
                    array,
                    &format!("{expected:?}"),
                );
            }
            judge::ascii(seed.name, &array[..len]);
        }
    }
}

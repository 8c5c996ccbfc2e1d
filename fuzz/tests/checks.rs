//! Policies with a choice of checks, over images of real interpreters: with all checks they are the registered walkers, bit for
//! bit, whatever is damaged; with any set of checks an undisturbed image is walked to its end.

use arbitrary::Unstructured;
use sigwalk::checks::Mask;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{Budgeted, ImageReader, Region};
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::{FAMILIES, named};
use sigwalk_fuzz::memory::MAX_REGIONS;
use sigwalk_fuzz::mutation;
use sigwalk_fuzz::seed::{self, Seed};

/// splitmix64: the same inputs on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn walk(
    seed: &Seed,
    walk: impl FnOnce(&Budgeted<ImageReader<'_>>, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
) -> (Walk, Vec<Frame>) {
    let mut regions = [Region { start: 0, bytes: &[] }; MAX_REGIONS];
    let reader = Budgeted::new(seed.memory.reader(&mut regions), 20_000);
    let mut frames = [Frame::default(); 64];
    let mut out = FrameBuf::new(&mut frames);
    let walk = walk(&reader, &Request::new(&seed.interpreter, seed.tstate, Detail::Line), &mut out);
    (walk, out.frames().to_vec())
}

#[test]
fn with_all_checks_a_family_is_the_registered_walker() {
    let mut random = Random(5);
    let (mut walks, mut others) = (0, 0);
    for seed in &mut seed::all() {
        for _ in 0..500 {
            let input = [random.next().to_le_bytes(), random.next().to_le_bytes()].concat();
            let mut bytes = Unstructured::new(&input);
            for _ in 0..2 {
                mutation::apply(seed, bytes.arbitrary().expect("two mutations' bytes"));
            }
            for family in FAMILIES {
                let entry = named(family.name).expect("a family has the name of its walker");
                let registered = walk(seed, entry.image);
                for on in [Mask::ALL, Mask::of(family.checks)] {
                    let found = walk(seed, |reader, request, out| (family.image)(on, reader, request, out));
                    assert_eq!(found, registered, "{} on {}, {input:?}", family.name, seed.name);
                }
                let none =
                    walk(seed, |reader, request, out| (family.image)(Mask::NONE, reader, request, out));
                walks += 1;
                others += u32::from(none != registered);
            }
            seed.memory.restore();
        }
    }
    println!("{walks} walks, {others} of which have another answer without checks");
    assert!(others > walks / 20, "the damage is none: {others} of {walks}");
}

#[test]
fn an_undisturbed_image_is_walked_to_its_end_whatever_is_off() {
    for seed in &seed::all() {
        for family in FAMILIES {
            let one_off = family.checks.iter().map(|check| Mask::ALL.without(*check));
            let one_on = family.checks.iter().map(|check| Mask::NONE.with(*check));
            for on in one_off.chain(one_on).chain([Mask::NONE]) {
                let (walk, frames) =
                    walk(seed, |reader, request, out| (family.image)(on, reader, request, out));
                let about = format!("{} on {}, {on:?}", family.name, seed.name);
                assert_eq!(walk.end, End::Complete, "{about}");
                let found = frames.iter().map(|frame| (frame.code.get(), frame.lasti, frame.line));
                let known = seed.answers.iter().map(|frame| (frame.code, frame.lasti, frame.line));
                assert!(found.eq(known), "{about}: {frames:?}");
            }
        }
    }
}

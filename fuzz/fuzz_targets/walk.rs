//! Walkers over mutated images: see `src/walk.rs`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sigwalk_fuzz::mutation::Input;
use sigwalk_fuzz::{tally, walk};

fuzz_target!(
    init: tally::keep(),
    |input: Input| {
        tally::tick();
        walk::run(&input);
    }
);

// Whatever is behind the last mutation has no effect, and would only be mutated in vain.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    fuzzer_mutate(data, size, max_size.min(walk::MAX_INPUT))
});

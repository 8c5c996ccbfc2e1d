//! Any bytes as the debug offsets: see `src/layout.rs`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sigwalk_fuzz::layout;

fuzz_target!(|input: &[u8]| layout::run(input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    fuzzer_mutate(data, size, max_size.min(layout::MAX_INPUT))
});

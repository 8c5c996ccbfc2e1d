//! Any bytes as a string object: see `src/names.rs`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sigwalk_fuzz::names;

fuzz_target!(|input: names::Input<'_>| names::run(&input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    fuzzer_mutate(data, size, max_size.min(names::MAX_INPUT))
});

//! Any bytes as a location table: see `src/line_table.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| sigwalk_fuzz::line_table::run(input));

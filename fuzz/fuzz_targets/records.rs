//! Any bytes as a file of a run directory: see `src/records.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigwalk_fuzz::records;

fuzz_target!(|input: records::Input<'_>| records::run(&input));

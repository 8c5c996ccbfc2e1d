//! Any bytes as an ELF file or a memory map of another process: see `src/remote_elf.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigwalk_fuzz::remote_elf;

fuzz_target!(|input: remote_elf::Input<'_>| remote_elf::run(&input));

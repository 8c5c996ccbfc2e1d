//! Bodies of the fuzz targets, as plain functions: `fuzz_targets/` hands them libFuzzer's bytes, the tests replay kept
//! and pseudo-random ones, on stable Rust.
//!
//! | body | input | what must hold |
//! |---|---|---|
//! | [`walk`] | a captured image and mutations of it | [`violation`] |
//! | [`names`] | any bytes as a string object | equal to [`names::reference`], inside the object |
//! | [`remote_elf`] | any bytes as an ELF file or a memory map | bounded, equal to [`remote_elf::reference`] |
//! | [`records`] | any bytes as a file of a run directory | refused with its line, or read and written again |
//! | [`line_table`] | any bytes as a location table | the decoders agree with [`reference`](mod@reference) |
//! | [`layout`] | any bytes as the debug offsets | refused, or harmless to walk with |
//!
//! Nothing here reads live memory: a load that would have crashed is counted ([`tally`]) and the next input is tried.

pub mod image;
pub mod layout;
pub mod line_table;
pub mod memory;
pub mod model;
pub mod mutation;
pub mod names;
pub mod places;
pub mod records;
pub mod reference;
pub mod remote_elf;
pub mod seed;
pub mod tally;
pub mod violation;
pub mod walk;

/// Errors of `report`, for [`records`]; found by this name in its files.
#[path = "../../reports/src/failure.rs"]
#[allow(dead_code, missing_docs)]
mod failure;

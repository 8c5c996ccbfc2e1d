//! The files of `report` that read: it is a program, and a library of it would be these alone.
#![allow(dead_code, missing_docs)]

#[path = "../../../reports/src/read/find.rs"]
pub mod find;
#[path = "../../../reports/src/read/lines.rs"]
pub mod lines;
#[path = "../../../reports/src/read/surrogates.rs"]
pub mod surrogates;

//! The Python of another process, from outside: found by its memory map and the symbols of its files, read through the
//! kernel, never stopped.
//!
//! Nothing here starts Python: `stress` is linked with one libpython, and the other process may run another version.
//! Everything after finding the interpreter is generic over the reader.

pub mod access;
pub mod locate;
pub mod stacks;
pub mod tasks;
pub mod threads;
pub mod trouble;

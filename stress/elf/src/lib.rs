//! Where the interpreter of a process may be: its memory map, and the headers and symbols of the files in it.
//!
//! The files belong to whoever started the process. Whatever is in them, parsing ends, in time and memory that grow with the size
//! of the file ([`bounded`]), without a panic: the fuzz target `remote_elf`. A crate of its own, so that it builds without a Python.

pub mod bounded;
pub mod elf;
pub mod maps;
pub mod symtab;

//! What the Criterion benches are made of: stacks of a known depth, subjects that walk them, and our own records.
//!
//! Criterion runs the benches and prints; it is not the store, since its files are private to it. [`record`] keeps every
//! timed batch and writes a run directory of `sigwalk-record`, which `report` reads.
//!
//! A new walker of the registry needs no line here. Another new subject is a type with a [`subjects::Subject`] implementation, in a file of its own, and one line in
//! [`subjects::of_walk`].

pub mod checks;
pub mod clock;
pub mod depth;
pub mod failure;
pub mod growth;
pub mod place;
pub mod planted;
pub mod record;
pub mod reference;
pub mod settings;
pub mod stacks;
pub mod subjects;
pub mod syscalls;

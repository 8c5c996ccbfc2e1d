//! The other components. A new one is a function that installs it, and a row in the file of its family.

use super::components::{dispositions, faulthandler, handlers, rust_std};
use libc::c_int;

/// A component that owns signals, too.
#[derive(Debug)]
pub struct Component {
    /// Name in records.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Installs it in this process; `sampling` is the signal that makes us walk.
    pub install: fn(sampling: c_int) -> Result<(), String>,
    /// How it is seen that a genuine bad access reached it.
    pub hears: Hears,
}

/// The signals that a component takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// SIGSEGV and SIGBUS.
    Faults,
    /// The sampler's own.
    Sampling,
    /// The sampler's own, while one is pending.
    Pending,
}

/// How it is seen that a component was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// A bad access is counted by it, and the process dies.
    Counts,
    /// A bad access ends the process with this code.
    Exits(c_int),
    /// A bad access makes it print this to stderr, and the process dies.
    Prints(&'static str),
    /// A stack overflow makes it print this to stderr, and the process dies.
    Overflow(&'static str),
    /// A SIGSEGV that somebody sends is ignored, and a bad access is fatal: the kernel ignores none.
    Ignores,
    /// It hears nothing: a bad access is fatal, as without any handler.
    Nothing,
}

/// All components.
pub fn all() -> impl Iterator<Item = &'static Component> {
    [faulthandler::ALL, handlers::ALL, rust_std::ALL, dispositions::ALL].into_iter().flatten()
}

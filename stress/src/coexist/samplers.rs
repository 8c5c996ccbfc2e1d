//! Who walks beside another component. A new one is a row.

use super::component::{Component, Takes};
use libc::c_int;

/// A walker with the signal that makes it walk.
#[derive(Debug)]
pub struct Sampler {
    /// Name in records.
    pub name: &'static str,
    /// The registered walker.
    pub walker: &'static str,
    /// It asks in each entry of the handler whether guarded loads are protected, and makes no walk where they are not.
    pub asks: bool,
    /// The walker asks itself, and reads through the kernel where they are not.
    pub falls_back: bool,
    /// What makes it walk.
    pub signal: c_int,
    /// A way that we recommend: it may kill nothing.
    pub ours: bool,
    /// Components that it is shown beside.
    pub beside: fn(&Component) -> bool,
}

/// All of them. SIGURG for the reason that `soak/storm.rs` gives: its default action is to do nothing.
pub const ALL: &[Sampler] = &[
    Sampler {
        name: "guarded",
        walker: "guarded",
        asks: true,
        falls_back: false,
        signal: libc::SIGURG,
        ours: true,
        beside: |_| true,
    },
    Sampler {
        name: "syscall",
        walker: "syscall",
        asks: false,
        falls_back: false,
        signal: libc::SIGURG,
        ours: true,
        beside: |_| true,
    },
    Sampler {
        name: "adaptive",
        walker: "adaptive",
        asks: false,
        falls_back: true,
        signal: libc::SIGURG,
        ours: true,
        beside: |_| true,
    },
    // Loads that nobody asked about: whoever took SIGSEGV over gets our faults.
    Sampler {
        name: "guarded-unasked",
        walker: "guarded",
        asks: false,
        falls_back: false,
        signal: libc::SIGURG,
        ours: false,
        beside: |component| component.takes == Takes::Faults,
    },
    // The signal of setitimer and of most profilers: its default action ends the process.
    Sampler {
        name: "guarded-sigprof",
        walker: "guarded",
        asks: true,
        falls_back: false,
        signal: libc::SIGPROF,
        ours: false,
        beside: |component| component.takes != Takes::Faults,
    },
];

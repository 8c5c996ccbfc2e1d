//! Signal-safe walking of the CPython call stack, and the walkers that are compared with it.
//!
//! *Signal-safe* here means: no allocation, no lock, no refcount, no re-entry of the interpreter. It does not mean that
//! an answer is right or that a walker cannot crash: how often each of them does is what the rest of the project
//! measures, and reports as k/n with a bound.
//!
//! # What it does
//!
//! * [`reader`]: copies bytes from an address that may be anything. [`reader::RawReader`] dies of a bad one,
//!   [`reader::GuardedReader`] gets an error, [`reader::ImageReader`] reads a saved image.
//! * [`layout`]: where CPython 3.11 to 3.15 keep what a walk needs, chosen at run time and checked.
//! * [`thread`]: the thread state of the calling thread, without a call into the interpreter.
//! * [`heuristics`]: the checks of CPython's own helpers, in their order.
//! * [`walkers`]: the implementations under study, one [`walkers::Entry`] each; [`checks`]: what each of them checks, and how
//!   to do without one of these.
//! * [`line_table`], [`text`]: lines and names out of foreign memory; [`line_cache`]: lines that were found before.
//! * [`call_stack`]: a stack as fixed-size structures with names, and as the text that faulthandler prints.
//!
//! # What it does not do
//!
//! It does not stop the thread it walks, so a walk of another running thread can be torn; the strict policy detects
//! most of that and cannot detect all of it. It knows default (GIL) builds on x86-64 Linux, nothing else.
//!
//! # Example
//!
//! Decode a line from a location table held in memory (the same code reads a live interpreter):
//!
//! ```
//! use sigwalk::{addr::Addr, line_table, reader::{ImageReader, Region}};
//!
//! // One entry: 2 code units, short form, line delta +1; then one unit without a line.
//! let table = [0b1_1011_001, 0, 4, 0b1_1111_000];
//! let regions = [Region { start: 0x1000, bytes: &table }];
//! let image = ImageReader::new(&regions);
//! let line = |lasti| line_table::line_at(&image, Addr::new(0x1000), 4, 10, lasti);
//! assert_eq!(line(2), Ok(line_table::Line::Number(11)));
//! assert_eq!(line(4), Ok(line_table::Line::None));
//! ```

#![cfg_attr(not(test), no_std)]
#![warn(missing_docs)]

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("sigwalk knows the layouts and the fault-fixup loads of x86-64 Linux only");

pub mod sync;

// loom's atomics cannot live in a static, and it models no signals: under its cfg only `sync` is built.
#[cfg(not(loom))]
pub mod addr;
#[cfg(not(loom))]
pub mod call_stack;
#[cfg(not(loom))]
pub mod checks;
#[cfg(not(loom))]
pub mod cpu;
#[cfg(not(loom))]
pub mod frame;
#[cfg(not(loom))]
pub mod heuristics;
#[cfg(not(loom))]
pub mod interpreter;
#[cfg(not(loom))]
pub mod layout;
#[cfg(not(loom))]
pub mod line_cache;
#[cfg(not(loom))]
pub mod line_table;
#[cfg(not(loom))]
mod place;
#[cfg(not(loom))]
pub mod reader;
#[cfg(not(loom))]
pub mod signal;
#[cfg(not(loom))]
pub mod text;
#[cfg(not(loom))]
pub mod thread;
#[cfg(not(loom))]
pub mod walk;
#[cfg(not(loom))]
pub mod walkers;

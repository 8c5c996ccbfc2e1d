//! The families of components.

pub mod dispositions;
pub mod faulthandler;
pub mod handlers;
pub mod rust_std;

/// The signals of bad accesses.
pub const FAULTS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

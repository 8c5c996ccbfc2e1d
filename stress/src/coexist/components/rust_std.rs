//! The stack-overflow handler of Rust's standard library. Its runtime installs it at the start of every Rust program, where nobody
//! has SIGSEGV yet; so this program has it before Python and before us. A library in Rust that is loaded later has none of its
//! own. For the order in which we are first, what the runtime had installed is put over us.

use super::FAULTS;
use crate::coexist::component::{Component, Hears, Takes};
use crate::coexist::disposition::Disposition;
use crate::failure::Failure;
use std::sync::OnceLock;

/// All.
pub const ALL: &[Component] = &[Component {
    name: "rust-std",
    about: "Rust std's handler: tells a stack overflow, else gives the signal its default action back and returns",
    takes: Takes::Faults,
    install: |_| install(),
    hears: Hears::Overflow("has overflowed its stack"),
}];

static INSTALLED: OnceLock<[Disposition; 2]> = OnceLock::new();

/// Keeps what the runtime has installed. Before anything else takes a signal.
///
/// # Errors
/// There is none, because SIGSEGV or SIGBUS was ignored when this program was executed.
pub fn remember() -> Result<(), Failure> {
    let found = FAULTS.map(Disposition::of);
    if found.iter().any(|found| matches!(found.handler, libc::SIG_DFL | libc::SIG_IGN)) {
        return Err(Failure::missing(
            "Rust's runtime found SIGSEGV or SIGBUS taken and installed no handler; start stress without ignored signals",
        ));
    }
    let _ = INSTALLED.set(found);
    Ok(())
}

/// What the runtime had installed.
pub fn remembered() -> Option<&'static [Disposition; 2]> {
    INSTALLED.get()
}

fn install() -> Result<(), String> {
    let installed = remembered().ok_or("the runtime's handler was not remembered")?;
    FAULTS.into_iter().zip(installed).for_each(|(signal, disposition)| disposition.put(signal));
    Ok(())
}

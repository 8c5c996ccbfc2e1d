//! A CPython embedded through pyo3: whichever build PYO3_PYTHON names.
//!
//! What this crate knows that pyo3 does not: how to start an interpreter that runs with a C library of its own
//! (`scripts/pythons`), what to write about it in a record, where its symbols are, including hidden ones, and where a
//! thread keeps its thread state.
//!
//! A binary that depends on this crate needs a build script that includes `link_args.rs`, else it does not find libpython.
//!
//! Nothing here may be called in a signal handler, except with the plain numbers that it returned before.

pub mod cpython_c;
mod environment;
mod error;
mod init;
mod interpreter;
mod key;
mod live;
mod machine;
mod module;
pub mod outside;
pub mod own_frames;
pub mod places;
mod runtime;
pub mod symbols;
pub mod system_calls;
mod thread;
pub mod tls;
mod tls_words;

pub use environment::environment;
pub use error::Error;
pub use init::{Options, initialize};
pub use interpreter::{hexversion, interpreter};
pub use key::bound_key;
pub use live::Live;
pub use pyo3;
pub use runtime::{RuntimeSymbols, runtime_symbols};
pub use thread::on_a_thread;

/// The interpreter that this was built for, as its own `sys.executable`.
pub const EXECUTABLE: &str = env!("SIGWALK_EMBED_EXECUTABLE");

/// PYTHONHOME of that interpreter.
pub const HOME: &str = env!("SIGWALK_EMBED_HOME");

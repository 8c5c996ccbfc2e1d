//! What can go wrong, and what to do about it.

/// Why the embedded interpreter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The dynamic linker found another libpython than the one that this was built for.
    #[error(
        "built for CPython {built}, but {found} was loaded; unset LD_LIBRARY_PATH, or build again with the same PYO3_PYTHON"
    )]
    WrongLibrary {
        /// Version that the build script saw.
        built: String,
        /// Version of the loaded library.
        found: String,
    },
    /// CPython refused its configuration or could not start.
    #[error("CPython did not start: {0}; its home was {home}, see that it holds lib/python3.X", home = crate::HOME)]
    Start(String),
    /// A symbol that every CPython exports is missing.
    #[error(
        "{0} is not in the process; the binary is not linked with a libpython, see stress/embed/link_args.rs"
    )]
    NoSymbol(&'static str),
    /// The layout of this interpreter is not known, or the interpreter contradicts it.
    #[error(transparent)]
    Layout(sigwalk::layout::LayoutError),
    /// The fault handler could not be installed.
    #[error(transparent)]
    Handler(sigwalk::signal::InstallError),
    /// The calling thread's state cannot be found without a call into the interpreter.
    #[error(
        "the thread state cannot be found without a call: {0}; libpython must be loaded at start-up, not by dlopen"
    )]
    ThreadState(&'static str),
}

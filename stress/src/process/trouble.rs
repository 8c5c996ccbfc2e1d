//! Why another process cannot be walked: each with its remedy and its exit code.

use crate::failure::Failure;
use sigwalk::layout::LayoutError;
use sigwalk_record::exit;

/// Why there are no stacks.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// There is no such pid.
    #[error("there is no process {0}; give the pid of a running Python, see `pgrep -af python`")]
    NoProcess(i32),
    /// A zombie or a kernel thread.
    #[error("process {pid} ({name}) has no memory: {state}; give the pid of a running Python")]
    NoMemory {
        /// The process.
        pid: i32,
        /// /proc/PID/comm
        name: String,
        /// Which of the two.
        state: &'static str,
    },
    /// No right to read it.
    #[error("process {pid} may not be read{owner}: {remedy}")]
    Refused {
        /// The process.
        pid: i32,
        /// Whose it is, where that says something.
        owner: String,
        /// What would help.
        remedy: String,
    },
    /// No process_vm_readv here.
    #[error(
        "{0}: run where the kernel and the seccomp profile have process_vm_readv (Docker: --cap-add SYS_PTRACE)"
    )]
    NoCall(sigwalk::reader::VmError),
    /// It exited meanwhile.
    #[error("process {0} exited while it was walked; there is nothing to walk any more")]
    Exited(i32),
    /// Another architecture.
    #[error(
        "process {pid} is of another architecture: {file} is {found}; stress walks x86-64 processes only, run one that is built for that architecture's Python where there is one"
    )]
    Architecture {
        /// The process.
        pid: i32,
        /// The file with the interpreter, or the program.
        file: String,
        /// In words.
        found: String,
    },
    /// No interpreter.
    #[error(
        "process {pid} is not a Python process: none of the files it has loaded is a CPython, and its program is {executable}"
    )]
    NotPython {
        /// The process.
        pid: i32,
        /// Its program.
        executable: String,
    },
    /// A Python, but none that is known.
    #[error("process {pid} runs {found} ({file}); stress walks CPython 3.11 to 3.15")]
    OtherPython {
        /// The process.
        pid: i32,
        /// In words.
        found: &'static str,
        /// The file with the interpreter.
        file: String,
    },
    /// A CPython without the symbols.
    #[error(
        "{file} of process {pid} is a CPython whose symbol table was stripped: {symbol} is not in it; use a build that exports it (every libpython does, a static executable when it is linked with --export-dynamic)"
    )]
    Stripped {
        /// The process.
        pid: i32,
        /// The file with the interpreter.
        file: String,
        /// The first symbol that is missing.
        symbol: &'static str,
    },
    /// A file of the process that cannot be opened.
    #[error("{file} of process {pid} cannot be read: {error}; {remedy}")]
    File {
        /// The process.
        pid: i32,
        /// The file.
        file: String,
        /// What the system said.
        error: std::io::Error,
        /// What would help.
        remedy: &'static str,
    },
    /// A file that is mapped in a way that its headers do not explain.
    #[error(
        "{file} of process {pid} is not mapped as its program headers say; was it overwritten since the process started?"
    )]
    Bias {
        /// The process.
        pid: i32,
        /// The file.
        file: String,
    },
    /// The layout is not known.
    #[error("process {pid}: {error} ({file})")]
    Layout {
        /// The process.
        pid: i32,
        /// The file with the interpreter.
        file: String,
        /// Which names what was found.
        error: LayoutError,
    },
    /// No thread.
    #[error(
        "Python runs no thread in process {0}: it is not started yet, or finalised; try again when it runs"
    )]
    NoThread(i32),
    /// The list of threads was torn every time.
    #[error("the list of threads of process {pid} could not be read in {readings} tries: {why}; try again")]
    Torn {
        /// The process.
        pid: i32,
        /// How often it was read.
        readings: u32,
        /// What the last reading met.
        why: String,
    },
    /// /proc is not as expected.
    #[error("/proc/{pid}/{what}: {error}; is /proc mounted?")]
    Proc {
        /// The process.
        pid: i32,
        /// Which file.
        what: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
}

impl Trouble {
    /// The exit code, one of [`sigwalk_record::exit`].
    pub fn code(&self) -> i32 {
        match self {
            Trouble::NoProcess(_) | Trouble::NoMemory { .. } | Trouble::NotPython { .. } => exit::USAGE,
            Trouble::NoThread(_) | Trouble::Torn { .. } => exit::NOTHING_RAN,
            Trouble::Exited(_) => exit::TARGET_EXITED,
            Trouble::Refused { .. }
            | Trouble::NoCall(_)
            | Trouble::Architecture { .. }
            | Trouble::OtherPython { .. }
            | Trouble::Stripped { .. }
            | Trouble::File { .. }
            | Trouble::Bias { .. }
            | Trouble::Layout { .. }
            | Trouble::Proc { .. } => exit::MISSING_CAPABILITY,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Failure { code: trouble.code(), message: trouble.to_string() }
    }
}

//! A trial in two processes: a child of the trial's process goes on with the target, and the process itself becomes its
//! tracer, which steps it and walks it from outside while it is stopped.
//!
//! # Invariant
//!
//! The tracer has one thread and is the parent of all that it traces; a traced thread is only resumed when it is known to be
//! stopped. Registers and options are written into memory of ours of the size that the kernel expects.
#![allow(unsafe_code)]

mod slot;
mod tracer;

use slot::Slot;
pub use tracer::every_boundary;

use crate::attempt;
use crate::attempt::Context;
use libc::{c_int, c_long, c_void, pid_t};
use sigwalk_embed::pyo3::ffi;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

/// Where threads of the tracee keep their state. `None`, and a note, where it was not found.
pub fn slot(trial: &Context) -> Option<Slot> {
    let slot = Slot::find(&trial.live);
    if slot.is_none() {
        trial.page.leave_note("glibc keeps the thread state where it was not found: no walk from a tracer");
        trial.page.failed.store(1, Relaxed);
    }
    slot
}

/// Options with which [`every_boundary`] hears of new threads and processes.
pub const FAMILY: c_int = libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_TRACEFORK | libc::PTRACE_O_TRACEVFORK;

/// Forks. The child returns, and goes on with the trial as the tracee; the parent runs `tracer` and ends, as its tracee
/// did.
///
/// # Errors
/// The kernel refuses the process, or to trace it.
pub fn split(
    context: &'static Context,
    options: c_int,
    tracer: impl FnOnce(pid_t) -> c_int,
) -> Result<(), String> {
    // SAFETY: attached and single-threaded, as trials are when they begin; CPython's own hooks stand around the fork.
    unsafe {
        let tracer_id = libc::getpid();
        ffi::PyOS_BeforeFork();
        match libc::fork() {
            -1 => {
                ffi::PyOS_AfterFork_Parent();
                Err(format!("fork: {}", std::io::Error::last_os_error()))
            }
            0 => {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // A tracer that was killed before that line sends nothing, and whoever adopts the child would never resume it.
                if libc::getppid() != tracer_id {
                    libc::_exit(1);
                }
                ffi::PyOS_AfterFork_Child();
                if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 {
                    return Err(format!("PTRACE_TRACEME: {}", std::io::Error::last_os_error()));
                }
                libc::raise(libc::SIGSTOP);
                Ok(())
            }
            tracee => {
                // No AfterFork_Parent: this process never runs Python again.
                let mut status = 0;
                libc::waitpid(tracee, &mut status, 0);
                if libc::WIFSTOPPED(status) {
                    let options = c_long::from(options | libc::PTRACE_O_EXITKILL);
                    libc::ptrace(libc::PTRACE_SETOPTIONS, tracee, 0, options);
                    status = tracer(tracee);
                }
                end(context, status)
            }
        }
    }
}

/// Ends the tracer as its tracee ended.
fn end(context: &'static Context, status: c_int) -> ! {
    if let Some(note) = attempt::context().unwrap_or(context).witness() {
        context.page.leave_note(&note);
    }
    // SAFETY: plain system calls; the tracee has reported itself to the page.
    unsafe {
        if libc::WIFSIGNALED(status) {
            libc::signal(libc::WTERMSIG(status), libc::SIG_DFL);
            libc::raise(libc::WTERMSIG(status));
        }
        libc::_exit(libc::WEXITSTATUS(status))
    }
}

/// The calling thread of a tracee is stepped from here on.
pub fn open() {
    if let Some(context) = attempt::context() {
        context.page.window.store(1, Relaxed);
        // SAFETY: stops this thread, which the tracer notices, and it resumes it without the signal.
        unsafe { libc::raise(libc::SIGSTOP) };
    }
}

/// The threads of a tracee run freely from here on.
pub fn close() {
    if let Some(context) = attempt::context() {
        context.page.window.store(0, Relaxed);
    }
}

/// Resumes a stopped thread for one instruction or freely, with a signal that it was to get.
pub fn resume(thread: pid_t, step: bool, signal: c_int) {
    let how = if step { libc::PTRACE_SINGLESTEP } else { libc::PTRACE_CONT };
    // SAFETY: a stopped thread of ours; one that was killed meanwhile is refused.
    unsafe { libc::ptrace(how, thread, ptr::null_mut::<c_void>(), c_long::from(signal)) };
}

/// Waits for any traced thread, or for one: its id and status. `None` when there is none left.
pub fn wait(thread: pid_t) -> Option<(pid_t, c_int)> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is written by the call.
        let found = unsafe { libc::waitpid(thread, &mut status, libc::__WALL) };
        if found > 0 {
            return Some((found, status));
        }
        if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return None;
        }
    }
}

/// Program counter and thread pointer of a stopped thread.
pub fn registers(thread: pid_t) -> Option<(u64, u64)> {
    // SAFETY: all-zero is a valid set of registers, and the kernel fills the whole of it.
    unsafe {
        let mut registers: libc::user_regs_struct = std::mem::zeroed();
        let done = libc::ptrace(libc::PTRACE_GETREGS, thread, ptr::null_mut::<c_void>(), &mut registers);
        (done == 0).then_some((registers.rip, registers.fs_base))
    }
}

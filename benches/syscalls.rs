//! System calls that a walk really makes: counted by the kernel's own tracing, in a forked copy of this process.
//!
//! The copy marks the beginning and the end of every walk by a call that no kernel knows, and stops at each call it
//! enters (PTRACE_SYSCALL). What is between two marks is the walk's.
#![allow(unsafe_code)]

use crate::place::Here;
use libc::{c_int, c_long, c_void, pid_t};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::VmReader;
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::Readers;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// A call that does not exist: the kernel answers ENOSYS.
const MARK: c_long = 0x5167_7761;

/// Walks that are counted; all but the first find everything warm.
const WALKS: usize = 3;

/// The number of system calls of each of `walks` runs of `work`, in a forked copy of this process. What `prepare` calls
/// there before is not counted. `work` returns whether it did what it should; it may not allocate or take a lock, since
/// another thread may have held that one when the process was copied.
///
/// # Errors
/// The kernel or a sandbox refuses tracing; `work` returned false or did not come back.
pub fn count<P>(
    walks: usize,
    prepare: impl FnOnce() -> P,
    mut work: impl FnMut(&mut P) -> bool,
) -> io::Result<Vec<u64>> {
    // SAFETY: the copy calls nothing but the C library's plain calls, `prepare` and `work`, and leaves by _exit.
    unsafe {
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 || libc::raise(libc::SIGSTOP) != 0 {
                    libc::_exit(2);
                }
                let mut prepared = prepare();
                let mut right = true;
                libc::syscall(MARK);
                for _ in 0..walks {
                    right &= work(&mut prepared);
                    libc::syscall(MARK);
                }
                libc::_exit(i32::from(!right))
            }
            pid => trace(pid, walks).inspect_err(|_| {
                // An error when it exited and was waited for already; else nothing more is wanted of it.
                if libc::waitpid(pid, ptr::null_mut(), libc::WNOHANG) == 0 {
                    libc::kill(pid, libc::SIGKILL);
                    libc::waitpid(pid, ptr::null_mut(), 0);
                }
            }),
        }
    }
}

/// System calls of each of some walks with lines of this stack.
///
/// # Errors
/// As [`count`]; a walk that does not see the whole stack counts as one that failed.
pub fn of_walk(
    here: &Here<'_>,
    live: fn(&Readers, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
) -> io::Result<Vec<u64>> {
    let mut frames = vec![Frame::default(); here.depth as usize + 1];
    let request = Request::new(&here.live.interpreter, here.tstate, Detail::Line);
    // The kernel reads a process by its number, which in the copy is another.
    let prepare = || Readers { vm: VmReader::own(), ..here.live.readers };
    count(WALKS, prepare, |readers| {
        let mut out = FrameBuf::new(&mut frames);
        let walk = live(readers, &request, &mut out);
        walk.end == End::Complete && out.frames().len() as u64 == here.depth
    })
}

/// Follows the copy from its first stop to its exit.
fn trace(pid: pid_t, walks: usize) -> io::Result<Vec<u64>> {
    let failed = |what: &str| Err(io::Error::other(what.to_owned()));
    let status = wait(pid)?;
    if !libc::WIFSTOPPED(status) {
        return failed("tracing is refused: PTRACE_TRACEME failed");
    }
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
    request(libc::PTRACE_SETOPTIONS, pid, options as usize)?;
    // One before the first mark, and one a walk.
    let mut counts = vec![0_u64];
    let mut signal = 0;
    loop {
        request(libc::PTRACE_SYSCALL, pid, signal as usize)?;
        let status = wait(pid)?;
        if libc::WIFEXITED(status) {
            // The last count is of what came after the last walk: its way out.
            return match (libc::WEXITSTATUS(status), counts.len() == walks + 2) {
                (0, true) => Ok(counts[1..=walks].to_vec()),
                (0, false) => failed("marks were lost"),
                _ => failed("the walk was not what it should be"),
            };
        }
        if !libc::WIFSTOPPED(status) {
            return failed("the traced walk was killed by a signal");
        }
        signal = match libc::WSTOPSIG(status) {
            stop if stop == libc::SIGTRAP | 0x80 => {
                match entered(pid)? {
                    Some(MARK) => counts.push(0),
                    Some(_) => *counts.last_mut().expect("never empty") += 1,
                    None => {}
                }
                0
            }
            other => other,
        };
    }
}

/// The number of the call that the copy is entering; `None` when it is leaving one.
fn entered(pid: pid_t) -> io::Result<Option<c_long>> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    // SAFETY: the kernel writes at most that many bytes; all-zero is a valid value, and of the union only what `op`
    // names is read.
    unsafe {
        let size = size_of::<libc::ptrace_syscall_info>();
        if libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        let info = info.assume_init();
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY => Ok(Some(info.u.entry.nr as c_long)),
            _ => Ok(None),
        }
    }
}

fn request(request: libc::c_uint, pid: pid_t, data: usize) -> io::Result<()> {
    // SAFETY: these requests read no memory of ours.
    match unsafe { libc::ptrace(request, pid, ptr::null_mut::<c_void>(), data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn wait(pid: pid_t) -> io::Result<c_int> {
    let mut status = 0;
    // SAFETY: a child of ours; the status is our memory.
    match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depth::Ladder;
    use crate::place::Native;
    use sigwalk::walkers::{Strict, Walker, named};
    use sigwalk_embed::pyo3::Python;
    use sigwalk_embed::{Live, Options};

    fn getpid(times: usize) -> bool {
        // SAFETY: always succeeds.
        (0..times).all(|_| unsafe { libc::syscall(libc::SYS_getpid) } > 0)
    }

    #[test]
    fn every_call_is_counted_once_and_only_between_its_marks() {
        for calls in [0, 1, 7, 100] {
            let counts = count(3, || getpid(5), |_| getpid(calls)).unwrap();
            assert_eq!(counts, [calls as u64; 3]);
        }
        let mut calls = 0;
        let growing = count(
            3,
            || (),
            |()| {
                calls += 2;
                getpid(calls)
            },
        );
        assert_eq!(growing.unwrap(), [2, 4, 6]);
    }

    #[test]
    fn work_that_fails_or_dies_is_no_count() {
        assert_eq!(
            count(1, || (), |()| false).unwrap_err().to_string(),
            "the walk was not what it should be"
        );
        // SAFETY: ends the copy.
        let killed = count(1, || (), |()| unsafe { libc::raise(libc::SIGKILL) } == 0);
        assert_eq!(killed.unwrap_err().to_string(), "the traced walk was killed by a signal");
    }

    /// One call a load: the strict walk loads at least the link, the code and the instruction of every frame.
    #[test]
    fn walks_of_a_real_stack_are_counted() {
        sigwalk_embed::initialize(Options::default()).unwrap();
        Python::attach(|py| {
            let place = Ladder::new(py, Native::new(Live::find().unwrap())).unwrap().place(20).unwrap();
            let guarded = place.at(|here| of_walk(here, named("guarded").unwrap().live)).unwrap().unwrap();
            assert_eq!(guarded, [0; WALKS]);
            let vm = place
                .at(|here| of_walk(here, |readers, request, out| Strict::walk(&readers.vm, request, out)));
            let vm = vm.unwrap().unwrap();
            assert!(vm[0] >= 60 && vm == [vm[0]; WALKS], "{vm:?}");
            // Half of the stack is not the stack.
            let cut = place.at(|here| {
                of_walk(here, |readers, request, out| {
                    let half = Frame::default();
                    let mut half = [half; 10];
                    let _ = out;
                    Strict::walk(&readers.guarded, request, &mut FrameBuf::new(&mut half))
                })
            });
            assert!(cut.unwrap().is_err());
        });
    }
}

//! A process that walks this one on demand, as a profiler that reads from outside does: the walker `remote` in tests and in
//! mutation.
//!
//! # Invariant
//!
//! The two processes take turns. `turn` says whose: what lies beside it is touched by the asker while it is `ASKER`'s, by the
//! walking process while it is `WALKER`'s, and a turn is passed on with Release and taken with Acquire. The walking process
//! is a fork of this one that never runs Python and allocates nothing: it has the same program, and so the same layout of
//! everything that is passed.
#![allow(unsafe_code)]

use crate::Live;
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::VmReader;
use sigwalk::walk::{Detail, Request, Walk};
use sigwalk::walkers::Entry;
use std::cell::UnsafeCell;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Frames that can be passed.
pub const FRAMES: usize = 4096;

const ASKER: u32 = 0;
const WALKER: u32 = 1;

/// Looks at `turn` before a process goes to sleep on it: about as long as a walk takes. Waking up takes as long again.
const SPINS: u32 = 1_000;

#[repr(C)]
struct Shared {
    turn: AtomicU32,
    data: UnsafeCell<Data>,
}

struct Data {
    entry: &'static Entry,
    loads: u32,
    tstate: Addr,
    detail: Detail,
    capacity: usize,
    walk: Walk,
    len: usize,
    frames: [Frame; FRAMES],
}

/// The walking process. It is ended on drop, and by the kernel when this thread ends.
#[derive(Debug)]
pub struct Outside {
    shared: *mut Shared,
    pid: libc::pid_t,
}

// SAFETY: `walk` takes `&mut self`, so that one thread at a time asks.
unsafe impl Send for Outside {}

impl Outside {
    /// Forks the walking process.
    ///
    /// # Errors
    /// The kernel has no memory or no process, or refuses to let it read us.
    pub fn start(live: &Live) -> io::Result<Outside> {
        // SAFETY: a fresh shared mapping that is large enough; all-zero is ASKER's turn, and the rest is written before it
        // is read. The child runs `serve` and nothing else, and never returns.
        unsafe {
            let shared = libc::mmap(
                std::ptr::null_mut(),
                size_of::<Shared>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if shared == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let shared = shared.cast::<Shared>();
            // Under Yama a child may not read its parent unless that allows it; elsewhere the call fails and is not needed.
            libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY);
            let target = VmReader::own();
            let parent = libc::getpid();
            match libc::fork() {
                -1 => {
                    let error = io::Error::last_os_error();
                    libc::munmap(shared.cast(), size_of::<Shared>());
                    Err(error)
                }
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    libc::signal(libc::SIGINT, libc::SIG_IGN);
                    if libc::getppid() != parent || target.check().is_err() {
                        libc::_exit(1);
                    }
                    serve(&live.reading(target), shared)
                }
                pid => Ok(Outside { shared, pid }),
            }
        }
    }

    /// A walk of this process by that one.
    ///
    /// # Errors
    /// The walking process has died.
    pub fn walk(
        &mut self,
        entry: &'static Entry,
        loads: u32,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> io::Result<Walk> {
        if self.pid == 0 {
            return Err(io::Error::other("the walking process ended before"));
        }
        // SAFETY: the module's invariant: it is our turn when this begins, and again after `wait`.
        unsafe {
            let shared = &*self.shared;
            let data = shared.data.get();
            (*data).entry = entry;
            (*data).loads = loads;
            (*data).tstate = request.tstate;
            (*data).detail = request.detail;
            (*data).capacity = out.capacity().min(FRAMES);
            pass(&shared.turn, WALKER);
            while !wait(&shared.turn, ASKER) {
                let mut status = 0;
                if libc::waitpid(self.pid, &mut status, libc::WNOHANG) != 0 {
                    self.pid = 0;
                    return Err(io::Error::other(format!(
                        "the walking process ended: wait status {status:#x}"
                    )));
                }
            }
            out.clear();
            for frame in (&(*data).frames)[..(*data).len].iter() {
                out.push(*frame);
            }
            Ok((*data).walk)
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // SAFETY: our own child, or none any more; the mapping is used by nobody after it.
        unsafe {
            if self.pid != 0 {
                libc::kill(self.pid, libc::SIGKILL);
                libc::waitpid(self.pid, std::ptr::null_mut(), 0);
            }
            libc::munmap(self.shared.cast(), size_of::<Shared>());
        }
    }
}

/// The walking process.
///
/// # Safety
/// `shared` is the mapping, and this is the forked child.
unsafe fn serve(live: &Live, shared: *mut Shared) -> ! {
    // SAFETY: the module's invariant, from the other side.
    unsafe {
        let shared = &*shared;
        loop {
            while !wait(&shared.turn, WALKER) {}
            let data = &mut *shared.data.get();
            let request = Request::new(&live.interpreter, data.tstate, data.detail);
            let mut out = FrameBuf::new(&mut data.frames[..data.capacity]);
            data.walk = (data.entry.counted)(&live.readers, data.loads, &request, &mut out);
            data.len = out.frames().len();
            pass(&shared.turn, ASKER);
        }
    }
}

/// Hands the turn over.
fn pass(turn: &AtomicU32, to: u32) {
    turn.store(to, Ordering::Release);
    // SAFETY: wakes whoever sleeps on this word, in either process.
    unsafe { libc::syscall(libc::SYS_futex, turn.as_ptr(), libc::FUTEX_WAKE, 1) };
}

/// Whether it is our turn, after waiting for a while.
fn wait(turn: &AtomicU32, ours: u32) -> bool {
    for _ in 0..SPINS {
        if turn.load(Ordering::Acquire) == ours {
            return true;
        }
        std::hint::spin_loop();
    }
    let second = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: sleeps while the word holds the other's turn, a second at most.
    unsafe { libc::syscall(libc::SYS_futex, turn.as_ptr(), libc::FUTEX_WAIT, 1 - ours, &raw const second) };
    turn.load(Ordering::Acquire) == ours
}

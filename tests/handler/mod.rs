//! Children in which signals may be raised, blocked and fatal, and a synthetic stack in their real memory.

// Each test crate uses a part of it.
#![allow(dead_code)]

use crate::image::{Process, Slot};
use libc::{c_int, c_void, siginfo_t};
use sigwalk::addr::Addr;
use sigwalk::reader::{GuardedReader, RawReader, VmReader};
use sigwalk::signal;
use sigwalk::walkers::Readers;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// `body` returned.
    Well,
    /// A panic outside of a handler, whose message is on stderr.
    Panicked,
    /// By this signal; a panic in a handler is SIGABRT.
    Killed(c_int),
}

/// Runs `body` in a fork of this process.
pub fn child(body: impl FnOnce()) -> Ended {
    // SAFETY: the child has one thread and leaves by `_exit` or a signal. It allocates, which glibc allows after a
    // fork.
    match unsafe { libc::fork() } {
        0 => become_child(body),
        pid => ended(pid),
    }
}

/// What a fresh fork does: `body`, then the end.
pub fn become_child(body: impl FnOnce()) -> ! {
    // SAFETY: plain calls; a child that hangs is killed by SIGALRM.
    unsafe {
        libc::alarm(20);
        libc::setrlimit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
    }
    // The one that Rust gives its threads is 8 KiB: two signal frames with AVX-512 state, and not much of handlers.
    let _stack = signal::AltStack::install().expect("an alternate stack");
    let result = catch_unwind(AssertUnwindSafe(body));
    // SAFETY: nothing of the parent's is cleaned up.
    unsafe { libc::_exit(if result.is_ok() { 0 } else { 101 }) }
}

/// Waits for a child: its status.
pub fn wait(pid: c_int) -> c_int {
    let mut status = 0;
    // SAFETY: our own child.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    status
}

fn ended(pid: c_int) -> Ended {
    let status = wait(pid);
    match libc::WIFSIGNALED(status) {
        true => Ended::Killed(libc::WTERMSIG(status)),
        false if libc::WEXITSTATUS(status) == 0 => Ended::Well,
        false => {
            eprintln!("status {}", libc::WEXITSTATUS(status));
            Ended::Panicked
        }
    }
}

/// What a handler does; it gets the context of the kernel.
pub type Body = fn(*mut c_void);

static BODIES: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];

/// Installs `body` as the handler of `signal`.
pub fn handle(signal: c_int, flags: c_int, blocks: &[c_int], body: Body) {
    extern "C" fn handler(signal: c_int, _: *mut siginfo_t, context: *mut c_void) {
        // SAFETY: stored below before the handler could run; a function pointer made a round trip through an integer.
        let body: Body = unsafe { std::mem::transmute(BODIES[signal as usize].load(Ordering::Relaxed)) };
        body(context);
    }
    BODIES[signal as usize].store(body as usize, Ordering::Relaxed);
    // SAFETY: all-zero is a valid sigaction; the handler has the right signature.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | flags;
        for blocked in blocks {
            libc::sigaddset(&mut action.sa_mask, *blocked);
        }
        assert_eq!(libc::sigaction(signal, &action, null_mut()), 0);
    }
}

pub fn raise(signal: c_int) {
    // SAFETY: to this thread; its handler runs before the call returns, unless it is blocked.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

/// Changes the mask of this thread: SIG_BLOCK or SIG_UNBLOCK.
pub fn mask(how: c_int, signals: &[c_int]) {
    // SAFETY: a set of ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        for signal in signals {
            libc::sigaddset(&mut set, *signal);
        }
        assert_eq!(libc::pthread_sigmask(how, &set, null_mut()), 0);
    }
}

pub fn is_blocked(signal: c_int) -> bool {
    // SAFETY: a set of ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &mut set), 0);
        libc::sigismember(&set, signal) == 1
    }
}

pub fn errno() -> c_int {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() }
}

pub fn set_errno(value: c_int) {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = value };
}

pub fn guarded() -> GuardedReader {
    GuardedReader::new(signal::install().expect("installed"))
}

pub fn readers() -> Readers {
    // SAFETY: for walks of healthy stacks, in children.
    Readers { raw: unsafe { RawReader::new() }, guarded: guarded(), vm: VmReader::own() }
}

/// Fresh memory, whole pages.
pub fn pages(at: u64, len: usize, protection: c_int) -> *mut u8 {
    let place = if at == 0 { 0 } else { libc::MAP_FIXED_NOREPLACE };
    // SAFETY: a fresh private mapping that replaces nothing. Leaked: the process is a test.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | place;
        let mapped = libc::mmap(at as *mut c_void, len, protection, flags, -1, 0);
        assert_ne!(mapped, libc::MAP_FAILED, "{at:#x}: {}", std::io::Error::last_os_error());
        mapped.cast()
    }
}

pub const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Zeroed memory for a `T` of plain numbers, at most a page, that a fork shares.
pub fn shared<T>() -> *mut T {
    assert!(size_of::<T>() <= 4096);
    // SAFETY: a fresh mapping, leaked.
    unsafe {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let page = libc::mmap(null_mut(), 4096, READ_WRITE, flags, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        page.cast()
    }
}

/// An alternate stack of exactly `size` bytes with a guard page below, for this thread until it ends. Its lowest
/// address.
pub fn alternate_stack(size: usize) -> *mut u8 {
    let stack = pages(0, size.next_multiple_of(4096) + 4096, READ_WRITE).wrapping_add(4096);
    // SAFETY: a fresh mapping that stays.
    unsafe {
        assert_eq!(libc::mprotect(stack.wrapping_sub(4096).cast(), 4096, libc::PROT_NONE), 0);
        let stack = libc::stack_t { ss_sp: stack.cast(), ss_flags: 0, ss_size: size };
        assert_eq!(libc::sigaltstack(&stack, null_mut()), 0, "{}", std::io::Error::last_os_error());
    }
    stack
}

/// What the kernel says a signal frame needs on this CPU, bytes.
pub fn signal_frame() -> usize {
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) as usize }
}

/// An address that nobody may read.
pub const BAD: Addr = Addr::new(8);

/// A page that is mapped for a file that has become shorter: SIGBUS.
pub fn truncated_file() -> Addr {
    // SAFETY: a memfd of ours; nothing else uses the mapping.
    unsafe {
        let file = libc::memfd_create(c"truncated".as_ptr(), 0);
        assert_eq!(libc::ftruncate(file, 4096), 0);
        let page = libc::mmap(null_mut(), 4096, libc::PROT_READ, libc::MAP_SHARED, file, 0);
        assert_ne!(page, libc::MAP_FAILED);
        assert_eq!(libc::ftruncate(file, 0), 0);
        Addr::new(page as u64)
    }
}

/// Puts an image into the real memory of this process, at the addresses that it names. For children.
pub fn make_real(process: &Process) {
    let mut mapped_to = 0;
    for region in process.regions() {
        let end = (region.start + region.bytes.len() as u64).next_multiple_of(4096);
        // Regions are sorted, and may share a page.
        let start = (region.start & !4095).max(mapped_to);
        if end > start {
            pages(start, (end - start) as usize, READ_WRITE);
            mapped_to = end;
        }
        // SAFETY: just mapped, here or for the region before.
        unsafe {
            (region.start as *mut u8).copy_from_nonoverlapping(region.bytes.as_ptr(), region.bytes.len());
        }
    }
}

/// `depth` functions on two chunks, with an entry frame in the middle and at the end.
pub fn deep(minor: u8, depth: usize) -> Process {
    let half = depth / 2;
    let slots = [
        vec![Slot::Function; half],
        vec![Slot::Entry, Slot::OlderChunk],
        vec![Slot::Function; depth - half],
        vec![Slot::Entry],
    ];
    Process::new(minor, &slots.concat())
}

//! The page of a soak: a [`Page`] in a memory file, because the program is executed and not forked from us.
//!
//! # Invariant
//!
//! That of [`Page`]: zero-initialised shared memory that only atomics touch. The file has the size of the mapping and is
//! sealed by nobody shrinking it: only this module knows it, and the program's descriptor is closed before the program runs.
#![allow(unsafe_code)]

use crate::page::Page;
use sigwalk_embed::symbols;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

const SIZE: usize = size_of::<Shared>().next_multiple_of(4096);

/// What the processes of one program count.
#[repr(C)]
pub struct Shared {
    /// Walks, tallies, crashes.
    pub page: Page,
    /// Signals that the handler got.
    pub signals: AtomicU64,
    /// Walks begun while another component owned SIGSEGV or SIGBUS (faulthandler: `-m test` enables it), so that a bad load would
    /// have been fatal also for a guarded reader ([`sigwalk::signal::protected`]).
    pub unprotected: AtomicU64,
    /// Processes that were stormed: the program and its forks.
    pub processes: AtomicU64,
    /// Addresses in the program of [`anchors`].
    anchors: [AtomicU64; 3],
}

/// One address in each module that a crash of ours may be in: this executable, libpython, the C library.
fn anchors() -> [usize; 3] {
    let python = symbols::find("Py_Version").map_or(0, |found| found.addr);
    [anchors as *const () as usize, python, libc::getpid as *const () as usize]
}

impl Shared {
    /// A new page, and the file that holds it, which is closed in programs that are executed unless it is [`hand_over`]ed.
    ///
    /// # Errors
    /// The kernel has no memory or no descriptor.
    pub fn create() -> io::Result<(&'static Shared, OwnedFd)> {
        // SAFETY: plain calls; a successful memfd_create returns a descriptor that nobody else owns.
        let file = unsafe {
            let fd = libc::memfd_create(c"sigwalk-soak".as_ptr(), libc::MFD_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        // SAFETY: our own descriptor.
        if unsafe { libc::ftruncate(file.as_raw_fd(), SIZE as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((map(&file)?, file))
    }

    /// The page of the program that this process is about to become. Takes the descriptor.
    ///
    /// # Errors
    /// It is no such file.
    pub fn inherited(fd: i32) -> io::Result<&'static Shared> {
        // SAFETY: asks for the size; a wrong number is refused by the kernel.
        let right = unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            libc::fstat(fd, &mut stat) == 0 && stat.st_size == SIZE as libc::off_t
        };
        if !right {
            return Err(io::Error::other(format!("descriptor {fd} is no page of a soak")));
        }
        // SAFETY: passed to us by number, to own; closed when this returns, so that the program has the descriptors that it has
        // without a storm.
        let file = unsafe { OwnedFd::from_raw_fd(fd) };
        let shared = map(&file)?;
        for (place, address) in shared.anchors.iter().zip(anchors()) {
            place.store(address as u64, Relaxed);
        }
        Ok(shared)
    }

    /// Says where `pc` of the program is.
    #[must_use]
    pub fn describe(&self, pc: u64) -> String {
        let there = self.anchors.each_ref().map(|anchor| anchor.load(Relaxed) as usize);
        let pairs: Vec<(usize, usize)> = there.into_iter().zip(anchors()).collect();
        symbols::describe_elsewhere(pc as usize, &pairs)
    }
}

/// Lets the next program that is executed have the file.
///
/// # Errors
/// The kernel's.
pub fn hand_over(file: &OwnedFd) -> io::Result<()> {
    // SAFETY: our own descriptor.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn map(file: &OwnedFd) -> io::Result<&'static Shared> {
    // SAFETY: a shared mapping of a file of this size, never unmapped; all-zero is a valid Shared, which is made of atomics only,
    // and whatever is in it otherwise was written by the same atomics.
    unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            SIZE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        );
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(&*page.cast::<Shared>())
    }
}

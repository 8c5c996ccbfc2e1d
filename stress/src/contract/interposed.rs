//! The library that is preloaded, which counts calls of the C library (`c/interpose.c`).
//!
//! # Invariant
//!
//! [`Interposed`] exists only where the library was found in this process; its table ends with a row without a name, and is as
//! `struct sigwalk_interposed` there.
#![allow(unsafe_code)]

use crate::failure::Failure;
use sigwalk_embed::symbols;
use std::ffi::{CStr, c_char, c_int};
use std::os::fd::FromRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/interpose.so"));

/// Set in a process that has tried.
const DONE: &str = "SIGWALK_INTERPOSED";

/// Most functions that the library counts.
pub const MOST: usize = 64;

#[repr(C)]
struct Row {
    name: *const c_char,
    kind: *const c_char,
    calls: u64,
}

/// The library in this process.
#[derive(Clone, Copy, Debug)]
pub struct Interposed {
    rows: *const Row,
    count: usize,
    arm: extern "C" fn(c_int),
}

// SAFETY: the table is a static of the library; counts are written by armed threads, of which there is one at a time.
unsafe impl Send for Interposed {}
// SAFETY: as above.
unsafe impl Sync for Interposed {}

/// Goes on as the same command with the library preloaded. It is executed from memory, so that nothing has to be installed and
/// nothing is left behind.
///
/// # Errors
/// The kernel has no memory file, or does not execute this program again.
pub fn preload() -> Result<(), Failure> {
    if std::env::var_os(DONE).is_some() {
        return Ok(());
    }
    let refused = |what: &str, error: std::io::Error| {
        Failure::missing(format!("{what} of the library that counts calls: {error}"))
    };
    // SAFETY: a NUL-terminated name; the descriptor is owned by the file, and stays open over exec.
    let mut file = unsafe {
        let fd = libc::memfd_create(c"sigwalk-interpose".as_ptr(), 0);
        if fd < 0 {
            return Err(refused("memory file", std::io::Error::last_os_error()));
        }
        std::fs::File::from_raw_fd(fd)
    };
    std::io::Write::write_all(&mut file, LIBRARY).map_err(|error| refused("writing", error))?;
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let mut again = Command::new("/proc/self/exe");
    again.args(std::env::args_os().skip(1)).env(DONE, "1").env("LD_PRELOAD", path);
    Err(Failure::internal(format!("executing this program again: {}", again.exec())))
}

impl Interposed {
    /// The library, where it is loaded. Interpreters are started without it from now on.
    pub fn find() -> Option<Interposed> {
        let rows = symbols::find("sigwalk_interposed")?.addr as *const Row;
        let arm = symbols::find("sigwalk_interpose_arm")?.addr;
        // SAFETY: by the module's invariant; the function has this type.
        unsafe {
            let arm = std::mem::transmute::<usize, extern "C" fn(c_int)>(arm);
            let count = (0..=MOST).find(|index| (*rows.add(*index)).name.is_null())?;
            Some(Interposed { rows, count, arm })
        }
    }

    /// Counts calls of the calling thread from now on, or no more.
    ///
    /// # Signal safety
    /// A store to thread-local memory.
    pub fn arm(self, on: bool) {
        (self.arm)(c_int::from(on));
    }

    /// How often each function was called.
    ///
    /// # Signal safety
    /// Loads.
    pub fn calls(self) -> [u64; MOST] {
        let mut calls = [0; MOST];
        for (index, calls) in calls.iter_mut().enumerate().take(self.count) {
            // SAFETY: by the module's invariant. Volatile: C code writes it.
            *calls = unsafe { (&raw const (*self.rows.add(index)).calls).read_volatile() };
        }
        calls
    }

    /// (name, kind) of each function, in the order of [`Interposed::calls`].
    pub fn functions(self) -> Vec<(String, String)> {
        // SAFETY: by the module's invariant, NUL-terminated constants.
        let text = |text: *const c_char| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        // SAFETY: as above.
        (0..self.count)
            .map(|index| unsafe { &*self.rows.add(index) })
            .map(|row| (text(row.name), text(row.kind)))
            .collect()
    }
}

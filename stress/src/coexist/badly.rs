//! Bad addresses, and the frame that leads to one.
//!
//! # Invariant
//!
//! The three pages are mapped once a process, by this module, and nobody else's memory is touched.
#![allow(unsafe_code)]

use crate::fault::{self, Made};
use crate::word;
use sigwalk::addr::Addr;
use sigwalk_embed::Live;
use std::io;

const PAGE: usize = 4096;

/// A load from its page fails, by SIGSEGV or by SIGBUS.
#[derive(Clone, Copy, Debug)]
pub struct Bad {
    page: Addr,
    offset: u64,
}

/// What is wrong with a page.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// Nothing is mapped there: SEGV_MAPERR.
    Unmapped,
    /// It may not be read: SEGV_ACCERR.
    Forbidden,
    /// It is behind the end of its file: SIGBUS.
    BehindEnd,
}

impl Bad {
    /// A new page of a drawn kind, and an aligned place in it with room for a code object behind it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn draw(seed: u64) -> io::Result<Bad> {
        let why = [Why::Unmapped, Why::Forbidden, Why::BehindEnd][(seed % 3) as usize];
        Ok(Bad { page: why.page()?, offset: ((seed >> 8) % (PAGE as u64 / 2)) & !15 })
    }

    /// One whose loads fail by SIGSEGV.
    ///
    /// # Errors
    /// The kernel's.
    pub fn forbidden() -> io::Result<Bad> {
        Ok(Bad { page: Why::Forbidden.page()?, offset: 0 })
    }

    /// The address.
    #[must_use]
    pub fn at(self) -> Addr {
        self.page.plus(self.offset as u32)
    }

    /// Whether `at` is in the page.
    #[must_use]
    pub fn holds(self, at: Addr) -> bool {
        at.get().wrapping_sub(self.page.get()) < PAGE as u64
    }

    /// Makes the code of one of the calling thread's Python frames, the `turn`-th of them counted round and round, lead here until the
    /// result is dropped.
    ///
    /// # Signal safety
    /// That of [`fault::write`].
    pub fn make(self, live: &Live, tstate: Addr, turn: u64) -> Option<Made> {
        let layout = &live.interpreter.layout.frame;
        let words = |frames: &[fault::Frame]| {
            let python = || frames.iter().filter(|frame| !frame.entry);
            let count = python().count() as u64;
            let frame = python().nth((turn % count.max(1)) as usize)?;
            let place = frame.at.plus(layout.executable);
            // 3.14 and later keep a tag in the word's lowest bits.
            let value = self.at().get() | word::load(place, 8) & !layout.untag();
            Some([(place, value); 2])
        };
        fault::write(live, words, tstate)
    }
}

impl Why {
    fn page(self) -> io::Result<Addr> {
        let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: new mappings at a place that the kernel chooses; the file is closed, and lives as long as its mapping.
        unsafe {
            let at = match self {
                Why::BehindEnd => {
                    let file = libc::memfd_create(c"sigwalk-behind-end".as_ptr(), libc::MFD_CLOEXEC);
                    let at =
                        libc::mmap(std::ptr::null_mut(), PAGE, libc::PROT_READ, libc::MAP_SHARED, file, 0);
                    libc::close(file);
                    at
                }
                _ => libc::mmap(std::ptr::null_mut(), PAGE, libc::PROT_NONE, anonymous, -1, 0),
            };
            if at == libc::MAP_FAILED || matches!(self, Why::Unmapped) && libc::munmap(at, PAGE) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Addr::new(at as u64))
        }
    }
}

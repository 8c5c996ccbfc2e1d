//! The thread state of the calling thread, found in a handler without a call into the interpreter.
//!
//! Two questions must be kept apart. The *attached* state is NULL while the thread is detached (inside
//! `Py_BEGIN_ALLOW_THREADS`); on 3.11 it is one global for all threads, so that a handler on a detached thread would read
//! *another thread's*. The *bound* state stays while detached, and a detached thread's own frames are stable. Profilers
//! want the bound one, and this module finds that.
//!
//! | version | bound state |
//! |---|---|
//! | 3.11–3.14 | pthread key `autoTSSkey` in `_PyRuntime` |
//! | 3.15 | thread-local `_Py_tss_gilstate`, a hidden symbol |
//!
//! **`pthread_getspecific` is no way to ask in a handler**, although glibc implements it by loads. It also *writes*: an entry
//! whose sequence number is not the key's is cleared. `pthread_setspecific` stores the value and the number one after the
//! other, so a handler that asks between the two stores of a thread's first one wipes the thread state off the thread that it
//! interrupted, which then dies of "PyGILState_Release: auto-releasing thread-state, but no thread-state for this thread". Found
//! by stepping `PyGILState_Ensure` on 3.11 (target `gilstate`); `PyGILState_GetThisThreadState`, and so faulthandler's own handlers,
//! ask like that up to 3.14. Here the entry is read and nothing else (tests/own_thread_key.rs).
//!
//! # Invariant
//!
//! A TLS offset is the distance of the word from the thread pointer in libpython's *static* TLS block, found while
//! attached and verified on a second thread by whoever makes the [`OwnThread`]. A dlopen()ed libpython has no such
//! constant distance (and `__tls_get_addr` may allocate): it must be refused at start-up.
#![allow(unsafe_code)]

use crate::addr::Addr;
use crate::layout::Layout;
use crate::reader::Reader;
use core::arch::asm;

/// How the bound thread state is found. Made by [`OwnThread::new`] only, whose caller answers for the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnThread(Slot);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// A `Py_tss_t` in `_PyRuntime`: `int is_initialized` and the pthread key at +4; and glibc's table of values, from the
    /// thread pointer, where it was found.
    Key { tss: Addr, table: Option<isize> },
    /// A word at a constant distance from the thread pointer (`%fs:0`), bytes; negative on x86-64.
    Tls { offset: isize },
}

impl OwnThread {
    /// For the interpreter at `runtime`. `tls` is the verified distance of `_Py_tss_gilstate`; `None` when the layout
    /// has no key and no distance is given.
    ///
    /// # Safety
    ///
    /// `tls` is the module's invariant: the distance, in bytes from the thread pointer, of a word in the static TLS block of
    /// every thread that will ask.
    #[must_use]
    pub unsafe fn new(layout: &Layout, runtime: Addr, tls: Option<isize>) -> Option<OwnThread> {
        match layout.runtime.auto_tss_key {
            Some(offset) => Some(OwnThread(Slot::Key { tss: runtime.plus(offset), table: key_table() })),
            None => tls.map(|offset| OwnThread(Slot::Tls { offset })),
        }
    }

    /// The distance from the thread pointer, bytes, where the state is a thread-local word (3.15).
    #[must_use]
    pub const fn tls_offset(&self) -> Option<isize> {
        match self.0 {
            Slot::Tls { offset } => Some(offset),
            Slot::Key { .. } => None,
        }
    }

    /// Where the state is kept under a pthread key (up to 3.14): the `Py_tss_t`, and the distance of glibc's table from the
    /// thread pointer, bytes. An entry of the table is a sequence number and the value, 8 bytes each.
    #[must_use]
    pub const fn key(&self) -> Option<(Addr, isize)> {
        match self.0 {
            Slot::Key { tss, table: Some(table) } => Some((tss, table)),
            _ => None,
        }
    }

    /// The bound thread state of the calling thread, or `None` when there is none (a thread that Python does not know,
    /// or the runtime is finalised).
    ///
    /// After `PyThreadState_Delete` of *another* thread's state the slot of that thread dangles (scenario S10): the
    /// address may be of freed memory, and a walk must expect that.
    ///
    /// # Signal safety
    /// Loads. The key is read each time: fork re-creates it (3.12–3.14), and finalisation deletes it. With a C library whose table
    /// of values was not found, or with more than 31 keys, `pthread_getspecific`, whose hazard the module's comment tells.
    #[inline]
    pub fn state<R: Reader>(&self, reader: &R) -> Option<Addr> {
        let bits = match self.0 {
            Slot::Key { tss, table } => {
                if reader.u32(tss).ok()? == 0 {
                    return None;
                }
                let key = reader.u32(tss.plus(4)).ok()?;
                match table {
                    // SAFETY: an entry of the table that every thread's descriptor has.
                    Some(table) if key < KEYS => unsafe {
                        from_thread_pointer(table + key as isize * 16 + 8)
                    },
                    // SAFETY: any key is allowed: an invalid one yields NULL.
                    _ => unsafe { libc::pthread_getspecific(key) as u64 },
                }
            }
            // SAFETY: the module's invariant: the word is in the static TLS block of every thread.
            Slot::Tls { offset } => unsafe { from_thread_pointer(offset) },
        };
        (bits != 0).then(|| Addr::new(bits))
    }
}

/// The word at a distance from the thread pointer.
///
/// # Safety
/// It is part of every thread's block or descriptor.
#[inline(always)]
unsafe fn from_thread_pointer(offset: isize) -> u64 {
    let bits: u64;
    // SAFETY: by this function's contract.
    unsafe {
        asm!("mov {}, qword ptr fs:[{}]", lateout(reg) bits, in(reg) offset,
             options(nostack, preserves_flags, readonly));
    }
    bits
}

/// Keys whose values are in the thread's descriptor itself (PTHREAD_KEY_2NDLEVEL_SIZE).
const KEYS: libc::pthread_key_t = 32;

/// Where glibc keeps a thread's values, from the thread pointer: looked for with a key and a value of our own, not believed. (0x310
/// in glibc 2.31 to 2.43.) Not for handlers.
fn key_table() -> Option<isize> {
    static MARK: u64 = 0;
    let value = &raw const MARK as u64;
    let mut key = 0;
    // SAFETY: a key of our own, made, set and deleted here. The words that are looked at are part of the calling thread's
    // descriptor, which glibc makes larger than 0x800 bytes on x86-64.
    unsafe {
        if libc::pthread_key_create(&mut key, None) != 0 {
            return None;
        }
        libc::pthread_setspecific(key, value as *const libc::c_void);
        let entry = key as isize * 16;
        let mut found = (0x200..0x600).step_by(8).filter(|table| {
            key < KEYS
                && from_thread_pointer(table + entry + 8) == value
                && from_thread_pointer(table + entry) & 1 == 1
        });
        let table = found.next().filter(|_| found.next().is_none());
        libc::pthread_setspecific(key, core::ptr::null());
        libc::pthread_key_delete(key);
        table
    }
}

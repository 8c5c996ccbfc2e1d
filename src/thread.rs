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
//! # Invariant
//!
//! A TLS offset is the distance of the word from the thread pointer in libpython's *static* TLS block, found while
//! attached and verified on a second thread by whoever makes the [`OwnThread`]. A dlopen()ed libpython has no such
//! constant distance (and `__tls_get_addr` may allocate): it must be refused at start-up.
#![allow(unsafe_code)]

mod table;

use crate::addr::Addr;
use crate::layout::Layout;
use crate::reader::Reader;

/// How the bound thread state is found. Made by [`OwnThread::new`] only, whose caller answers for the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnThread(Slot);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// A `Py_tss_t` in `_PyRuntime`: `int is_initialized` and the pthread key at +4; and where the C library keeps the values.
    Key { tss: Addr, table: Option<isize> },
    /// A word at a constant distance from the thread pointer (`%fs:0`), bytes; negative on x86-64.
    Tls { offset: isize },
}

impl OwnThread {
    /// For the interpreter at `runtime`. `tls` is the verified distance of `_Py_tss_gilstate`; `None` when the layout
    /// has no key and no distance is given. Not for handlers.
    ///
    /// # Safety
    ///
    /// `tls` is the module's invariant: the distance, in bytes from the thread pointer, of a word in the static TLS block of
    /// every thread that will ask.
    #[must_use]
    pub unsafe fn new(layout: &Layout, runtime: Addr, tls: Option<isize>) -> Option<OwnThread> {
        match layout.runtime.auto_tss_key {
            Some(offset) => Some(OwnThread(Slot::Key { tss: runtime.plus(offset), table: table::find() })),
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

    /// Up to 3.14: the distance from the thread pointer of glibc's array of values, and the number of keys in it.
    #[must_use]
    pub const fn key_table(&self) -> Option<(isize, u32)> {
        match self.0 {
            Slot::Key { table: Some(table), .. } => Some((table, table::KEYS)),
            _ => None,
        }
    }

    /// The bound thread state of the calling thread, or `None` when there is none (a thread that Python does not know,
    /// or the runtime is finalised).
    ///
    /// After `PyThreadState_Delete` of *another* thread's state the slot of that thread dangles (scenario S10): the
    /// address may be of freed memory, and a walk must expect that.
    ///
    /// A key that was deleted and made anew (fork, 3.11 to 3.14) has the old value until it is set: the same state.
    ///
    /// # Signal safety
    /// Loads. The key is read each time: fork re-creates it, and finalisation deletes it. Only with a C library whose array of values
    /// was not found, or for a key beyond the array, `pthread_getspecific`, which may store (`thread/table.rs`).
    #[inline]
    pub fn state<R: Reader>(&self, reader: &R) -> Option<Addr> {
        let bits = match self.0 {
            Slot::Key { tss, table } => {
                if reader.u32(tss).ok()? == 0 {
                    return None;
                }
                let key = reader.u32(tss.plus(4)).ok()?;
                match table.filter(|_| key < table::KEYS) {
                    Some(table) => table::value(table, key),
                    // SAFETY: any key is allowed: an invalid one yields NULL.
                    None => unsafe { libc::pthread_getspecific(key) as u64 },
                }
            }
            // SAFETY: the module's invariant: the word is in the static TLS block of every thread.
            Slot::Tls { offset } => unsafe { table::word(offset) },
        };
        (bits != 0).then(|| Addr::new(bits))
    }
}

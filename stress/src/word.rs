//! The word of a live frame, code object or table that is changed and put back.
//!
//! # Invariant
//!
//! A place is inside live memory of the interpreter: a frame of this thread's own stack, or what one leads to. Nothing else
//! runs between a change and its restoration.
#![allow(unsafe_code)]

use sigwalk::addr::Addr;

/// Whether a drawn place can be changed. The line table of the shim of a specialised `__init__` (3.13+) is in libpython's
/// read-only data: writing there once took the whole campaign down.
pub fn is_writable(at: Addr) -> bool {
    let mut byte = 0_u8;
    let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: at.get() as *mut libc::c_void, iov_len: 1 };
    // SAFETY: reads one byte of this process and writes the same byte back; an address that does not allow it is refused.
    // Nothing else writes there meanwhile.
    unsafe {
        let own = libc::getpid();
        libc::process_vm_readv(own, &vector, 1, &remote, 1, 0) == 1
            && libc::process_vm_writev(own, &raw mut vector, 1, &remote, 1, 0) == 1
    }
}

/// What stands at a drawn place.
pub fn load(at: Addr, width: u32) -> u64 {
    // SAFETY: places are inside live frames, code objects and tables of this thread's own stack, which nothing else
    // touches while it is in native code.
    unsafe {
        match width {
            1 => u64::from((at.get() as *const u8).read_volatile()),
            4 => u64::from((at.get() as *const u32).read_unaligned()),
            _ => (at.get() as *const u64).read_unaligned(),
        }
    }
}

/// Changes or restores a drawn place.
pub fn store(at: Addr, width: u32, value: u64) {
    // SAFETY: as in `load`; the memory is the interpreter's writable heap or stack, and what stood there is put back
    // before any Python code runs.
    unsafe {
        match width {
            1 => (at.get() as *mut u8).write_volatile(value as u8),
            4 => (at.get() as *mut u32).write_unaligned(value as u32),
            _ => (at.get() as *mut u64).write_unaligned(value),
        }
    }
}

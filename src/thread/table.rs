//! Where glibc keeps a thread's values of pthread keys: an array in the thread's descriptor, which on x86-64 begins at the
//! thread pointer. An entry is the key's sequence number and the value.
//!
//! `pthread_getspecific` is no load. It compares the entry's sequence number with the key's, and where they differ it *stores*
//! NULL: the value is of a key that was deleted, says glibc. `pthread_setspecific`, as compiled in glibc 2.36, writes the value
//! before the number, so that a handler that asks between these two instructions wipes what was just bound, for good. A fork does that on 3.11 to
//! 3.14 (`PyOS_AfterFork_Child` deletes the key and makes it anew): in the campaign `step` no walk of such a child ever found its
//! thread state, and `PyGILState_Ensure` in it would have made a second one.
//!
//! # Invariant
//!
//! The array was found by a value that stands nowhere else in the descriptor, and has [`KEYS`] entries. Keys beyond are looked up
//! elsewhere.

#![allow(unsafe_code)]

use core::arch::asm;
use core::ffi::c_void;
use core::ptr;

/// Keys in the array (PTHREAD_KEY_2NDLEVEL_SIZE).
pub const KEYS: u32 = 32;

/// Bytes of the descriptor that are looked at: it is 0x700 and more since glibc 2.17, and the array is at 0x310.
const LOOKED_AT: core::ops::Range<isize> = 0x200..0x700;

/// Distance of the array from the thread pointer, the same for every thread; `None` with another C library. Not for handlers: it
/// makes a key, and deletes it.
pub fn find() -> Option<isize> {
    let mut key = 0;
    // SAFETY: plain calls; the key is written. The value is never followed.
    unsafe {
        if libc::pthread_key_create(&mut key, None) != 0 {
            return None;
        }
        // An address of ours: nobody else has it in a descriptor.
        let mark = (&raw const key).wrapping_byte_add(1).cast::<c_void>();
        let is_set = key < KEYS && libc::pthread_setspecific(key, mark) == 0;
        let mut places =
            LOOKED_AT.step_by(8).filter(|&at| is_set && word(at) == mark as u64 && word(at - 8) % 2 == 1);
        let found = places.next().filter(|_| places.next().is_none());
        libc::pthread_setspecific(key, ptr::null());
        libc::pthread_key_delete(key);
        Some(found? - 8 - 16 * key as isize)
    }
}

/// The calling thread's value of a key below [`KEYS`], whatever became of the key since it was set; `table` is what [`find`] found.
///
/// # Signal safety
/// One load.
#[inline]
pub fn value(table: isize, key: u32) -> u64 {
    debug_assert!(key < KEYS);
    // SAFETY: in the array of the calling thread's descriptor, by the module's invariant.
    unsafe { word(table + 16 * key as isize + 8) }
}

/// The word at that distance from the thread pointer.
///
/// # Safety
/// It is in the calling thread's descriptor or static TLS.
#[inline]
pub unsafe fn word(offset: isize) -> u64 {
    let bits: u64;
    // SAFETY: by this function's contract.
    unsafe {
        asm!("mov {}, qword ptr fs:[{}]", lateout(reg) bits, in(reg) offset,
             options(nostack, preserves_flags, readonly));
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What glibc does to a value whose key is made anew, and that a load of ours does not.
    #[test]
    #[cfg_attr(miri, ignore = "reads the thread's descriptor")]
    fn asking_glibc_wipes_the_value_of_a_key_that_was_made_anew() {
        let table = find().expect("glibc has such an array");
        let here = (&raw const table).cast::<c_void>();
        // SAFETY: plain calls; the value is not followed.
        unsafe {
            let (mut key, mut anew) = (0, 0);
            assert_eq!(libc::pthread_key_create(&mut key, None), 0);
            assert_eq!(libc::pthread_setspecific(key, here), 0);
            assert_eq!(value(table, key), here as u64);
            assert_eq!(libc::pthread_getspecific(key).cast_const(), here);
            libc::pthread_key_delete(key);
            assert_eq!(libc::pthread_key_create(&mut anew, None), 0);
            if anew == key {
                assert_eq!(value(table, key), here as u64, "asked by a load, it stays");
                assert!(libc::pthread_getspecific(key).is_null());
                assert_eq!(value(table, key), 0, "asked by glibc, it is gone");
            }
            libc::pthread_key_delete(anew);
        }
    }
}

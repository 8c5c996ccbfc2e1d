//! Memory that a process shares with those that are forked from it: what a trial counts, its parent sees.
#![allow(unsafe_code)]

/// New memory, zero, shared with every process that is forked from now on. It stays mapped.
///
/// # Errors
/// The kernel has none.
///
/// # Safety
/// All-zero is a valid `T`, and whoever writes does so by atomics.
pub unsafe fn zeroed<T: Sync>() -> std::io::Result<&'static T> {
    // SAFETY: a fresh, page-aligned mapping of the right size; the rest is the caller's.
    unsafe {
        let memory = libc::mmap(
            std::ptr::null_mut(),
            size_of::<T>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if memory == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(&*memory.cast::<T>())
    }
}

//! Raw access to thread-local words.
#![allow(unsafe_code)]

use crate::module;

/// Thread pointer of the calling thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn thread_pointer() -> usize {
    let pointer: usize;
    // SAFETY: the ABI keeps the thread pointer itself in the word that it points to.
    unsafe { std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags)) };
    pointer
}

#[cfg(not(target_arch = "x86_64"))]
compile_error!("sigwalk-embed knows the thread pointer of x86_64 only");

/// Offsets from the thread pointer to every word of libpython's thread-local block on the calling thread. Empty where the thread has
/// no block yet, which means that libpython was loaded by dlopen.
pub(crate) fn offsets() -> Vec<isize> {
    let Some(block) = module::libpython().and_then(|module| module.tls) else { return Vec::new() };
    let start = block.start.next_multiple_of(size_of::<usize>());
    let pointer = thread_pointer();
    (start..)
        .step_by(size_of::<usize>())
        .take_while(|word| word + size_of::<usize>() <= block.end)
        .map(|word| word.wrapping_sub(pointer).cast_signed())
        .collect()
}

/// The word at `offset` from the calling thread's thread pointer.
///
/// # Safety
/// `offset` is one of [`offsets`], as they are on this very thread.
pub(crate) unsafe fn read(offset: isize) -> usize {
    let address = thread_pointer().wrapping_add_signed(offset);
    // SAFETY: an offset within this thread's block, which lives as long as the thread.
    unsafe { (address as *const usize).read_volatile() }
}

//! A native thread that is over when the call returns, and that leaves nothing to chance: which thread frees what two threads share
//! (std's handle does that) decides what the next allocation finds, and a mutated stack is to be the same in every run.
//!
//! # Invariant
//!
//! The closure lies on the caller's stack, is taken by the new thread only, and the caller waits for that thread to end.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;

struct Call<F, T> {
    body: Option<F>,
    result: Option<T>,
}

/// Runs `body` on a thread of its own and waits for its end.
///
/// # Errors
/// The kernel has no thread, or `body` panicked.
pub fn on_a_thread<T: Send, F: FnOnce() -> T + Send>(body: F) -> io::Result<T> {
    extern "C" fn begin<T, F: FnOnce() -> T>(call: *mut c_void) -> *mut c_void {
        // SAFETY: the module's invariant.
        let call = unsafe { &mut *call.cast::<Call<F, T>>() };
        if let Some(body) = call.body.take() {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            call.result = caught.ok();
        }
        std::ptr::null_mut()
    }
    let mut call = Call { body: Some(body), result: None };
    let mut thread = 0;
    // SAFETY: the call outlives the thread, which is joined before it is looked at again.
    unsafe {
        let failed =
            libc::pthread_create(&raw mut thread, std::ptr::null(), begin::<T, F>, (&raw mut call).cast());
        if failed != 0 {
            return Err(io::Error::from_raw_os_error(failed));
        }
        libc::pthread_join(thread, std::ptr::null_mut());
    }
    call.result.ok_or_else(|| io::Error::other("the thread panicked"))
}

#[cfg(test)]
mod tests {
    use super::on_a_thread;

    #[test]
    fn what_a_thread_gives_comes_back_and_a_panic_is_an_error() {
        let here = std::thread::current().id();
        assert!(on_a_thread(|| std::thread::current().id() != here).unwrap());
        assert!(on_a_thread(|| -> u8 { panic!("on purpose") }).is_err());
    }
}

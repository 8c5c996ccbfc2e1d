//! Subjects with a planted violation each: what proves that the checker would see one. A checker that misses one fails, as it fails for
//! a violation of a walker of ours.
#![allow(unsafe_code)]

use super::kind::Kind;
use super::registers::has_avx;
use super::subjects::{Here, Subject, frames_by};
use sigwalk::walk::strict;
use sigwalk_embed::places;
use sigwalk_embed::pyo3::Python;
use sigwalk_embed::pyo3::ffi::{self, PyObject};
use sigwalk_record::Whose;
use std::arch::asm;
use std::cell::UnsafeCell;
use std::hint::black_box;

/// All of them: one at least for each kind.
pub fn all(py: Python<'_>) -> Vec<Subject> {
    // Where that is not known, the rows say that it was not looked for.
    let (gil, breaker) =
        places::of_this_thread(py).map_or((0, 0), |places| (places.gil.start, places.breaker.start));
    with(gil, breaker)
}

fn with(gil: u64, breaker: u64) -> Vec<Subject> {
    let plant = |name: &str, expected: &'static [Kind], violate: fn(&Here<'_>)| {
        Subject::new(name, Whose::Planted, move |here| {
            let frames = strict_frames(here);
            violate(here);
            frames
        })
        .planting(expected)
    };
    let plant_at = |name: &str, expected: &'static [Kind], at: u64| {
        Subject::new(name, Whose::Planted, move |here| {
            let frames = strict_frames(here);
            rewrite(at);
            frames
        })
        .planting(expected)
    };
    vec![
        plant_at("planted-gil", &[Kind::Gil], gil),
        plant_at("planted-breaker", &[Kind::Breaker], breaker),
        plant_at("planted-store", &[Kind::Store], &raw const ffi::PyBaseObject_Type as u64 + 24),
        plant("planted-thread", &[Kind::Thread], thread),
        plant("planted-linker", &[Kind::Linker], linker),
        plant("planted-stdio", &[Kind::Stdio], stdio),
        plant("planted-vector", &[Kind::Vector], vector),
        plant("planted-malloc", &[Kind::Allocation], malloc),
        plant("planted-lock", &[Kind::Lock], lock),
        plant("planted-incref", &[Kind::Refcount], incref),
        plant("planted-errno", &[Kind::Errno], errno),
        plant("planted-system-call", &[Kind::SystemCall], system_call),
        plant("planted-state", &[Kind::ThreadState], state),
        plant("planted-mask", &[Kind::Mask], mask),
        plant("planted-direction", &[Kind::Direction], direction),
        plant("planted-rounding", &[Kind::FloatControl], rounding),
        plant("planted-stack", &[Kind::Stack], stack),
    ]
}

fn strict_frames(here: &Here<'_>) -> u64 {
    frames_by(here, |here, request, out| {
        strict::walk(&here.live.readers.guarded, request, out);
    })
}

fn malloc(_: &Here<'_>) {
    // SAFETY: given back at once.
    unsafe { libc::free(black_box(libc::malloc(black_box(64)))) };
}

struct Mutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: used through the C library only, by one thread.
unsafe impl Sync for Mutex {}

fn lock(_: &Here<'_>) {
    static MUTEX: Mutex = Mutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
    // SAFETY: an initialised mutex that nobody else uses.
    unsafe {
        libc::pthread_mutex_lock(MUTEX.0.get());
        libc::pthread_mutex_unlock(MUTEX.0.get());
    }
}

/// Takes the innermost code object and gives it back: before and after, its count is the same.
fn incref(here: &Here<'_>) {
    frames_by(here, |here, request, out| {
        strict::walk(&here.live.readers.guarded, request, out);
        if let Some(frame) = out.frames().first() {
            let code = frame.code.get() as *mut PyObject;
            // SAFETY: alive, since the thread stands in it.
            unsafe {
                ffi::Py_IncRef(code);
                ffi::Py_DecRef(code);
            }
        }
    });
}

fn errno(_: &Here<'_>) {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = libc::EAGAIN };
}

fn system_call(_: &Here<'_>) {
    // SAFETY: changes nothing.
    unsafe { libc::syscall(libc::SYS_getppid) };
}

/// Writes a word of the thread state, the value that it has.
fn state(here: &Here<'_>) {
    rewrite(here.tstate.get() + 16);
}

/// Writes the value that is there; nothing at 0.
fn rewrite(at: u64) {
    // Half a word: the breaker of 3.11 has no more, and no better alignment.
    let word = at as *mut u32;
    if at != 0 {
        // SAFETY: a word of the interpreter that this thread runs, which is attached or was where the signal came; no other thread is
        // there.
        unsafe { word.write_volatile(word.read_volatile()) };
    }
}

fn thread(_: &Here<'_>) {
    // SAFETY: a key that may not exist is refused.
    unsafe { black_box(libc::pthread_getspecific(0)) };
}

fn linker(_: &Here<'_>) {
    // SAFETY: an all-zero Dl_info is valid, and filled.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        libc::dladdr(linker as *const libc::c_void, &raw mut info);
    }
}

fn stdio(_: &Here<'_>) {
    // SAFETY: all streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

/// Leaves upper halves in use.
fn vector(_: &Here<'_>) {
    if has_avx() {
        // SAFETY: the processor has it.
        unsafe { asm!("vpcmpeqd xmm0, xmm0, xmm0", "vinsertf128 ymm0, ymm0, xmm0, 1", out("ymm0") _) };
    }
}

fn mask(_: &Here<'_>) {
    let block = 1_u64 << (libc::SIGUSR2 - 1);
    // SAFETY: the kernel's set has 8 bytes.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const block, 0_usize, 8) };
}

fn direction(_: &Here<'_>) {
    // SAFETY: what C code must not find; the watch clears it before any runs.
    unsafe { asm!("std") };
}

fn rounding(_: &Here<'_>) {
    let mut mxcsr = 0_u32;
    // SAFETY: another rounding mode, for a process that computes nothing any more.
    unsafe {
        asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr);
        mxcsr ^= 1 << 13;
        asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr);
    }
}

#[inline(never)]
fn stack(_: &Here<'_>) {
    black_box(&mut [0_u8; 16 << 10]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_violation_is_planted() {
        // Without an interpreter: other tests of this program keep one to themselves.
        let planted = with(0, 0);
        for kind in Kind::ALL {
            assert!(planted.iter().any(|subject| subject.expected.contains(kind)), "{kind:?}");
        }
    }
}

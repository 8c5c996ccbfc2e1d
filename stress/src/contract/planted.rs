//! Subjects with a planted violation each: what proves that the checker would see one. A checker that misses one fails, as it fails for
//! a violation of a walker of ours.
#![allow(unsafe_code)]

use super::kind::Kind;
use super::subjects::{Here, Subject, frames_by};
use sigwalk::walk::strict;
use sigwalk_embed::pyo3::ffi::{self, PyObject};
use sigwalk_record::Whose;
use std::arch::asm;
use std::cell::UnsafeCell;
use std::hint::black_box;

/// All of them.
pub fn all() -> Vec<Subject> {
    let plant = |name: &str, expected: &'static [Kind], violate: fn(&Here<'_>)| {
        Subject::new(name, Whose::Planted, move |here| {
            let frames = strict_frames(here);
            violate(here);
            frames
        })
        .planting(expected)
    };
    vec![
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
    let word = (here.tstate.get() + 16) as *mut u64;
    // SAFETY: within the calling thread's state, which is its own.
    unsafe { word.write_volatile(word.read_volatile()) };
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

//! A timer of the kernel that sends a signal: one piece for every workload that is driven by time.
//!
//! # Invariant
//!
//! A [`timer_t`] here is glibc's id plus one: ids are small integers, 0 among them, and null is to mean none in a `Cell` or an
//! atomic. A timer that is gone is refused by the kernel with EINVAL.
#![allow(unsafe_code)]

use libc::{c_int, pid_t, timer_t};
use std::ptr;

/// Makes a timer on CLOCK_MONOTONIC, not set yet, whose `signal` goes to that thread, or to the process. Not for handlers.
///
/// # Errors
/// The kernel has no timer left for this user.
pub fn create(signal: c_int, thread: Option<pid_t>) -> std::io::Result<timer_t> {
    // SAFETY: a zeroed sigevent is valid and is filled; the id is written by the call.
    unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_signo = signal;
        event.sigev_notify = libc::SIGEV_SIGNAL;
        if let Some(thread) = thread {
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_notify_thread_id = thread;
        }
        let mut timer: timer_t = ptr::null_mut();
        if libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(timer.wrapping_byte_add(1))
    }
}

/// As [`create`], for the calling thread.
///
/// # Errors
/// As [`create`].
pub fn of_this_thread(signal: c_int) -> std::io::Result<timer_t> {
    // SAFETY: always succeeds.
    create(signal, Some(unsafe { libc::gettid() }))
}

/// Sets a timer: nanoseconds from now, or with `TIMER_ABSTIME` of the clock, and then every `interval`; 0 for once.
///
/// # Signal safety
/// `timer_settime` is on POSIX's list.
pub fn set(timer: timer_t, flags: c_int, ns: u64, interval: u64) {
    let span = |ns: u64| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as i64,
        tv_nsec: (ns % 1_000_000_000) as i64,
    };
    let when = libc::itimerspec { it_value: span(ns), it_interval: span(interval) };
    // SAFETY: a timer of this process, by the module's invariant; `when` is read.
    unsafe { libc::timer_settime(timer.wrapping_byte_sub(1), flags, &when, ptr::null_mut()) };
}

/// Nanoseconds until a timer without an interval sends its signal: 0 once it has, or where it was never set.
#[must_use]
pub fn remaining(timer: timer_t) -> u64 {
    // SAFETY: a timer of this process, by the module's invariant; the time is written.
    unsafe {
        let mut left: libc::itimerspec = std::mem::zeroed();
        libc::timer_gettime(timer.wrapping_byte_sub(1), &mut left);
        left.it_value.tv_sec as u64 * 1_000_000_000 + left.it_value.tv_nsec as u64
    }
}

/// Deletes a timer; nothing for null.
pub fn delete(timer: timer_t) {
    if !timer.is_null() {
        // SAFETY: by the module's invariant; also when its thread is gone.
        unsafe { libc::timer_delete(timer.wrapping_byte_sub(1)) };
    }
}

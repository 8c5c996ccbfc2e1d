//! What holds of guarded walks, and of `call_stack`, in signal handlers: errno, blocked faults, handlers inside
//! handlers. Each fact in a child of its own, the fatal ones too.
#![cfg(not(loom))]
#![allow(unsafe_code)]

mod handler;
mod image;

use handler::Ended::{Killed, Well};
use handler::{
    BAD, READ_WRITE, child, deep, errno, guarded, handle, is_blocked, make_real, mask, pages, raise, readers,
    set_errno, truncated_file,
};
use image::MINORS;
use libc::{SIG_BLOCK, SIG_UNBLOCK, SIGBUS, SIGPROF, SIGSEGV, SIGUSR1, SIGUSR2, c_void};
use sigwalk::addr::Addr;
use sigwalk::call_stack::{self, FrameInfo, Header};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{Fault, FaultKind, Reader};
use sigwalk::signal;
use sigwalk::walk::Detail;
use sigwalk::walkers::{self, Reads};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

thread_local! {
    // For handlers, which are functions without captures. Children have one thread.
    static PROCESS: Cell<*const image::Process> = const { Cell::new(std::ptr::null()) };
}

fn walked() -> &'static image::Process {
    // SAFETY: set to a leaked process before the handler is raised.
    unsafe { &*PROCESS.get() }
}

fn bad_load_is_an_error() {
    let fault = Fault { at: BAD, kind: FaultKind::Unmapped };
    assert_eq!(guarded().u64(BAD), Err(fault));
}

fn good_load_is_a_value() {
    let word = 0x1234_5678_9abc_def0_u64;
    assert_eq!(guarded().u64(Addr::new(&raw const word as u64)), Ok(word));
}

/// One load of each kind.
fn loads() {
    bad_load_is_an_error();
    good_load_is_a_value();
}

#[test]
fn errno_is_kept_by_walks_with_faults_in_a_handler() {
    for minor in MINORS {
        let ended = child(|| {
            let mut process = deep(minor, 20);
            process.put(process.previous(5), image::NOWHERE);
            make_real(&process);
            PROCESS.set(Box::leak(Box::new(process)));
            handle(SIGUSR1, 0, &[], |_| {
                let (process, readers) = (walked(), readers());
                let request = process.request(Detail::Line);
                for value in [0, libc::EINTR, 4711] {
                    set_errno(value);
                    for walker in walkers::ALL
                        .iter()
                        .filter(|walker| matches!(walker.reads, Reads::Guarded | Reads::Kernel))
                    {
                        let mut frames = [Frame::default(); 30];
                        let walk = (walker.live)(&readers, &request, &mut FrameBuf::new(&mut frames));
                        assert!(walk.fault().is_some(), "{}: {walk:?}", walker.name);
                        assert_eq!(errno(), value, "{}", walker.name);
                    }
                    let mut frames = [FrameInfo::<40, 40>::EMPTY; 30];
                    let collected = call_stack::collect(&readers.guarded, &request, &mut frames);
                    assert_eq!(collected.frames, 6);
                    assert!(call_stack::print(-1, &frames[..collected.frames], Header::Write).is_err());
                    assert_eq!(errno(), value);
                    let _ = (signal::faults_blocked(), signal::admit_faults_now());
                    assert_eq!(errno(), value);
                }
            });
            raise(SIGUSR1);
        });
        assert_eq!(ended, Well, "3.{minor}");
    }
}

/// Memory that a handler of SIGSEGV makes readable, as a garbage collector's does.
static REPAIRED: AtomicU64 = AtomicU64::new(0);

fn repair() {
    // SAFETY: the pages of `load_that_is_repaired`. Linux lets handlers call mprotect.
    unsafe { libc::mprotect(REPAIRED.load(Relaxed) as *mut c_void, 4096, READ_WRITE) };
}

/// A plain load that faults, is repaired by the handler before ours, and is repeated.
fn load_that_is_repaired() {
    let page = pages(0, 4096, libc::PROT_NONE);
    REPAIRED.store(page as u64, Relaxed);
    // SAFETY: readable as soon as the handler has run.
    assert_eq!(unsafe { page.cast::<u64>().read_volatile() }, 0);
}

#[test]
fn errno_is_kept_when_a_fault_goes_to_the_handler_before_ours() {
    let ended = child(|| {
        handle(SIGSEGV, 0, &[], |_| {
            repair();
            set_errno(libc::ENOMEM);
        });
        signal::install().unwrap();
        set_errno(4711);
        load_that_is_repaired();
        assert_eq!(errno(), 4711);
    });
    assert_eq!(ended, Well);
}

/// Who blocks the faults of a handler of SIGUSR1.
#[derive(Clone, Copy, Debug)]
enum Blocker {
    /// The code that it interrupts.
    Interrupted,
    /// The handler that it interrupts.
    OtherHandler,
    /// Its own `sa_mask`.
    Itself,
}

fn in_handler_with_faults_blocked(by: Blocker, signals: &[i32], body: handler::Body) -> handler::Ended {
    child(|| {
        signal::install().unwrap();
        let own = if matches!(by, Blocker::Itself) { signals } else { &[] };
        handle(SIGUSR1, 0, own, body);
        match by {
            Blocker::Interrupted => {
                mask(SIG_BLOCK, signals);
                raise(SIGUSR1);
                assert!(signals.iter().all(|signal| is_blocked(*signal)), "the mask is what it was");
            }
            Blocker::OtherHandler => {
                handle(SIGUSR2, 0, signals, |_| raise(SIGUSR1));
                raise(SIGUSR2);
            }
            Blocker::Itself => raise(SIGUSR1),
        }
    })
}

const BLOCKERS: [Blocker; 3] = [Blocker::Interrupted, Blocker::OtherHandler, Blocker::Itself];

#[test]
fn a_blocked_fault_kills_a_guarded_load() {
    for by in BLOCKERS {
        let ended = in_handler_with_faults_blocked(by, &[SIGSEGV, SIGBUS], |_| {
            assert!(signal::faults_blocked());
            good_load_is_a_value();
            bad_load_is_an_error();
        });
        assert_eq!(ended, Killed(SIGSEGV), "{by:?}");
    }
    let ended = in_handler_with_faults_blocked(Blocker::Interrupted, &[SIGBUS], |_| {
        bad_load_is_an_error();
        let _ = guarded().u64(truncated_file());
    });
    assert_eq!(ended, Killed(SIGBUS));
}

#[test]
fn admitting_the_faults_that_the_context_shows_makes_them_error_values() {
    for by in [Blocker::Interrupted, Blocker::OtherHandler] {
        for signals in [&[SIGSEGV, SIGBUS][..], &[SIGSEGV], &[SIGBUS]] {
            let ended = in_handler_with_faults_blocked(by, signals, |context| {
                let before = (is_blocked(SIGSEGV), is_blocked(SIGBUS));
                // SAFETY: the context of this handler.
                let admitted = unsafe { signal::admit_faults(context) };
                assert!(admitted.is_some() && !signal::faults_blocked());
                loads();
                let at = truncated_file();
                assert_eq!(guarded().u64(at), Err(Fault { at, kind: FaultKind::Bus }));
                drop(admitted);
                assert_eq!((is_blocked(SIGSEGV), is_blocked(SIGBUS)), before);
            });
            assert_eq!(ended, Well, "{by:?}, {signals:?}");
        }
    }
}

#[test]
fn a_handlers_own_mask_is_not_in_its_context() {
    let ended = in_handler_with_faults_blocked(Blocker::Itself, &[SIGSEGV], |context| {
        // SAFETY: the context of this handler.
        let admitted = unsafe { signal::admit_faults(context) };
        assert!(admitted.is_none() && signal::faults_blocked());
        bad_load_is_an_error();
    });
    assert_eq!(ended, Killed(SIGSEGV));
}

#[test]
fn asking_the_kernel_helps_whoever_blocked() {
    for by in BLOCKERS {
        let ended = in_handler_with_faults_blocked(by, &[SIGSEGV, SIGBUS], |_| {
            let admitted = signal::admit_faults_now();
            assert!(admitted.is_some());
            loads();
            drop(admitted);
            assert!(is_blocked(SIGSEGV) && is_blocked(SIGBUS));
        });
        assert_eq!(ended, Well, "{by:?}");
    }
}

#[test]
fn nothing_is_admitted_where_nothing_is_blocked_and_other_signals_are_left_alone() {
    let ended = child(|| {
        handle(SIGUSR1, 0, &[], |context| {
            // SAFETY: the context of this handler.
            assert!(unsafe { signal::admit_faults(context) }.is_none());
            assert!(signal::admit_faults_now().is_none());
            assert!(!signal::faults_blocked());
        });
        // The neighbours of SIGBUS (7) and SIGSEGV (11), blocked: no bit is taken for another.
        let neighbours = [libc::SIGABRT, libc::SIGFPE, SIGUSR2, SIGPROF];
        mask(SIG_BLOCK, &neighbours);
        raise(SIGUSR1);
        mask(SIG_BLOCK, &[SIGSEGV]);
        let admitted = signal::admit_faults_now();
        assert!(admitted.is_some() && neighbours.iter().all(|signal| is_blocked(*signal)));
        mask(SIG_UNBLOCK, &[SIGPROF]);
        drop(admitted);
        assert!(is_blocked(SIGSEGV) && !is_blocked(SIGBUS) && !is_blocked(SIGPROF) && is_blocked(SIGUSR2));
    });
    assert_eq!(ended, Well);
}

#[test]
fn in_a_chained_handler_faults_are_blocked_unless_it_says_nodefer_or_admits_them() {
    let chained = |flags, body| {
        child(|| {
            handle(SIGSEGV, flags, &[], body);
            signal::install().unwrap();
            load_that_is_repaired();
            loads();
        })
    };
    // As the kernel would have called it, so no surprise to a handler that was written for that; and fatal for our
    // loads.
    let plain = chained(0, |_| {
        assert!(is_blocked(SIGSEGV) && !is_blocked(SIGBUS));
        loads();
        repair();
    });
    assert_eq!(plain, Killed(SIGSEGV));
    let nodefer = chained(libc::SA_NODEFER, |_| {
        loads();
        repair();
    });
    assert_eq!(nodefer, Well);
    let admitted = chained(0, |context| {
        // SAFETY: the context of this handler, which is that of the fault: nothing was blocked there.
        assert!(unsafe { signal::admit_faults(context) }.is_none());
        let _admitted = signal::admit_faults_now();
        loads();
        repair();
    });
    assert_eq!(admitted, Well);
}

static TICKS: AtomicUsize = AtomicUsize::new(0);

/// What a profiler's handler does: it may have interrupted anything.
fn tick(context: *mut c_void) {
    let errno_before = errno();
    // SAFETY: the context of this handler.
    let _admitted = unsafe { signal::admit_faults(context) };
    loads();
    assert_eq!(errno(), errno_before);
    TICKS.fetch_add(1, Relaxed);
}

#[test]
fn a_profiling_signal_inside_a_chained_handler_walks_too() {
    let ended = child(|| {
        handle(SIGPROF, libc::SA_ONSTACK, &[], tick);
        handle(SIGSEGV, libc::SA_ONSTACK, &[], |_| {
            raise(SIGPROF);
            let admitted = signal::admit_faults_now();
            raise(SIGPROF);
            loads();
            drop(admitted);
            raise(SIGPROF);
            repair();
        });
        signal::install().unwrap();
        load_that_is_repaired();
        assert_eq!(TICKS.load(Relaxed), 3);
        loads();
    });
    assert_eq!(ended, Well);
}

#[test]
fn loads_under_a_storm_of_walking_handlers_are_values_or_errors() {
    let ended = child(|| {
        handle(SIGPROF, libc::SA_ONSTACK | libc::SA_RESTART, &[], tick);
        let reader = guarded();
        // SAFETY: a timer that signals this thread; the process ends soon.
        unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGPROF;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer: libc::timer_t = std::ptr::null_mut();
            assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer), 0);
            let gap = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
            let when = libc::itimerspec { it_interval: gap, it_value: gap };
            assert_eq!(libc::timer_settime(timer, 0, &when, std::ptr::null_mut()), 0);
        }
        let word = 42_u64;
        // As many rounds as it takes until a storm was there.
        let mut round = 0_u64;
        while round < 10_000 || TICKS.load(Relaxed) < 100 {
            let at = Addr::new(round * 8 % 4096);
            assert_eq!(reader.u64(at), Err(Fault { at, kind: FaultKind::Unmapped }));
            assert_eq!(reader.u64(Addr::new(&raw const word as u64)), Ok(42));
            round += 1;
        }
    });
    assert_eq!(ended, Well);
}

//! Who owns SIGSEGV: faulthandler enabled before us or after us, a foreign handler that never chains, and a kernel that does
//! not read for us. One test a process would be needed for each; instead each step of the one test leaves the signals as it
//! found them, and what may die is a forked child.
#![allow(unsafe_code)]

use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{FaultKind, VmError, VmReader};
use sigwalk::signal::{self, Owner};
use sigwalk::walk::{Detail, End, Request, Site, Truncated, Walk};
use sigwalk::walkers;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::{Live, Options};
use std::ffi::c_int;

/// An address at which nothing is ever mapped: the first load of a walk from it fails.
const NOWHERE: Addr = Addr::new(0x1000);

fn walk(live: &Live, walker: &str, tstate: Addr) -> (Walk, Vec<Frame>) {
    let mut frames = [Frame::default(); 64];
    let mut out = FrameBuf::new(&mut frames);
    let request = Request::new(&live.interpreter, tstate, Detail::Line);
    let entry = walkers::named(walker).expect("a registered walker");
    let walk = (entry.live)(&live.readers, &request, &mut out);
    (walk, out.frames().to_vec())
}

/// Whether the walker tells the bad address from a good one: no crash, an error that names it.
fn copes(live: &Live, walker: &str) -> bool {
    let (bad, _) = walk(live, walker, NOWHERE);
    let (good, _) = walk(live, walker, live.tstate().expect("attached"));
    matches!(bad.end, End::Truncated(Truncated::Fault(Site::TstateHead, _))) && good.end == End::Complete
}

/// How a child ends that runs `step`: its exit code (0: `step` said true) or, negative, the signal that ended it.
fn in_child(step: impl FnOnce(&Live) -> bool, live: &Live) -> c_int {
    // SAFETY: the child runs walks, which allocate nothing, and ends; no core file, nothing on the terminal.
    unsafe {
        match libc::fork() {
            0 => {
                let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                libc::setrlimit(libc::RLIMIT_CORE, &none);
                let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
                libc::dup2(null, 2);
                let live = live.reading(VmReader::own());
                libc::_exit(c_int::from(!step(&live)))
            }
            pid => {
                assert!(pid > 0);
                let mut status = 0;
                assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
                if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }
            }
        }
    }
}

fn owners() -> [Owner; 2] {
    [signal::owner(libc::SIGSEGV), signal::owner(libc::SIGBUS)]
}

const ALL_OURS: [Owner; 2] = [Owner::Us, Owner::Us];

/// Ends the process with a code of its own, whatever the fault was.
extern "C" fn never_chains(_: c_int) {
    // SAFETY: async-signal-safe.
    unsafe { libc::_exit(42) }
}

/// Puts a handler for one signal and returns what was there.
fn replace(signal: c_int, action: &libc::sigaction) -> libc::sigaction {
    // SAFETY: valid actions; the kernel writes the old one.
    unsafe {
        let mut before = std::mem::zeroed();
        assert_eq!(libc::sigaction(signal, action, &mut before), 0);
        before
    }
}

fn foreign() -> libc::sigaction {
    // SAFETY: all-zero is a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = never_chains as *const () as usize;
    action
}

/// Blocks a signal in this thread.
fn block(signal: c_int) -> bool {
    // SAFETY: a set of one signal, made here.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) == 0
    }
}

/// From now on the kernel answers process_vm_readv with EPERM, in this process and for ever.
fn forbid_process_vm_readv() {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let mut filter = [
        // The number of the call; if it is this one, the next statement, else the one after.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        libc::sock_filter {
            code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            jt: 0,
            jf: 1,
            k: libc::SYS_process_vm_readv as u32,
        },
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: a valid program, which the kernel copies.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}

#[test]
fn adaptive_survives_whoever_owns_the_fault_signals() {
    sigwalk_embed::initialize(Options::default()).unwrap();
    let live = Live::find().unwrap();
    Python::attach(|py| -> PyResult<()> {
        let faulthandler = py.import("faulthandler")?;
        let end_of = |walker: &'static str| in_child(move |live| copes(live, walker), &live);

        // Ours alone.
        assert_eq!(owners(), ALL_OURS);
        for walker in ["guarded", "adaptive", "syscall", "double", "triple", "chunk-copy"] {
            assert!(copes(&live, walker), "{walker}");
        }

        // faulthandler after us: it takes both signals, and our loads are no longer protected.
        faulthandler.call_method0("enable")?;
        assert_eq!(owners(), [Owner::Other, Owner::Other]);
        assert_eq!(end_of("guarded"), -libc::SIGSEGV, "a guarded load is unprotected");
        assert!(copes(&live, "adaptive") && copes(&live, "syscall"));
        // It gives them back.
        faulthandler.call_method0("disable")?;
        assert_eq!(owners(), ALL_OURS);
        assert!(copes(&live, "adaptive") && copes(&live, "guarded"));

        // faulthandler before us: we are on top, and it still hears of real faults.
        faulthandler.call_method0("enable")?;
        signal::install().unwrap();
        assert_eq!(owners(), ALL_OURS);
        assert!(copes(&live, "adaptive") && copes(&live, "guarded"));
        // Disabled now, it puts back what was there before *it*: for this process that was ours as well.
        faulthandler.call_method0("disable")?;
        assert_eq!(owners(), ALL_OURS);

        // A handler that never chains, on one of the two signals or on both.
        for taken in [&[libc::SIGSEGV][..], &[libc::SIGBUS], &[libc::SIGSEGV, libc::SIGBUS]] {
            let before: Vec<_> = taken.iter().map(|signal| (signal, replace(*signal, &foreign()))).collect();
            assert!(copes(&live, "adaptive") && copes(&live, "syscall"), "{taken:?}");
            if taken.contains(&libc::SIGSEGV) {
                assert_eq!(end_of("guarded"), 42, "the other handler has the last word");
            }
            before.into_iter().for_each(|(signal, action)| _ = replace(*signal, &action));
            assert_eq!(owners(), ALL_OURS);
            assert!(copes(&live, "adaptive") && copes(&live, "guarded"), "given back");
        }

        // A signal that is blocked is not delivered, whoever owns it: the kernel kills.
        for blocked in [libc::SIGSEGV, libc::SIGBUS] {
            let with_blocked =
                |walker: &'static str| in_child(move |live| block(blocked) && copes(live, walker), &live);
            assert_eq!(with_blocked("adaptive"), 0, "{blocked}");
            let killed = if blocked == libc::SIGSEGV { -libc::SIGSEGV } else { 0 };
            assert_eq!(with_blocked("guarded"), killed, "{blocked}");
        }

        // Where the kernel does not read for us, `syscall` makes guarded loads instead, and says why; `adaptive` does not,
        // while they are unprotected.
        let refused = in_child(
            |live| {
                forbid_process_vm_readv();
                live.readers.vm.check() == Err(VmError::Refused)
                    && copes(live, "syscall")
                    && copes(live, "adaptive")
            },
            &live,
        );
        assert_eq!(refused, 0);
        let both = in_child(
            |live| {
                forbid_process_vm_readv();
                replace(libc::SIGSEGV, &foreign());
                let (walk, _) = walk(live, "adaptive", live.tstate().expect("attached"));
                walk.fault().is_some_and(|(_, kind)| kind == FaultKind::Refused)
            },
            &live,
        );
        assert_eq!(both, 0, "neither way is open, and the walk says so");
        Ok(())
    })
    .unwrap();
}

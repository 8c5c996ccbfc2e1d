//! A profiler's signal at every instruction of our fault handler: a debugger single-steps a child from the fault to the
//! return of the handler, and delivers SIGPROF before each instruction. The handler of SIGPROF makes loads that fault
//! themselves.
#![cfg(not(loom))]
#![allow(unsafe_code)]

mod handler;
mod image;

use handler::{BAD, become_child, guarded, handle, shared, wait};
use libc::{SIGPROF, SIGSEGV, SIGSTOP, SIGTRAP, c_int, pid_t, user_regs_struct};
use sigwalk::addr::Addr;
use sigwalk::reader::{Fault, FaultKind, Reader};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

struct Child(pid_t);

impl Child {
    /// Goes on, by one instruction or until it stops, with `signal` (0: none), and waits. Returns what stopped it.
    fn go_on(&self, by: libc::c_uint, signal: c_int) -> c_int {
        // SAFETY: a stopped child of ours.
        assert_eq!(unsafe { libc::ptrace(by, self.0, 0, signal) }, 0, "ptrace");
        let status = wait(self.0);
        assert!(libc::WIFSTOPPED(status), "the child ended inside: status {status:#x}");
        libc::WSTOPSIG(status)
    }

    fn step(&self, signal: c_int) -> c_int {
        self.go_on(libc::PTRACE_SINGLESTEP, signal)
    }

    fn registers(&self) -> user_regs_struct {
        // SAFETY: the kernel fills plain integers of ours.
        unsafe {
            let mut registers: user_regs_struct = std::mem::zeroed();
            assert_eq!(libc::ptrace(libc::PTRACE_GETREGS, self.0, 0, &mut registers), 0);
            registers
        }
    }
}

#[test]
fn a_walking_handler_may_interrupt_ours_before_any_instruction() {
    let counter: *mut usize = shared();
    // SAFETY: the child leaves by `_exit`.
    let pid = match unsafe { libc::fork() } {
        0 => become_child(|| stepped(counter)),
        pid => pid,
    };
    let child = Child(pid);
    assert_eq!(libc::WSTOPSIG(wait(pid)), SIGSTOP);
    assert_eq!(child.go_on(libc::PTRACE_CONT, 0), SIGSEGV, "the load that faults");
    let load = child.registers();
    let mut instructions = 0;
    let mut pending = SIGSEGV;
    loop {
        // The first step delivers the fault: it ends before the first instruction of our handler.
        assert_eq!(child.step(pending), SIGTRAP);
        pending = 0;
        let here = child.registers();
        // Back on the stack of the load: our handler has returned.
        if here.rsp == load.rsp && instructions > 0 {
            break;
        }
        interrupt(&child, &here);
        instructions += 1;
    }
    // The confirming load faults once more, this time undisturbed.
    assert_eq!(child.go_on(libc::PTRACE_CONT, 0), SIGSEGV);
    // SAFETY: a stopped child of ours.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_CONT, pid, 0, SIGSEGV) }, 0);
    assert_eq!(wait(pid), 0, "the load was an error, and so was each in the handlers");
    // SAFETY: shared with the child, which is gone.
    let handled = unsafe { counter.read_volatile() };
    println!("a signal before each of {instructions} instructions of a recovered fault");
    assert_eq!(handled, instructions);
    assert!(instructions > 30);
}

/// Delivers SIGPROF at `here` and lets its handler run to its end.
fn interrupt(child: &Child, here: &user_regs_struct) {
    // Sent, not passed with the step: the stop before a handler's first instruction takes no signal.
    // SAFETY: to a child of ours, which has one thread.
    assert_eq!(unsafe { libc::kill(child.0, SIGPROF) }, 0);
    assert_eq!(child.step(0), SIGPROF);
    assert_eq!(child.step(SIGPROF), SIGTRAP);
    // Its own faults, then the breakpoint behind its last load.
    let mut stop = child.go_on(libc::PTRACE_CONT, 0);
    let mut faults = 0;
    while stop == SIGSEGV {
        faults += 1;
        stop = child.go_on(libc::PTRACE_CONT, SIGSEGV);
    }
    assert_eq!((stop, faults), (SIGTRAP, 2), "one bad load faults, and is confirmed");
    for _ in 0..1000 {
        let now = child.registers();
        if (now.rip, now.rsp) == (here.rip, here.rsp) {
            return;
        }
        assert_eq!(child.step(0), SIGTRAP);
    }
    panic!("the handler of SIGPROF did not return to where it came from");
}

fn stepped(counter: *mut usize) {
    COUNTER.store(counter, Relaxed);
    let reader = guarded();
    handle(SIGPROF, libc::SA_ONSTACK, &[], |_| {
        bad_and_good_load();
        // SAFETY: the shared word; a breakpoint for the debugger.
        unsafe {
            *COUNTER.load(Relaxed) += 1;
            std::arch::asm!("int3");
        }
    });
    // SAFETY: the parent is the debugger from now on.
    unsafe {
        assert_eq!(libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0), 0);
        libc::raise(SIGSTOP);
    }
    assert_eq!(reader.u64(BAD), Err(Fault { at: BAD, kind: FaultKind::Unmapped }));
}

static COUNTER: AtomicPtr<usize> = AtomicPtr::new(std::ptr::null_mut());

fn bad_and_good_load() {
    let reader = guarded();
    assert_eq!(reader.u64(BAD), Err(Fault { at: BAD, kind: FaultKind::Unmapped }));
    let word = 0x1234_5678_9abc_def0_u64;
    assert_eq!(reader.u64(Addr::new(&raw const word as u64)), Ok(word));
}

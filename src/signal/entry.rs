//! The first instructions of the fault handler: they run before anything is pushed, because there may be no stack to
//! push on.
//!
//! A handler that runs off the low end of the alternate stack faults there. To the kernel such code is not on the
//! alternate stack, so it starts the next handler at the top of that same stack, over the frames of those that have not
//! returned. Where the stack is too small for our handler as well, that goes round for ever; where it is just large
//! enough, a guarded load is recovered into frames that were written over. Both are ended here: the fault gets its
//! default action, happens again when we return, and is fatal. tests/handler_stack.rs shows it for every size.
//!
//! Only a page below the alternate stack that is no guard, but the top of the thread's own stack, could be taken for an
//! overflow; nothing walks in the first page of a stack.
//!
//! # Invariant
//!
//! The kernel enters [`on_fault`] as a handler with SA_SIGINFO: signal in edi, siginfo in rsi, ucontext in rdx, the
//! return address pushed. Until the jump only registers are written that a function may write.
#![allow(unsafe_code)]

use core::arch::naked_asm;
use core::mem::offset_of;
use libc::{c_int, c_void, siginfo_t, stack_t, ucontext_t};

const STACK: usize = offset_of!(ucontext_t, uc_stack);
const REGISTERS: usize = offset_of!(ucontext_t, uc_mcontext) + offset_of!(libc::mcontext_t, gregs);

/// The kernel's `struct sigaction`: handler SIG_DFL, no flags, no restorer, an empty mask.
static DEFAULT: [u64; 4] = [0; 4];

/// What is installed for SIGSEGV and SIGBUS.
///
/// # Signal safety
/// As [`super::handle`]; for an overflow one system call, without stack.
#[unsafe(naked)]
pub(super) extern "C" fn on_fault(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    naked_asm!(
        // The kernel's own rule: the lowest address itself is not on the stack any more.
        "mov rax, qword ptr [rdx + {stack_start}]",
        "sub rax, qword ptr [rdx + {stack_pointer}]",
        "cmp rax, 4096",
        "ja 2f",
        // No alternate stack.
        "cmp qword ptr [rdx + {stack_size}], 0",
        "je 2f",
        // Sent by somebody: no fault of this code.
        "cmp dword ptr [rsi + {si_code}], 0",
        "jle 2f",
        "mov eax, {rt_sigaction}",
        "lea rsi, [rip + {default}]",
        "xor edx, edx",
        "mov r10d, 8",
        "syscall",
        "ret",
        "2: jmp {handle}",
        stack_start = const STACK + offset_of!(stack_t, ss_sp),
        stack_size = const STACK + offset_of!(stack_t, ss_size),
        stack_pointer = const REGISTERS + 8 * libc::REG_RSP as usize,
        si_code = const offset_of!(siginfo_t, si_code),
        rt_sigaction = const libc::SYS_rt_sigaction,
        default = sym DEFAULT,
        handle = sym super::handle,
    )
}

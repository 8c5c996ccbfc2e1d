//! The SIGSEGV and SIGBUS handler behind [`crate::reader::GuardedReader`], and the alternate stack it runs on.
//!
//! A fault whose program counter is in the exception table continues at its fixup. Every other fault goes to the handler
//! that was there before ours (faulthandler, a crash tracker, Rust's stack-overflow handler), as the kernel would have
//! delivered it. No earlier handler is lost and none is called for a fault of ours.
//!
//! Two more things that kill a process although its handler is installed have their own files: a blocked SIGSEGV
//! (`mask.rs`: [`admit_faults`]) and an alternate stack that is too small (`entry.rs`).
//!
//! Known limit: a component that installs itself over us and chains to us, and over which [`install`] is then called again,
//! makes a ring: an unhandled fault goes round in it for ever. Install once, or uninstall first.
//!
//! # Invariant
//!
//! What the handler reads of the earlier handler was published before the handler could run: [`install`] asks for the
//! disposition, publishes it, and only then installs ours. (The old disposition that `sigaction` hands back is too late:
//! another thread may fault before the call has returned; it serves to notice whoever installed itself in between.) The order is
//! [`Handover`]'s, modelled in tests/loom_handover.rs over a kernel of the model's.
#![allow(unsafe_code)]

mod entry;
mod mask;

use entry::on_fault;
pub use mask::{Admitted, admit_faults, admit_faults_now, faults_blocked};

use crate::reader::fixup_for;
use crate::sync::{Disposition, Handover, Trouble};
use core::ptr;
use libc::{c_int, c_void, siginfo_t};

/// Re-installs over distinct earlier handlers that a process may make. Two components that take the signal from each
/// other for ever are a bug that must not become a leak.
const INSTALLS: usize = 32;

static HANDOVERS: [Handover<INSTALLS>; 2] = [Handover::new(), Handover::new()];

const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Proof that [`install`] succeeded in this process.
#[derive(Clone, Copy, Debug)]
pub struct Installed(());

/// Why the handler could not be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallError {
    /// `sigaction` failed with this errno.
    Sigaction(c_int),
    /// More than 32 earlier handlers were replaced in this process.
    TooManyInstalls,
}

impl core::fmt::Display for InstallError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            InstallError::Sigaction(errno) => {
                write!(f, "sigaction for SIGSEGV or SIGBUS failed with errno {errno}")
            }
            InstallError::TooManyInstalls => write!(
                f,
                "the fault handler was installed over {INSTALLS} other handlers already: two components take SIGSEGV from each other"
            ),
        }
    }
}

impl core::error::Error for InstallError {}

/// Who handles a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Our handler.
    Us,
    /// Another component: guarded loads are not protected.
    Other,
}

/// Installs the fault handler for SIGSEGV and SIGBUS, process-wide, on top of whatever is there. Idempotent.
///
/// Not for signal handlers: it takes a lock.
///
/// # Errors
/// The kernel refuses, or too many installs.
pub fn install() -> Result<Installed, InstallError> {
    for (signal, handover) in SIGNALS.into_iter().zip(&HANDOVERS) {
        handover.install(&Kernel(signal)).map_err(|trouble| match trouble {
            Trouble::Kernel(error) => error,
            Trouble::Full => InstallError::TooManyInstalls,
        })?;
    }
    Ok(Installed(()))
}

/// The kernel's disposition of a signal.
struct Kernel(c_int);

impl Kernel {
    fn replace(&self, action: Option<&libc::sigaction>) -> Result<[u64; 3], InstallError> {
        let replaced = sigaction(self.0, action)?;
        Ok([replaced.sa_sigaction as u64, u64::from(replaced.sa_flags as u32), mask::word(&replaced.sa_mask)])
    }
}

impl Disposition for Kernel {
    type Error = InstallError;

    fn ask(&self) -> Result<[u64; 3], InstallError> {
        self.replace(None)
    }

    fn install_ours(&self) -> Result<[u64; 3], InstallError> {
        let mut ours = default_action();
        ours.sa_sigaction = on_fault as *const () as usize;
        // SA_NODEFER: a chained handler (faulthandler, a crash tracker) may walk with guarded loads itself; with the signal
        // blocked, the kernel would kill the process at the first bad load (bpo-23836 is the same trap).
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        self.replace(Some(&ours))
    }

    fn put_back(&self, [handler, flags, mask]: [u64; 3]) -> Result<[u64; 3], InstallError> {
        let mut action = default_action();
        action.sa_sigaction = handler as usize;
        action.sa_flags = flags as u32 as c_int;
        action.sa_mask = mask::set(mask);
        self.replace(Some(&action))
    }

    fn is_ours(&self, [handler, ..]: &[u64; 3]) -> bool {
        *handler == on_fault as *const () as u64
    }
}

/// Puts the earlier handlers back where ours is still installed; a signal that another component took over since is left
/// alone. Not for signal handlers: it takes a lock.
///
/// # Safety
///
/// No guarded load may run from now on, in any thread, until [`install`] succeeds again.
pub unsafe fn uninstall() {
    for (signal, handover) in SIGNALS.into_iter().zip(&HANDOVERS) {
        // Of a signal that we own, and in its own words, the kernel refuses nothing.
        let _ = handover.uninstall(&Kernel(signal));
    }
}

/// Who owns `signal` (SIGSEGV or SIGBUS) now. One system call, 141 ns: once a walk at most, never once a load.
///
/// # Signal safety
/// `sigaction` is on POSIX's list.
#[must_use]
pub fn owner(signal: c_int) -> Owner {
    match sigaction(signal, None) {
        Ok(action) if action.sa_sigaction == on_fault as *const () as usize => Owner::Us,
        _ => Owner::Other,
    }
}

/// Whether a bad guarded load of the calling thread would be recovered now: our handler owns SIGSEGV and SIGBUS, and neither is
/// blocked. Another component may have taken a signal over since [`install`], and guarded loads do not ask. So a sampler asks
/// once in each entry of its handler, and where the answer is no, makes no walk with guarded loads; or it walks by `adaptive`,
/// which asks itself and reads through the kernel then. Three system calls: never once a load.
///
/// A component that takes a signal over after the answer is noticed by the next question.
///
/// # Signal safety
/// `sigaction` and `pthread_sigmask` are on POSIX's list; errno is kept.
#[must_use]
pub fn protected() -> bool {
    SIGNALS.into_iter().all(|signal| owner(signal) == Owner::Us) && !faults_blocked()
}

/// An action with every field zero: the default one, without flags, with an empty mask.
fn default_action() -> libc::sigaction {
    // SAFETY: plain integers, for which all-zero is valid.
    unsafe { core::mem::zeroed() }
}

/// Asks for a signal's disposition, and replaces it where an action is given; what it was.
fn sigaction(signal: c_int, action: Option<&libc::sigaction>) -> Result<libc::sigaction, InstallError> {
    let mut before = default_action();
    // SAFETY: the action is null or valid: our handler, which has the right signature, or what the kernel said before. The kernel
    // fills `before`.
    match unsafe { libc::sigaction(signal, action.map_or(ptr::null(), ptr::from_ref), &mut before) } {
        0 => Ok(before),
        _ => Err(InstallError::Sigaction(errno())),
    }
}

fn errno() -> c_int {
    // SAFETY: the address of the calling thread's errno.
    unsafe { *libc::__errno_location() }
}

/// # Signal safety
/// Reads the saved context and a constant table; for faults that are not ours, what the chained handler does.
extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a SA_SIGINFO handler a valid siginfo and ucontext, ours until we return.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        // si_code > 0: raised by the kernel for this instruction. A SIGSEGV sent by kill() has a pc too, and must not
        // be mistaken for a fault of the load that it happened to interrupt.
        if (*info).si_code > 0
            && let Some((fixup, wants_signal)) = fixup_for(registers[libc::REG_RIP as usize] as u64)
        {
            registers[libc::REG_RIP as usize] = fixup as i64;
            if wants_signal {
                registers[libc::REG_RDX as usize] = i64::from(signal);
            }
            return;
        }
        let errno_before = errno();
        chain(signal, info, context);
        *libc::__errno_location() = errno_before;
    }
}

/// The default action from now on.
fn to_default(signal: c_int) {
    let _ = sigaction(signal, Some(&default_action()));
}

/// Hands a fault to the handler that was there before ours.
///
/// # Safety
/// `info` and `context` are the kernel's.
unsafe fn chain(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let index = usize::from(signal == libc::SIGBUS);
    let [handler, flags, mask] = HANDOVERS[index].earlier().unwrap_or_default();
    // SAFETY: see each step; all calls are on POSIX's list of async-signal-safe functions.
    unsafe {
        let synchronous = (*info).si_code > 0;
        match handler as usize {
            // A fault that is ignored would come back for ever: the kernel kills for it, and so do we.
            libc::SIG_IGN if !synchronous => {}
            libc::SIG_DFL | libc::SIG_IGN => {
                to_default(signal);
                // A synchronous fault happens again when we return, with its own address and pc, and is fatal now.
                if !synchronous {
                    libc::raise(signal);
                }
            }
            handler => {
                let flags = flags as u32 as c_int;
                if flags & libc::SA_RESETHAND != 0 {
                    // As the kernel does before it calls such a handler, which may return in order to die.
                    to_default(signal);
                }
                let mut block = mask::set(mask);
                let mut before = mask::set(0);
                if flags & libc::SA_NODEFER == 0 {
                    libc::sigaddset(&mut block, signal);
                }
                libc::pthread_sigmask(libc::SIG_BLOCK, &block, &mut before);
                if flags & libc::SA_SIGINFO == 0 {
                    // SAFETY: a handler installed without SA_SIGINFO has this signature.
                    let function: extern "C" fn(c_int) = core::mem::transmute(handler);
                    function(signal);
                } else {
                    // SAFETY: a handler installed with SA_SIGINFO has this signature.
                    let function: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                        core::mem::transmute(handler);
                    function(signal, info, context);
                }
                libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
            }
        }
    }
}

/// An alternate signal stack for the calling thread, with a guard page below it. The earlier one comes back on drop.
///
/// Threads made by Rust's std have one already (8 KiB); threads made by Python have none, and a fault in deep recursion
/// then has no stack to be handled on.
#[derive(Debug)]
pub struct AltStack {
    mapping: *mut c_void,
    size: usize,
    before: libc::stack_t,
}

impl AltStack {
    /// Maps and installs an alternate stack of 64 KiB, or more where the CPU's vector state asks for it
    /// (`AT_MINSIGSTKSZ`; AVX-512 alone needs 3.5 KiB, AMX 11 KiB: bpo-46968). `None` when the kernel refuses.
    ///
    /// A handler that walks needs `AT_MINSIGSTKSZ` twice (a recovered fault is a signal frame more), 4 KiB for the walk and
    /// 1 KiB for our handler, and each handler that it may be interrupted by or chained to as much again; a walk without
    /// optimisation needs 24 KiB. One with less dies of SIGSEGV, if there is a guard page below it as here.
    #[must_use]
    pub fn install() -> Option<Self> {
        // SAFETY: getauxval reads the auxiliary vector; the mapping is fresh; sigaltstack gets a valid stack_t that
        // stays mapped until drop, which first puts the earlier stack back.
        unsafe {
            let floor = libc::getauxval(libc::AT_MINSIGSTKSZ) as usize;
            let usable = (floor * 2 + (64 << 10)).next_multiple_of(4096);
            let size = usable + 4096;
            let mapping = libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if mapping == libc::MAP_FAILED {
                return None;
            }
            libc::mprotect(mapping, 4096, libc::PROT_NONE);
            let stack = libc::stack_t { ss_sp: mapping.byte_add(4096), ss_flags: 0, ss_size: usable };
            let mut before: libc::stack_t = core::mem::zeroed();
            if libc::sigaltstack(&stack, &mut before) != 0 {
                libc::munmap(mapping, size);
                return None;
            }
            Some(AltStack { mapping, size, before })
        }
    }
}

impl Drop for AltStack {
    fn drop(&mut self) {
        // SAFETY: puts the earlier stack back before unmapping ours; `&mut self` is on the thread that installed it
        // because the raw pointer makes the type !Send.
        unsafe {
            libc::sigaltstack(&self.before, ptr::null_mut());
            libc::munmap(self.mapping, self.size);
        }
    }
}

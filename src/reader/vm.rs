//! Loads by `process_vm_readv`: of this process or of another one, by pid. The kernel answers a bad address with EFAULT,
//! whoever owns SIGSEGV and whatever is blocked, at the price of a system call.
//!
//! One call a load: for readers that ask for little. Walks put a [`super::BlockReader`] in between, which copies whole
//! blocks, many a call.
//!
//! # Invariant
//!
//! The kernel writes only into memory of ours that is handed to it together with its length.
#![allow(unsafe_code)]

use super::{Fault, FaultKind, Reader};
use crate::addr::Addr;
use core::cell::Cell;
use libc::{c_int, iovec, pid_t};

/// Loads of a process through the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmReader {
    pid: pid_t,
}

/// Why the kernel does not read a process for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmError {
    /// There is no such process, or it has exited.
    NoProcess,
    /// EPERM: no right to read that process (another user's, or Yama's ptrace_scope), or a seccomp filter.
    Refused,
    /// ENOSYS: a kernel or a seccomp filter without the call.
    NoCall,
    /// Another errno.
    Other(c_int),
}

impl core::fmt::Display for VmError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            VmError::NoProcess => write!(f, "there is no such process"),
            VmError::Refused => write!(
                f,
                "process_vm_readv is refused (EPERM): another user's process, kernel.yama.ptrace_scope, or a seccomp filter"
            ),
            VmError::NoCall => {
                write!(f, "process_vm_readv does not exist here (ENOSYS): the kernel, or a seccomp filter")
            }
            VmError::Other(errno) => write!(f, "process_vm_readv failed with errno {errno}"),
        }
    }
}

impl core::error::Error for VmError {}

impl VmReader {
    /// A reader of process `pid`, which is not looked at yet: see [`VmReader::check`].
    #[must_use]
    pub const fn new(pid: pid_t) -> Self {
        VmReader { pid }
    }

    /// A reader of the calling process. After a fork it goes on reading the parent.
    #[must_use]
    pub fn own() -> Self {
        // SAFETY: always succeeds.
        VmReader { pid: unsafe { libc::getpid() } }
    }

    /// The process.
    #[must_use]
    pub const fn pid(self) -> pid_t {
        self.pid
    }

    /// Whether the kernel would read that process for us: asked with an address that nobody maps, so that EFAULT is the
    /// good answer.
    ///
    /// # Errors
    /// See [`VmError`].
    pub fn check(self) -> Result<(), VmError> {
        let mut byte = 0_u8;
        let local = iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        match self.transfer(&local, &[remote(Addr::NULL, 1)]) {
            Ok(_) | Err(libc::EFAULT) => Ok(()),
            Err(libc::ESRCH) => Err(VmError::NoProcess),
            Err(libc::EPERM) => Err(VmError::Refused),
            Err(libc::ENOSYS) => Err(VmError::NoCall),
            Err(errno) => Err(VmError::Other(errno)),
        }
    }

    /// Copies blocks of the process, each an address and a length, one after another without gaps into `into`. Returns the
    /// bytes copied: whole blocks, and perhaps a part of the next, whose rest could not be read.
    ///
    /// # Errors
    /// Not even the first byte could be read.
    ///
    /// # Signal safety
    /// One system call; errno is kept.
    pub(super) fn copy(self, blocks: &[[Cell<u64>; 2]], into: &[Cell<u64>]) -> Result<usize, FaultKind> {
        const { assert!(size_of::<[Cell<u64>; 2]>() == size_of::<iovec>() && align_of::<iovec>() == 8) };
        let local = iovec { iov_base: into.as_ptr().cast_mut().cast(), iov_len: size_of_val(into) };
        // SAFETY: an iovec is a pointer and a length, as the pairs are: 16 bytes of any pattern, in this order, and nothing
        // follows the pointer but the kernel, which checks it. `Cell` lets the kernel write into `into`.
        let from = unsafe { core::slice::from_raw_parts(blocks.as_ptr().cast::<iovec>(), blocks.len()) };
        self.transfer(&local, from).map_err(kind)
    }

    fn transfer(self, local: &iovec, from: &[iovec]) -> Result<usize, c_int> {
        // SAFETY: `local` is memory of ours with its length; `from` are numbers, which the kernel checks. The address of
        // errno is the calling thread's.
        unsafe {
            let errno = libc::__errno_location();
            let before = *errno;
            let copied =
                libc::process_vm_readv(self.pid, local, 1, from.as_ptr(), from.len() as libc::c_ulong, 0);
            let failed = core::mem::replace(&mut *errno, before);
            usize::try_from(copied).map_err(|_| failed)
        }
    }

    #[inline]
    fn load<const N: usize>(&self, at: Addr) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.bytes(at, &mut bytes).map(|()| bytes)
    }
}

/// A block of the process as the kernel wants it.
fn remote(at: Addr, len: usize) -> iovec {
    iovec { iov_base: at.get() as *mut libc::c_void, iov_len: len }
}

fn kind(errno: c_int) -> FaultKind {
    match errno {
        libc::EFAULT => FaultKind::Unmapped,
        libc::ESRCH => FaultKind::Gone,
        _ => FaultKind::Refused,
    }
}

impl Reader for VmReader {
    fn u64(&self, at: Addr) -> Result<u64, Fault> {
        self.load(at).map(u64::from_le_bytes)
    }
    fn u32(&self, at: Addr) -> Result<u32, Fault> {
        self.load(at).map(u32::from_le_bytes)
    }
    fn u8(&self, at: Addr) -> Result<u8, Fault> {
        self.load(at).map(u8::from_le_bytes)
    }
    fn bytes(&self, at: Addr, into: &mut [u8]) -> Result<(), Fault> {
        if into.is_empty() {
            return Ok(());
        }
        let local = iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        match self.transfer(&local, &[remote(at, into.len())]) {
            Ok(copied) if copied == into.len() => Ok(()),
            Ok(_) => Err(Fault { at, kind: FaultKind::Unmapped }),
            Err(errno) => Err(Fault { at, kind: kind(errno) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errno() -> c_int {
        std::io::Error::last_os_error().raw_os_error().unwrap()
    }

    #[test]
    fn own_memory_is_read_and_bad_addresses_are_errors_that_keep_errno() {
        let reader = VmReader::own();
        assert_eq!(reader.check(), Ok(()));
        let word = 0x0123_4567_89ab_cdef_u64;
        let at = Addr::new(&raw const word as u64);
        assert_eq!(reader.u64(at), Ok(word));
        assert_eq!(reader.u32(at), Ok(word as u32));
        assert_eq!(reader.u8(at.plus(7)), Ok(1));
        // SAFETY: closing no file sets errno to EBADF and does nothing else.
        unsafe { libc::close(-1) };
        for bad in [0, 8, 1 << 47, 0xdddd_dddd_dddd_dddd, u64::MAX] {
            let at = Addr::new(bad);
            assert_eq!(reader.u64(at), Err(Fault { at, kind: FaultKind::Unmapped }), "{bad:#x}");
        }
        assert_eq!(errno(), libc::EBADF);
    }

    #[test]
    fn a_process_that_is_gone_is_named_so() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as pid_t;
        child.wait().unwrap();
        let reader = VmReader::new(pid);
        assert_eq!(reader.check(), Err(VmError::NoProcess));
        let at = Addr::new(0x1000);
        assert_eq!(reader.u64(at), Err(Fault { at, kind: FaultKind::Gone }));
    }
}

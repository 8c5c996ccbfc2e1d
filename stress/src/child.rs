//! Waiting for a process that a trial forked.
#![allow(unsafe_code)]

/// Waits until the child `pid` has ended. One that died takes this process with it, by the same signal: what killed it is
/// the trial's outcome, and the page tells where.
///
/// # Errors
/// It ended with a code other than 0, or the kernel knows no such child.
pub fn wait(pid: libc::pid_t) -> Result<(), String> {
    let mut status = 0;
    // SAFETY: a child of this process; `status` is written.
    unsafe {
        while libc::waitpid(pid, &raw mut status, 0) != pid {
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::Interrupted {
                return Err(format!("waiting for it: {error}"));
            }
        }
        if libc::WIFSIGNALED(status) {
            libc::signal(libc::WTERMSIG(status), libc::SIG_DFL);
            libc::raise(libc::WTERMSIG(status));
        }
    }
    match libc::WEXITSTATUS(status) {
        0 => Ok(()),
        code => Err(format!("ended with {code}")),
    }
}

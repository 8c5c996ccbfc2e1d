//! Pages that are really taken away, one at a time, under walkers as they are in use: a load that nothing protects is a
//! SIGSEGV, and kills.
//!
//! The walks are made in a child process. It writes what it is about to try to a shared page before each walk, so that a
//! death belongs to a walker and a page; then another child goes on behind it.
//!
//! # Invariant
//!
//! While a page is away, the child does nothing but walk: everything that the walk needs of ours is on the native stack, in
//! the program's own mappings or in the shared page, none of which is ever taken away, and nothing is allocated.
#![allow(unsafe_code)]

mod found;
mod shared;

use super::rows::{Outcome, count, row, show};
use super::sweep::outcome;
use super::{FRAMES, LOADS, Rows};
use found::Page;
use shared::Shared;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::VmReader;
use sigwalk::walk::Request;
use sigwalk::walkers::{Entry, Reads};
use sigwalk_embed::Live;
use sigwalk_embed::outside::Outside;
use sigwalk_record::Mode;

/// A walk that takes so much processor time does not end, seconds: a walk with a page away takes some hundred microseconds, and
/// what else the machine does is not in it.
const HANG: libc::time_t = 1;

/// Ends the process by SIGPROF when it has used so much processor time from now on; 0 calls it off.
fn end_after(seconds: libc::time_t) {
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer = libc::itimerval { it_interval: none, it_value: libc::timeval { tv_sec: seconds, ..none } };
    // SAFETY: sets a timer of this process. It cannot fail.
    unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) };
}

/// What is tried: a walker (index in the answers) without a page.
struct Try {
    walker: usize,
    page: Page,
}

/// Every page that each walker reads is taken away in turn, and the walk compared with its undisturbed answer. Forks; returns in
/// the calling process only.
///
/// # Errors
/// No process, no memory, or the child could not do it.
pub fn on_this_stack(
    live: &Live,
    request: &Request<'_>,
    answers: &[(&'static Entry, Vec<Frame>)],
    rows: &mut Rows,
) -> Result<(), String> {
    let mut tries = Vec::new();
    for (walker, (entry, undisturbed)) in answers.iter().enumerate() {
        let (pages, excluded) = found::by(live, request, entry, undisturbed)?;
        rows.excluded += excluded;
        tries.extend(pages.into_iter().map(|page| Try { walker, page }));
    }
    let shared = Shared::new(answers.len())?;
    let mut next = 0;
    while next < tries.len() {
        // SAFETY: the child walks and ends; it runs no Python, and of ours nothing that another thread may have locked.
        match unsafe { libc::fork() } {
            -1 => return Err(format!("fork: {}", std::io::Error::last_os_error())),
            0 => child(live, request, answers, &tries[next..], &shared),
            pid => match wait(pid)? {
                Ended::Done => break,
                Ended::Died(signal) => {
                    let Some(made) = shared.trying() else {
                        return Err(format!(
                            "the process that takes pages away died of signal {signal} outside of a walk"
                        ));
                    };
                    let Try { walker, page } = &tries[next + made];
                    let outcome = if signal == libc::SIGPROF { Outcome::Hang } else { Outcome::Crash };
                    shared.count(*walker, outcome);
                    let name = answers[*walker].0.name;
                    show(&mut rows.deaths, || format!("{name} died of signal {signal}: {page}"));
                    next += made + 1;
                }
            },
        }
    }
    for (walker, (entry, _)) in answers.iter().enumerate() {
        let mut row = row(entry.name, Mode::Page, 0);
        for outcome in Outcome::ALL {
            count(&mut row, outcome, shared.counted(walker, outcome));
        }
        // A page is one failure, however many loads want it: what matters is that it was away.
        (row.longest, row.failed) = (row.walks, row.walks);
        // A fault of a load in the exception table does not kill.
        row.unprotected = if entry.reads == Reads::Raw { 0 } else { row.crash };
        rows.add(row);
    }
    Ok(())
}

/// Tries all of `tries`, and ends.
fn child(
    live: &Live,
    request: &Request<'_>,
    answers: &[(&'static Entry, Vec<Frame>)],
    tries: &[Try],
    shared: &Shared,
) -> ! {
    // SAFETY: plain calls on this process. A death must be one: no core file, and no handler of the harness for the timer.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::setrlimit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
        libc::signal(libc::SIGPROF, libc::SIG_DFL);
    }
    // Copies on this stack: the originals may share a page with what CPython has on the heap.
    let live = live.reading(VmReader::own());
    let interpreter = live.interpreter;
    let request = Request { interpreter: &interpreter, ..*request };
    let needs_outside = answers.iter().any(|(entry, _)| entry.reads == Reads::Outside);
    let mut outside = if needs_outside { Outside::start(&live).ok() } else { None };
    for (index, Try { walker, page }) in tries.iter().enumerate() {
        let (entry, undisturbed): (&'static Entry, &[Frame]) = (answers[*walker].0, &answers[*walker].1);
        let page = *page;
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        shared.try_next(index);
        end_after(HANG);
        // SAFETY: nothing of ours is on the page (the module's invariant), and it gets its protection back.
        unsafe {
            if libc::mprotect(page.pointer(), found::PAGE as usize, libc::PROT_NONE) != 0 {
                libc::_exit(REFUSED);
            }
        }
        let walk = match (entry.reads, &mut outside) {
            (Reads::Outside, Some(outside)) => outside.walk(entry, LOADS, &request, &mut out).ok(),
            (Reads::Outside, None) => None,
            _ => Some((entry.live)(&live.readers, &request, &mut out)),
        };
        // SAFETY: as above.
        unsafe {
            if libc::mprotect(page.pointer(), found::PAGE as usize, page.protection) != 0 {
                libc::_exit(REFUSED);
            }
        }
        end_after(0);
        shared.between();
        let Some(walk) = walk else {
            // SAFETY: ends this process; the one that walked from outside is gone, or never was.
            unsafe { libc::_exit(REFUSED) }
        };
        shared.count(*walker, outcome(&walk, out.frames(), undisturbed));
    }
    drop(outside);
    // SAFETY: ends this process without destructors, which belong to the other one.
    unsafe { libc::_exit(0) }
}

/// Exit status of a child that could not do it.
const REFUSED: i32 = 3;

enum Ended {
    Done,
    Died(i32),
}

fn wait(pid: libc::pid_t) -> Result<Ended, String> {
    let mut status = 0;
    // SAFETY: a child of this process; `status` is written.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } != pid {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("waiting for the process that takes pages away: {error}"));
        }
    }
    match (libc::WIFSIGNALED(status), libc::WEXITSTATUS(status)) {
        (true, _) => Ok(Ended::Died(libc::WTERMSIG(status))),
        (false, 0) => Ok(Ended::Done),
        (false, code) => Err(format!("the process that takes pages away ended with {code}")),
    }
}

//! How many system calls a walk really makes, by `sigwalk_embed::system_calls`.

use crate::place::Here;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::VmReader;
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::Readers;
use sigwalk_embed::system_calls::{Ended, between_marks, mark};
use std::io;

/// Walks that are counted; all but the first find everything warm.
const WALKS: usize = 3;

/// The number of system calls of each of `walks` runs of `work`, in a forked copy of this process. What `prepare` calls
/// there before is not counted. `work` returns whether it did what it should; it may not allocate or take a lock, since
/// another thread may have held that one when the process was copied.
///
/// # Errors
/// The kernel or a sandbox refuses tracing; `work` returned false or did not come back.
pub fn count<P>(
    walks: usize,
    prepare: impl FnOnce() -> P,
    mut work: impl FnMut(&mut P) -> bool,
) -> io::Result<Vec<u64>> {
    let (pieces, ended) = between_marks(|| {
        let mut prepared = prepare();
        let mut right = true;
        mark();
        for _ in 0..walks {
            right &= work(&mut prepared);
            mark();
        }
        i32::from(!right)
    })?;
    let failed = |what: &str| Err(io::Error::other(what.to_owned()));
    match ended {
        // The first piece is what came before the walks, and the last is their way out.
        Ended::Exit(0) if pieces.len() == walks + 2 => {
            Ok(pieces[1..=walks].iter().map(|calls| calls.len() as u64).collect())
        }
        Ended::Exit(0) => failed("marks were lost"),
        Ended::Exit(_) => failed("the walk was not what it should be"),
        Ended::Signal(_) => failed("the traced walk was killed by a signal"),
    }
}

/// System calls of each of some walks with lines of this stack.
///
/// # Errors
/// As [`count`]; a walk that does not see the whole stack counts as one that failed.
pub fn of_walk(
    here: &Here<'_>,
    live: fn(&Readers, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
) -> io::Result<Vec<u64>> {
    let mut frames = vec![Frame::default(); here.depth as usize + 1];
    let request = Request::new(&here.live.interpreter, here.tstate, Detail::Line);
    // The kernel reads a process by its number, which in the copy is another.
    let prepare = || Readers { vm: VmReader::own(), ..here.live.readers };
    count(WALKS, prepare, |readers| {
        let mut out = FrameBuf::new(&mut frames);
        let walk = live(readers, &request, &mut out);
        walk.end == End::Complete && out.frames().len() as u64 == here.depth
    })
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::depth::Ladder;
    use crate::place::Native;
    use sigwalk::walkers::{Strict, Walker, named};
    use sigwalk_embed::pyo3::Python;
    use sigwalk_embed::{Live, Options};

    fn getpid(times: usize) -> bool {
        // SAFETY: always succeeds.
        (0..times).all(|_| unsafe { libc::syscall(libc::SYS_getpid) } > 0)
    }

    #[test]
    fn every_call_is_counted_once_and_only_between_its_marks() {
        for calls in [0, 1, 7, 100] {
            let counts = count(3, || getpid(5), |_| getpid(calls)).unwrap();
            assert_eq!(counts, [calls as u64; 3]);
        }
        let mut calls = 0;
        let growing = count(
            3,
            || (),
            |()| {
                calls += 2;
                getpid(calls)
            },
        );
        assert_eq!(growing.unwrap(), [2, 4, 6]);
    }

    #[test]
    fn work_that_fails_or_dies_is_no_count() {
        assert_eq!(
            count(1, || (), |()| false).unwrap_err().to_string(),
            "the walk was not what it should be"
        );
        // SAFETY: ends the copy.
        let killed = count(1, || (), |()| unsafe { libc::raise(libc::SIGKILL) } == 0);
        assert_eq!(killed.unwrap_err().to_string(), "the traced walk was killed by a signal");
    }

    /// One call a load: the strict walk loads at least the link, the code and the instruction of every frame.
    #[test]
    fn walks_of_a_real_stack_are_counted() {
        sigwalk_embed::initialize(Options::default()).unwrap();
        Python::attach(|py| {
            let place = Ladder::new(py, Native::new(Live::find().unwrap())).unwrap().place(20).unwrap();
            let guarded = place.at(|here| of_walk(here, named("guarded").unwrap().live)).unwrap().unwrap();
            assert_eq!(guarded, [0; WALKS]);
            let vm = place
                .at(|here| of_walk(here, |readers, request, out| Strict::walk(&readers.vm, request, out)));
            let vm = vm.unwrap().unwrap();
            assert!(vm[0] >= 60 && vm == [vm[0]; WALKS], "{vm:?}");
            // Half of the stack is not the stack.
            let cut = place.at(|here| {
                of_walk(here, |readers, request, out| {
                    let half = Frame::default();
                    let mut half = [half; 10];
                    let _ = out;
                    Strict::walk(&readers.guarded, request, &mut FrameBuf::new(&mut half))
                })
            });
            assert!(cut.unwrap().is_err());
        });
    }
}

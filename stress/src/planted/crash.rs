//! The strict walk that dies in one trial of so many: a change of a crash rate that `report compare` has to find.
//!
//! # Invariant
//! A `RawReader` is made in one place, to load from an address that is never mapped: the process is
//! to die, in a walk, of a real SIGSEGV.
#![allow(unsafe_code)]

use crate::hash;
use sigwalk::addr::Addr;
use sigwalk::frame::FrameBuf;
use sigwalk::reader::{RawReader, Reader};
use sigwalk::walk::{Request, Walk, strict};
use sigwalk::walkers::Walker;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Loads a wild address in one process of `ONE_IN`, in its first walk.
pub struct Crash<const ONE_IN: u64>;

/// The process that was decided about last. A trial is forked from one that has not walked.
static DECIDED: AtomicU64 = AtomicU64::new(0);

/// In the first page, which no process may map.
const WILD: Addr = Addr::new(0x18);

impl<const ONE_IN: u64> Walker for Crash<ONE_IN> {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let process = u64::from(std::process::id());
        if DECIDED.swap(process, Relaxed) != process && drawn(process).is_multiple_of(ONE_IN) {
            // SAFETY: the module's invariant: the load is there to kill.
            let _ = std::hint::black_box(unsafe { RawReader::new() }.u64(WILD));
        }
        strict::walk(reader, request, out)
    }
}

/// Differs from trial to trial, and from run to run of the same campaign: the seed does not decide it, since a pair of
/// trials would then be two views of one draw.
fn drawn(process: u64) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the structure that it is given; async-signal-safe by POSIX.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    hash::mix(hash::mix(now.tv_nsec.cast_unsigned() ^ now.tv_sec.cast_unsigned() << 32) ^ process)
}

#[cfg(test)]
mod tests {
    use super::drawn;

    /// A tenth of the draws, within six standard deviations.
    #[test]
    fn draws_are_as_rare_as_they_are_called() {
        let hits = (0..10_000).filter(|process| drawn(*process).is_multiple_of(10)).count();
        assert!((820..=1180).contains(&hits), "{hits}");
    }
}

//! The page that a trial's process shares with its parent: where it is, what it counted, where it died.
//!
//! # Invariant
//!
//! A `Page` is zero-initialised shared memory that only atomics touch, so that every process may read and write it at
//! any moment, also in a signal handler and also while another process is being killed in the middle of a write.
#![allow(unsafe_code)]

use crate::sample::Samples;
use crate::shared_memory;
use sigwalk::sync::Seqlock;
use sigwalk_record::{Crash, Phase, Tallies};
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, AtomicU64};
use std::sync::atomic::{Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

const NOTE: usize = 1024;

/// Bytes of the mapping.
const SIZE: usize = size_of::<Page>().next_multiple_of(4096);

/// One trial's page. All fields are written by the child, and read by the parent when the child has ended or is late.
#[repr(C)]
pub struct Page {
    /// Phase of the child's main flow, as [`phase_code`].
    pub flow: AtomicU32,
    /// Walks that have begun and not ended.
    pub walking: AtomicI32,
    /// Walking phases that were entered: it moves while a walk does.
    pub steps: AtomicU64,
    /// Walking phase that was entered last.
    pub walk_phase: AtomicU32,
    /// Not 0: CPython runs code of its own, which the oracle does not know. Here, because a walker in a process of its own must
    /// hear of it.
    pub lenient: AtomicU32,
    /// Not 0: a walker in a process of its own is to end.
    pub stop: AtomicU32,
    /// Walks begun.
    pub walks: AtomicU64,
    /// Frames of walks that ended.
    pub frames: AtomicU64,
    /// Instruction boundaries that were stepped.
    pub boundaries: AtomicU64,
    /// Not 0: a tracer is to step whoever stops next.
    pub window: AtomicU32,
    /// Where stepping met no whole stack.
    pub sites: [Site; SITES],
    /// Boundaries that found no room in `sites`.
    pub unlisted: AtomicU64,
    /// Walks that were due and not begun, because the thread was in a walk, or did not run.
    pub missed: AtomicU64,
    /// In the order of [`Tally`].
    pub tallies: [AtomicU64; Tally::COUNT],
    /// Samples of walks, for workloads whose handlers carry them out.
    pub samples: Samples,
    /// Where a process died, in a walk and outside of one: signal and phase, address, program counter. Several processes may share the
    /// page (workload soak: a program that forks), and a parent may look before they have ended: it sees one of them, whole.
    crashes: [Seqlock<3>; 2],
    /// Not 0: the harness failed in the child, the note says why.
    pub failed: AtomicU32,
    note_len: AtomicU32,
    note: [AtomicU8; NOTE],
}

/// Instructions with what was met there that a page holds.
const SITES: usize = 96;

/// User addresses on x86-64 have 47 bits, or 56 with five-level paging.
const PC_BITS: u32 = 56;
const PC: u64 = (1 << PC_BITS) - 1;

/// An instruction and how walks at its boundary ended.
#[repr(C)]
#[derive(Debug)]
pub struct Site {
    /// `tally << 56 | program counter`; 0 = free.
    key: AtomicU64,
    count: AtomicU64,
}

/// What is counted of walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Tally {
    /// Whole, says the walker, and possible, says the oracle.
    Complete,
    /// Cut, says the walker.
    Truncated,
    /// Refused, says the walker.
    Rejected,
    /// Saved from a fault, says the walker.
    RecoveredFault,
    /// Silent: an edge that does not exist.
    Splice,
    /// Silent: a line that cannot be.
    WrongLine,
    /// Silent: true, and cut.
    Prefix,
    /// Silent: frames that were left already.
    Stale,
    /// There was nothing to walk.
    NoThreadState,
}

/// In the order of the variants: names in records, of what stepping lists.
const TALLIES: [(Tally, &str); Tally::COUNT] = [
    (Tally::Complete, "complete"),
    (Tally::Truncated, "truncated"),
    (Tally::Rejected, "rejected"),
    (Tally::RecoveredFault, "fault"),
    (Tally::Splice, "splice"),
    (Tally::WrongLine, "wrong_line"),
    (Tally::Prefix, "prefix"),
    (Tally::Stale, "stale"),
    (Tally::NoThreadState, "no_thread_state"),
];

impl Tally {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// The one with that number.
    #[must_use]
    pub fn of(number: usize) -> Option<Tally> {
        TALLIES.get(number).map(|(tally, _)| *tally)
    }
}

const PHASES: [Phase; 6] =
    [Phase::Setup, Phase::Target, Phase::ThreadList, Phase::ThreadName, Phase::Walk, Phase::Done];

/// A phase as a number that an atomic can hold.
#[must_use]
pub fn phase_code(phase: Phase) -> u32 {
    PHASES.iter().position(|&known| known == phase).unwrap_or_default() as u32
}

/// The phase of a number.
#[must_use]
pub fn phase_of(code: u32) -> Phase {
    PHASES.get(code as usize).copied().unwrap_or(Phase::Setup)
}

impl Page {
    /// A zeroed page, shared with every child that is forked from now on; mapped until [`Page::unmap`].
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn map() -> std::io::Result<&'static Page> {
        // SAFETY: all-zero is a valid Page, which is made of atomics only.
        unsafe { shared_memory::zeroed() }
    }

    /// Unmaps the page from this process. Others that have it keep it.
    ///
    /// # Safety
    /// Nothing in this process uses it any more.
    pub unsafe fn unmap(page: &'static Page) {
        // SAFETY: mapped by `map` with this size; the caller answers for the rest.
        unsafe { libc::munmap(std::ptr::from_ref(page).cast_mut().cast(), SIZE) };
    }

    /// Zeroes the page for the next trial. No child may be using it.
    pub fn reset(&self) {
        for word in [
            &self.flow,
            &self.walk_phase,
            &self.failed,
            &self.stop,
            &self.lenient,
            &self.note_len,
            &self.window,
        ] {
            word.store(0, Relaxed);
        }
        self.walking.store(0, Relaxed);
        let counts = [&self.steps, &self.walks, &self.frames, &self.missed, &self.boundaries, &self.unlisted];
        self.samples.forget();
        self.crashes.iter().for_each(Seqlock::forget);
        for word in counts
            .into_iter()
            .chain(&self.tallies)
            .chain(self.sites.iter().flat_map(|site| [&site.key, &site.count]))
        {
            word.store(0, Relaxed);
        }
    }

    /// Counts one.
    pub fn count(&self, tally: Tally) {
        self.tallies[tally as usize].fetch_add(1, Relaxed);
    }

    /// How often the tally with that number was counted.
    #[must_use]
    pub fn tally(&self, number: usize) -> u64 {
        self.tallies[number].load(Relaxed)
    }

    /// Counts what a walk at the boundary before the instruction at `pc` met. Handler code, by any number of threads.
    pub fn count_at(&self, pc: u64, tally: Tally) {
        let wanted = pc & PC | (tally as u64) << PC_BITS;
        for site in &self.sites {
            let known = match site.key.compare_exchange(0, wanted, Relaxed, Relaxed) {
                Ok(_) => wanted,
                Err(known) => known,
            };
            if known == wanted {
                site.count.fetch_add(1, Relaxed);
                return;
            }
        }
        self.unlisted.fetch_add(1, Relaxed);
    }

    /// What [`Page::count_at`] counted: program counter, what, how often; the most frequent first.
    #[must_use]
    pub fn met(&self) -> Vec<(u64, &'static str, u64)> {
        let mut met: Vec<_> = self
            .sites
            .iter()
            .map(|site| (site.key.load(Relaxed), site.count.load(Relaxed)))
            .take_while(|(key, _)| *key != 0)
            .map(|(key, count)| (key & PC, TALLIES[(key >> PC_BITS) as usize].1, count))
            .collect();
        met.sort_by_key(|&(pc, what, count)| (std::cmp::Reverse(count), pc, what));
        met
    }

    /// The main flow enters `phase`.
    pub fn enter(&self, phase: Phase) {
        self.flow.store(phase_code(phase), Relaxed);
    }

    /// Writes where the process dies. Handler code. Of two that die at the same moment one is kept.
    pub fn record_crash(&self, signal: i32, phase: Phase, address: u64, pc: u64) {
        let what = u64::from(signal as u32) << 32 | u64::from(phase_code(phase));
        self.crashes[usize::from(!phase.is_walking())].try_write([what, address, pc]);
    }

    /// The crash that was recorded, if any: phase, record, program counter. One in a walk comes before one that a program makes on
    /// purpose.
    #[must_use]
    pub fn crash(&self) -> Option<(Phase, Crash, u64)> {
        let [what, address, pc] =
            self.crashes.iter().filter(|crash| crash.writes() > 0).find_map(Seqlock::read)?;
        let signal = (what >> 32) as i32;
        let crash = Crash { signal, address: (address != 0).then(|| format!("{address:#x}")), site: None };
        Some((phase_of(what as u32), crash, pc))
    }

    /// Leaves a note for the parent, cut at 1024 bytes.
    pub fn leave_note(&self, text: &str) {
        let bytes = &text.as_bytes()[..text.len().min(NOTE)];
        for (place, byte) in self.note.iter().zip(bytes) {
            place.store(*byte, Relaxed);
        }
        self.note_len.store(bytes.len() as u32, Release);
    }

    /// The note, if one was left.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let len = (self.note_len.load(Acquire) as usize).min(NOTE);
        let bytes: Vec<u8> = self.note[..len].iter().map(|byte| byte.load(Relaxed)).collect();
        (len > 0).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The counts as a record has them.
    #[must_use]
    pub fn tallies(&self) -> Tallies {
        let get = |tally: Tally| self.tallies[tally as usize].load(Relaxed);
        Tallies {
            complete: get(Tally::Complete),
            truncated: get(Tally::Truncated),
            rejected: get(Tally::Rejected),
            recovered_faults: get(Tally::RecoveredFault),
            splice: get(Tally::Splice),
            wrong_line: get(Tally::WrongLine),
            prefix: get(Tally::Prefix),
            stale: get(Tally::Stale),
            no_thread_state: get(Tally::NoThreadState),
            missed: self.missed.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_in_a_walk_comes_before_one_on_purpose_and_the_last_before_the_first() {
        let page = Page::map().unwrap();
        assert!(page.crash().is_none());
        page.record_crash(libc::SIGABRT, Phase::Target, 0, 1);
        page.record_crash(libc::SIGSEGV, Phase::Target, 0x10, 2);
        let (phase, crash, pc) = page.crash().unwrap();
        assert_eq!((phase, crash.signal, crash.address.as_deref(), pc), (Phase::Target, 11, Some("0x10"), 2));
        page.record_crash(libc::SIGBUS, Phase::ThreadName, 0, 3);
        page.record_crash(libc::SIGABRT, Phase::Target, 0, 4);
        let (phase, crash, pc) = page.crash().unwrap();
        assert_eq!((phase, crash.signal, crash.address, pc), (Phase::ThreadName, 7, None, 3));
        page.reset();
        assert!(page.crash().is_none());
    }
}

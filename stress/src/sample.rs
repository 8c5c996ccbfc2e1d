//! What a handler says of a walk, in four words that a ring on the shared page carries to whoever counts them: the main thread of a
//! trial of `signal`, the parent of a soak.
//!
//! The page counts every walk already. A sample says which thread, how many frames and which stack it was, and by the ring's accounts
//! every one of them is known to be carried or not: a handler that was cut off, or ran twice, shows as a mismatch and makes the trial
//! a harness error.

use crate::page::{Page, Tally};
use sigwalk::frame::Frame;
use sigwalk::sync::{Counts, Ring};
use sigwalk::walk::{End, Truncated};
use std::collections::HashSet;

/// Samples that wait for the consumer: some milliseconds of signals.
const SLOTS: usize = 256;
const WORDS: usize = 4;

/// The ring of a page.
pub type Samples = Ring<SLOTS, WORDS>;

/// One walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The thread pointer: differs between threads that live at the same time, and costs no system call.
    pub thread: u64,
    /// What the walk was counted as.
    pub tally: Tally,
    /// Frames it delivered.
    pub frames: u32,
    /// Why it ended, as [`end_code`].
    pub end: u16,
    /// Hash of the code objects and instructions.
    pub stack: u64,
}

impl Sample {
    /// Of a walk of the calling thread. Handler code.
    pub fn of(tally: Tally, end: End, frames: &[Frame]) -> Sample {
        // FNV over words: one multiplication a frame.
        let stack = frames.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, frame| {
            (hash ^ frame.code.get() ^ u64::from(frame.lasti as u32) << 48).wrapping_mul(0x0100_0000_01b3)
        });
        Sample { thread: this_thread(), tally, frames: frames.len() as u32, end: end_code(end), stack }
    }

    fn words(self) -> [u64; WORDS] {
        let ended = self.tally as u64 | u64::from(self.end) << 16 | u64::from(self.frames) << 32;
        [self.thread, ended, self.stack, self.thread ^ ended ^ self.stack]
    }

    /// `None` for words that no handler of ours wrote.
    fn from_words(words: &[u64]) -> Option<Sample> {
        let &[thread, ended, stack, check] = words else { return None };
        let tally = Tally::of(ended as usize & 0xffff).filter(|_| check == thread ^ ended ^ stack)?;
        Some(Sample { thread, tally, frames: (ended >> 32) as u32, end: (ended >> 16) as u16, stack })
    }
}

fn this_thread() -> u64 {
    thread_local! {
        // Constant initialiser and no destructor: its address is that of the executable's static TLS.
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here) as u64)
}

/// Why a walk ended, as a number: 0 complete, from 1 truncated, from 16 rejected.
fn end_code(end: End) -> u16 {
    match end {
        End::Complete => 0,
        End::Truncated(Truncated::BufferFull) => 1,
        End::Truncated(Truncated::HopBudget) => 2,
        End::Truncated(Truncated::Fault(..)) => 3,
        End::Truncated(Truncated::ChainCut) => 4,
        End::Truncated(Truncated::NoPlace) => 5,
        End::Rejected(why) => 16 + why as u16,
    }
}

/// What one consumer took from a page.
#[derive(Debug, Default)]
pub struct Taken {
    carried: u64,
    tallies: [u64; Tally::COUNT],
    unreadable: u64,
}

impl Taken {
    /// Takes what is there. `each` sees every sample.
    pub fn take(&mut self, page: &Page, mut each: impl FnMut(Sample)) {
        self.carried += page.samples.drain(|words| match Sample::from_words(words) {
            Some(sample) => {
                self.tallies[sample.tally as usize] += 1;
                each(sample);
            }
            None => self.unreadable += 1,
        });
    }

    /// Holds the ring's accounts against what was taken and what the page counted. For the consumer; producers may be running.
    ///
    /// # Errors
    /// They differ.
    pub fn check(&self, page: &Page) -> Result<Counts, String> {
        let counts = page.samples.counts();
        // A walk is counted on the page before its sample is pushed.
        let more = |index: &usize| self.tallies[*index] > page.tally(*index);
        if counts.balanced()
            && counts.consumed == self.carried
            && self.unreadable + counts.refused == 0
            && (0..Tally::COUNT).find(more).is_none()
        {
            return Ok(counts);
        }
        Err(format!("the ring of samples does not add up: {counts:?}, and of these were taken: {self:?}"))
    }
}

/// What the parent of a soak knows of its samples.
#[derive(Debug, Default)]
pub struct Carried {
    taken: Taken,
    stacks: HashSet<u64>,
}

impl Carried {
    /// Takes what is there.
    pub fn take(&mut self, page: &Page) {
        let stacks = &mut self.stacks;
        self.taken.take(page, |sample| {
            stacks.insert(sample.stack);
        });
    }

    /// See [`Taken::check`].
    ///
    /// # Errors
    /// They differ.
    pub fn check(&self, page: &Page) -> Result<Counts, String> {
        self.taken.check(page)
    }

    /// Stacks that differ in a code object or an instruction.
    #[must_use]
    pub fn stacks(&self) -> usize {
        self.stacks.len()
    }
}

/// Pushes a sample. Handler code.
pub fn push(page: &Page, sample: Sample) {
    // What is not carried is counted by the ring.
    let _ = page.samples.push(&sample.words());
}

/// What is said of samples that were not carried, where there are such.
#[must_use]
pub fn not_carried(counts: Counts) -> Option<String> {
    let Counts { produced, overwritten, lost, writing, .. } = counts;
    let missing: Vec<String> =
        [(overwritten, "overwritten before they were read"), (lost, "lost"), (writing, "not finished")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
    (!missing.is_empty()).then(|| format!("of {produced} samples {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk::addr::Addr;
    use sigwalk::walk::Rejected;

    fn frame(code: u64, lasti: i32) -> Frame {
        Frame { code: Addr::new(code), lasti, ..Frame::default() }
    }

    #[test]
    fn a_sample_comes_back_as_it_went_in() {
        for end in [End::Complete, End::Truncated(Truncated::NoPlace), End::Rejected(Rejected::NoCode)] {
            let sample =
                Sample::of(Tally::NoThreadState, end, &[frame(0x7000_1000, 8), frame(0x7000_2000, 2)]);
            assert_eq!(Sample::from_words(&sample.words()), Some(sample));
        }
        let mut words = Sample::of(Tally::Complete, End::Complete, &[]).words();
        assert_eq!(Sample::from_words(&words[..3]), None);
        words[2] ^= 1;
        assert_eq!(Sample::from_words(&words), None, "words of two samples");
    }

    #[test]
    fn stacks_differ_by_code_instruction_and_order() {
        let hash = |frames: &[Frame]| Sample::of(Tally::Complete, End::Complete, frames).stack;
        let (a, b) = (frame(0x7000_1000, 8), frame(0x7000_2000, 2));
        let all = [hash(&[]), hash(&[a]), hash(&[a, b]), hash(&[b, a]), hash(&[frame(0x7000_1000, 10)])];
        assert_eq!(HashSet::from(all).len(), all.len());
    }

    #[test]
    fn a_sample_that_is_counted_nowhere_else_does_not_add_up() {
        let page = Page::map().unwrap();
        let mut taken = Taken::default();
        page.count(Tally::Complete);
        push(page, Sample::of(Tally::Complete, End::Complete, &[]));
        taken.take(page, |_| {});
        assert_eq!(taken.check(page).unwrap().consumed, 1);
        push(page, Sample::of(Tally::Complete, End::Complete, &[]));
        taken.take(page, |_| {});
        assert!(taken.check(page).unwrap_err().contains("does not add up"), "it was no walk");
    }

    #[test]
    fn a_sample_that_another_one_took_does_not_add_up() {
        let page = Page::map().unwrap();
        page.count(Tally::Complete);
        push(page, Sample::of(Tally::Complete, End::Complete, &[]));
        page.samples.drain(|_| {});
        assert!(Taken::default().check(page).is_err());
    }

    #[test]
    fn overwritten_samples_are_said_and_add_up() {
        let page = Page::map().unwrap();
        for _ in 0..SLOTS + 3 {
            page.count(Tally::Stale);
            push(page, Sample::of(Tally::Stale, End::Complete, &[]));
        }
        let mut taken = Taken::default();
        taken.take(page, |_| {});
        let counts = taken.check(page).unwrap();
        assert_eq!(counts.consumed, SLOTS as u64);
        assert_eq!(not_carried(counts).unwrap(), "of 259 samples 3 overwritten before they were read");
        page.reset();
        assert_eq!(page.samples.counts(), Counts::default());
        assert_eq!(not_carried(Counts::default()), None);
    }
}

//! Samples out of a signal handler: several threads and nested handlers produce, one consumer takes.
//!
//! **Nobody waits.** A handler may interrupt a producer on its own thread, which then goes on only when the handler has returned: a
//! producer that waited for another one would wait for itself. So a slot has a state of its own, as in Vyukov's bounded queue
//! (each slot with a sequence number), but no order between slots is kept up: there, a producer that has stopped half-way stops the
//! consumer at its slot, and the whole ring behind it. Here a ticket names the slot to begin with, a slot that somebody is writing is
//! passed over, and the consumer takes whatever is whole, the oldest slot first.
//!
//! **The newest is carried.** A slot that nobody has taken yet is overwritten, since the last samples before a crash are those that
//! are asked for, and a consumer that has ended must not stop a program. The consumer takes a record by the same word by which a
//! producer claims its slot, so exactly one of them has it.
//!
//! **The accounts are exact.** The state of a slot, how often it was written and how many of these were overwritten are one word,
//! changed by one compare-exchange: no thread can end between the deed and the count. At any moment, and for the consumer without
//! anybody standing still, `produced = consumed + overwritten + lost + waiting + writing` ([`Counts::balanced`]).
//!
//! **A producer that never comes back** (its thread was cancelled, its process killed, or it was forked away in the midst) leaves one
//! slot that is being written for ever. It is never taken and never written by anybody else (the producer might come back), is
//! counted as `writing`, and the ring goes on with one slot less. With [`TRIES`] such slots in a row, every sample that begins there
//! is lost, and counted.
//!
//! # Orderings
//!
//! Publishing is a Release store, and taking begins with an Acquire load: the words of a whole record are seen. Nothing else would
//! need an order if slots were not used again. The consumer reads words that a producer may be overwriting; its compare-exchange
//! then fails, because a claim has changed the state, and what it read is thrown away. Where the exchange succeeds, every later claim
//! acquires what it released: the words of the next record are stored after they were read. (The last sentence is argued and not
//! modelled: in loom no load sees a store that is yet to come.)

use super::atomics::{AtomicU64, Ordering, array_of, constructor};

/// Slots that a sample tries before it is lost: bounds a producer's steps.
const TRIES: usize = 4;

/// A slot's word: its phase in the low bits, then how many of its records were overwritten, then how often it was written.
///
/// Both counts come round at 2³¹, and the accounts with them: with 64 slots and 100 000 samples a second after two weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State(u64);

/// A slot without a record, one that somebody writes, one with a record that nobody has taken.
const EMPTY: u64 = 0;
const WRITING: u64 = 1;
const FULL: u64 = 2;
const PHASE: u64 = 3;
const OVERWRITTEN: u32 = 2;
const WRITES: u32 = 33;
const COUNT: u64 = (1 << 31) - 1;

impl State {
    const fn phase(self) -> u64 {
        self.0 & PHASE
    }

    const fn writes(self) -> u64 {
        self.0 >> WRITES
    }

    const fn overwritten(self) -> u64 {
        self.0 >> OVERWRITTEN & COUNT
    }

    const fn of(phase: u64, overwritten: u64, writes: u64) -> State {
        State(phase | (overwritten & COUNT) << OVERWRITTEN | writes << WRITES)
    }

    /// Being written by us; `None` while somebody else does that.
    const fn claimed(self) -> Option<State> {
        match self.phase() {
            WRITING => None,
            phase => Some(State::of(
                WRITING,
                self.overwritten() + (phase == FULL) as u64,
                self.writes().wrapping_add(1),
            )),
        }
    }

    const fn now(self, phase: u64) -> State {
        State(self.0 & !PHASE | phase)
    }
}

#[derive(Debug)]
#[repr(C)]
struct Slot<const WORDS: usize> {
    state: AtomicU64,
    length: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> Slot<WORDS> {
    #[inline(always)]
    fn try_write(&self, record: &[u64]) -> bool {
        let seen = State(self.state.load(Ordering::Relaxed));
        let Some(ours) = seen.claimed() else { return false };
        // Acquire: after the consumer's loads of the record that was here.
        if self.state.compare_exchange(seen.0, ours.0, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        self.length.store(record.len() as u64, Ordering::Relaxed);
        for (place, word) in self.words.iter().zip(record) {
            place.store(*word, Ordering::Relaxed);
        }
        // tests/loom_ring.rs finds the bug when this is Relaxed.
        self.state.store(ours.now(FULL).0, Ordering::Release);
        true
    }

    /// Length and words of the record, where one is whole and nobody overwrites it meanwhile.
    fn take(&self) -> Option<(usize, [u64; WORDS])> {
        let seen = State(self.state.load(Ordering::Acquire));
        if seen.phase() != FULL {
            return None;
        }
        // In shared memory the length is another process's word.
        let length = (self.length.load(Ordering::Relaxed) as usize).min(WORDS);
        let words = core::array::from_fn(|index| self.words[index].load(Ordering::Relaxed));
        self.state
            .compare_exchange(seen.0, seen.now(EMPTY).0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
            .then_some((length, words))
    }
}

/// A ring of `SLOTS` records of up to `WORDS` words each.
///
/// It may be a static, and all-zero memory is an empty one, so it may lie in memory that processes share: then processes of one build.
///
/// ```
/// use sigwalk::sync::Ring;
///
/// static RING: Ring<64, 2> = Ring::new();
/// // In a handler, on any thread:
/// RING.push(&[7, 1]).unwrap();
/// // The consumer, now and then:
/// let mut seen = Vec::new();
/// RING.drain(|record| seen.push(record.to_vec()));
/// assert_eq!(seen, [[7, 1]]);
/// assert!(RING.counts().balanced());
/// ```
#[derive(Debug)]
#[repr(C)]
pub struct Ring<const SLOTS: usize, const WORDS: usize> {
    next: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
    consumed: AtomicU64,
    slots: [Slot<WORDS>; SLOTS],
}

/// Why a sample is not carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCarried {
    /// It has more words than a slot. Counted as refused, and not as produced.
    TooLong,
    /// Somebody was writing each of the slots that were tried. Counted as produced, and as lost.
    Lost,
}

/// The accounts of a [`Ring`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples that got a slot, and those that were lost.
    pub produced: u64,
    /// Taken by the consumer.
    pub consumed: u64,
    /// Replaced by a later one before the consumer came.
    pub overwritten: u64,
    /// Without a slot.
    pub lost: u64,
    /// Longer than a slot, and in no other count.
    pub refused: u64,
    /// In a slot, to be taken.
    pub waiting: u64,
    /// Slots that a producer writes now. Those that remain when no producer runs were left by producers that never came back.
    pub writing: u64,
}

impl Counts {
    /// Whether every sample is accounted for, exactly once. Asked by the consumer it holds at any moment, whatever producers do
    /// meanwhile; asked by others, when the consumer stands still.
    ///
    /// # Signal safety
    /// Arithmetic.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.produced == self.consumed + self.not_consumed()
    }

    /// Samples that are not consumed, for whatever reason.
    ///
    /// # Signal safety
    /// Arithmetic.
    #[must_use]
    pub fn not_consumed(&self) -> u64 {
        self.overwritten + self.lost + self.waiting + self.writing
    }
}

impl<const SLOTS: usize, const WORDS: usize> Ring<SLOTS, WORDS> {
    constructor! {
        /// An empty ring.
        pub fn new() -> Self {
            const { assert!(SLOTS > 0, "a ring has a slot") };
            Ring {
                next: AtomicU64::new(0),
                lost: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                consumed: AtomicU64::new(0),
                slots: array_of![
                    Slot {
                        state: AtomicU64::new(0),
                        length: AtomicU64::new(0),
                        words: array_of![AtomicU64::new(0); WORDS],
                    };
                    SLOTS
                ],
            }
        }
    }

    /// Carries `record`, and overwrites the oldest one where no slot is free.
    ///
    /// # Errors
    /// It is not carried, and counted.
    ///
    /// # Signal safety
    /// Atomic operations on the ring alone; at most four tries of one slot each, and no wait for anybody: from any thread, and from a
    /// handler that interrupted another call of this, or the consumer. No panic.
    pub fn push(&self, record: &[u64]) -> Result<(), NotCarried> {
        if record.len() > WORDS {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(NotCarried::TooLong);
        }
        for _ in 0..const { if SLOTS < TRIES { SLOTS } else { TRIES } } {
            let ticket = self.next.fetch_add(1, Ordering::Relaxed);
            if self.slots[(ticket % SLOTS as u64) as usize].try_write(record) {
                return Ok(());
            }
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        Err(NotCarried::Lost)
    }

    /// Hands each record that is there to `each` and takes it out, the oldest slot first; how many they were. A record that is
    /// overwritten meanwhile is passed over. One consumer: a second one would take records from the first, and none twice, but the
    /// accounts are exact for one only.
    ///
    /// # Signal safety
    /// Atomic operations on the ring alone, one pass over its slots; `each` is the caller's.
    pub fn drain(&self, mut each: impl FnMut(&[u64])) -> u64 {
        let oldest = self.next.load(Ordering::Relaxed);
        let mut taken = 0;
        for index in 0..SLOTS as u64 {
            let slot = &self.slots[(oldest.wrapping_add(index) % SLOTS as u64) as usize];
            if let Some((length, words)) = slot.take() {
                self.consumed.fetch_add(1, Ordering::Relaxed);
                taken += 1;
                each(&words[..length]);
            }
        }
        taken
    }

    /// As if nothing had ever been pushed. Nobody may be using it: for shared memory that is used again.
    ///
    /// # Signal safety
    /// Stores only.
    pub fn forget(&self) {
        let slots = self.slots.iter().flat_map(|slot| slot.words.iter().chain([&slot.length, &slot.state]));
        for word in slots.chain([&self.next, &self.lost, &self.refused, &self.consumed]) {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// What became of everything that was pushed.
    ///
    /// # Signal safety
    /// Loads only.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let lost = self.lost.load(Ordering::Relaxed);
        let mut counts = Counts {
            produced: lost,
            lost,
            consumed: self.consumed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            ..Counts::default()
        };
        for slot in &self.slots {
            let state = State(slot.state.load(Ordering::Relaxed));
            counts.produced += state.writes();
            counts.overwritten += state.overwritten();
            counts.waiting += u64::from(state.phase() == FULL);
            counts.writing += u64::from(state.phase() == WRITING);
        }
        counts
    }
}

impl<const SLOTS: usize, const WORDS: usize> Default for Ring<SLOTS, WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

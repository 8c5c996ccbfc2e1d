//! The lock-free pieces, over `core` or, under `cfg(loom)`, over loom's model of it.
//!
//! | type | carries |
//! |---|---|
//! | [`Published`] | the last of a few entries, to handlers |
//! | [`Seqlock`] | a few words that anybody replaces, to anybody |
//! | [`Kept`] | the first words that anybody left, to who asks later |
//! | [`Ring`] | samples, from handlers to one consumer |
//! | [`Handover`] | who handled a signal before us, to our handler |
//!
//! loom does not model a signal on the same thread: the models (tests/loom_*.rs) run the handler as a second thread, which shows
//! the orderings between threads and nothing about re-entry. That is shown by interruption: of the ring's producer before each of its
//! operations (unit tests here) and before each of its instructions (tests/ring_every_instruction.rs).

mod atomics;
mod handover;
mod kept;
mod published;
mod ring;
mod seqlock;

#[cfg(loom)]
pub use atomics::watched::planted;
pub use handover::{Disposition, Handover, Trouble};
pub use kept::Kept;
pub use published::{Full, Published, WORDS};
pub use ring::{Counts, NotCarried, Ring};
pub use seqlock::Seqlock;

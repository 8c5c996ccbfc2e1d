//! `stress coexist`: what becomes of walks when another component owns signals, too.
//!
//! Every trial is a process that is forked from one with Python. In it another component and we are installed, in one order or the
//! other; a signal comes while a real Python stack stands in native code; its handler makes a bad address in one of the frames,
//! walks, takes it back, and walks again at the next signal. Then we are uninstalled.
//!
//! What an integrator is to do, and what [`samplers::ALL`] does where it is `ours`: ask [`sigwalk::signal::protected`] once in each
//! entry of the handler, and make no walk with guarded loads where the answer is no. The other rows are shown for comparison.
//!
//! | file | does |
//! |---|---|
//! | [`samplers`] | who walks, by which signal, and whether it asks |
//! | [`component`] | the other components: one row each, a file a family in `components/` |
//! | [`disposition`] | what `sigaction` says of a signal, as plain words |
//! | [`badly`] | bad addresses, and the frame that leads to one |
//! | [`scene`] | the signal's handler, and the native function at the bottom of the stack |
//! | [`reach`] | a genuine bad access, in a process of its own |
//! | [`trial`] | one trial, in its process |
//! | [`shared`] | the page that tells the parent how far it came |
//! | [`judge`] | what a trial's end means, and the row of a cell |
//! | [`run`] | cells, forks, waits |

mod badly;
pub mod component;
mod components;
pub mod disposition;
pub mod judge;
mod reach;
pub mod run;
pub mod samplers;
mod scene;
mod shared;
mod trial;

pub use components::rust_std::remember;

/// Who was installed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// We.
    WeFirst,
    /// The other component.
    TheyFirst,
}

impl Order {
    /// Both.
    pub const ALL: [Order; 2] = [Order::WeFirst, Order::TheyFirst];

    /// The name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Order::WeFirst => "we-first",
            Order::TheyFirst => "they-first",
        }
    }
}

/// A defect of ours, made on purpose: the run has to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Plant {
    /// `guarded` does not ask whether its loads are protected.
    Unasked,
    /// Installing us forgets the handler that was there before.
    Forgets,
}

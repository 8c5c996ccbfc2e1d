//! The statistics of a report. Knows nothing of records: numbers in, numbers out, no state, no clock.

pub mod binomial;
pub mod bootstrap;
#[cfg(test)]
mod coverage;
pub mod paired;

pub use binomial::{Interval, clopper_pearson, zero_event_bound};
pub use bootstrap::{Estimate, Sampler, Term};
pub use paired::{holm, mcnemar};

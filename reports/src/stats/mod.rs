//! The statistics of a report. Knows nothing of records: numbers in, numbers out, no state, no clock.

pub mod binomial;
pub mod bootstrap;
pub mod clustered;
#[cfg(test)]
mod coverage;
pub mod paired;
pub mod permuted;
pub mod unpaired;

pub use binomial::{Interval, clopper_pearson, zero_event_bound};
pub use bootstrap::{Estimate, Sampler, Term, median_of};
pub use paired::{holm, mcnemar, mcnemar_least};
pub use permuted::{Permuted, Stratum, max_t};
pub use unpaired::{fisher, fisher_least, newcombe};

#[cfg(test)]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "found {found:e}, expected {expected:e}");
}

//! What a row of the contract says at a glance.

use super::cell::Count;
use sigwalk_record::Contract;

/// Looks, each in a process of its own.
const LOOKS: u64 = 3;

/// Walks with the most frequent violation.
pub fn worst(row: &Contract) -> Count {
    Count { k: row.violations.values().copied().max().unwrap_or_default(), n: row.walks }
}

/// How processes did not come back: `hang in 3 of 3 processes`.
pub fn lost(row: &Contract) -> impl Iterator<Item = String> {
    row.lost.iter().map(|(how, times)| format!("{how} in {times} of {LOOKS} processes"))
}

//! Walks beside other owners of signals: what a row's counts are called.

use super::cell::Count;
use sigwalk_record::Coexistence;

/// An outcome: name, glyph, and its trials in a row.
type Outcome = (&'static str, &'static str, fn(&Coexistence) -> u64);

/// All outcomes, from the best to the worst.
pub const OUTCOMES: [Outcome; 4] = [
    ("recovers", "✓", |row| row.recovers),
    ("falls back", "↷", |row| row.falls_back),
    ("loses recovery", "◐", |row| row.loses_recovery),
    ("kills", "✕", |row| row.kills),
];

/// Deaths in a row.
pub fn kills(row: &Coexistence) -> Count {
    Count { k: row.kills, n: row.n }
}

/// What our own rows say together; nothing without them. Deaths, and trials in which not all was put back or reached.
pub fn ours(rows: &[Coexistence]) -> Option<(Count, u64)> {
    let ours = || rows.iter().filter(|row| row.ours);
    let sum = |of: fn(&Coexistence) -> u64| ours().map(of).sum::<u64>();
    let kills = Count { k: sum(|row| row.kills), n: sum(|row| row.n) };
    let left_wrong = sum(|row| (row.n - row.kills).saturating_sub(row.restored.min(row.reached)));
    (kills.n > 0).then_some((kills, left_wrong))
}

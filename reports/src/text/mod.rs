//! Text for people: numbers, strings made visible, and `summary.md`.

pub mod compare;
mod heuristics;
pub mod number;
pub mod shell;
mod summary;
mod table;
pub mod visible;
mod walkers;

pub use summary::{LIMITS, summary, target};

/// FNV-1a, 64 bits: stable anchors and seeds out of names. Not for anything an adversary could gain from.
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// An anchor that is unique for the text it was made from and readable where the text is plain.
pub fn anchor(prefix: &str, text: &str) -> String {
    let readable: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '-' }).collect();
    let exact = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    // A slash becomes a dash, so `a/b` and `a-b` would collide: then, and for odd text, a hash keeps them apart.
    if exact && !text.contains('-') && text.len() <= 120 {
        format!("{prefix}-{readable}")
    } else {
        let short: String = readable.chars().take(80).collect();
        format!("{prefix}-{short}-{:08x}", fnv1a(text) >> 32)
    }
}

//! Walkers side by side in the order of the discussion: what is proposed, what is measured against it, its variants, and the
//! baseline. A walker that this list does not know comes behind, by its name.

const KNOWN: [&str; 11] = [
    "pr-b1",
    "pr-b1-hops",
    "cpython-c",
    "guarded",
    "double",
    "triple",
    "syscall",
    "adaptive",
    "remote",
    "chunk-copy",
    "faulthandler",
];

/// What to sort a walker by.
pub fn rank(walker: &str) -> (usize, &str) {
    (KNOWN.iter().position(|known| *known == walker).unwrap_or(KNOWN.len()), walker)
}

/// Each walker once, in order.
pub fn walkers<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut walkers: Vec<&str> = all.collect();
    walkers.sort_unstable_by_key(|walker| rank(walker));
    walkers.dedup();
    walkers
}

#[cfg(test)]
mod tests {
    use super::walkers;

    #[test]
    fn known_ones_in_their_order_then_others_by_name() {
        let all = ["zebra", "guarded", "faulthandler", "pr-b1", "guarded", "aardvark"];
        assert_eq!(walkers(all.into_iter()), ["pr-b1", "guarded", "faulthandler", "aardvark", "zebra"]);
    }
}

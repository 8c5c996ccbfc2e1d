//! Seeds: everything random in a trial follows from one 64-bit number, which follows from the campaign and the round.
//!
//! SplitMix64 (Steele, Lea, Flood 2014), because it is eight lines, stable for ever, and runs in a handler.

/// The next state.
#[must_use]
pub fn next(state: u64) -> u64 {
    state.wrapping_add(0x9e37_79b9_7f4a_7c15)
}

/// The output of a state.
#[must_use]
pub fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Exponentially distributed with that mean, from a state: never 0, and never more than 37 times the mean.
#[must_use]
pub fn exponential(state: u64, mean: u64) -> u64 {
    // Uniform in (0, 1]; −ln of it is exponential with mean 1.
    let uniform = ((mix(state) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    (((-uniform.ln()) * mean as f64) as u64).max(1)
}

/// FNV-1a of a text: the id of a campaign.
#[must_use]
pub fn text(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Seed of the trials of round `round` of the campaign `id`.
#[must_use]
pub fn seed(id: u64, round: u64) -> u64 {
    mix(id ^ mix(next(round)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn splitmix64_has_its_published_values() {
        // First outputs for seed 1234567, from the reference implementation.
        let mut state = 1_234_567_u64;
        let outputs: Vec<u64> = (0..3)
            .map(|_| {
                state = super::next(state);
                super::mix(state)
            })
            .collect();
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn seeds_differ_between_rounds_and_campaigns() {
        let seeds: std::collections::HashSet<u64> =
            (0..100).flat_map(|id| (0..100).map(move |round| super::seed(id, round))).collect();
        assert_eq!(seeds.len(), 10_000);
    }
}

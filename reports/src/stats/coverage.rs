//! Tests: how often the intervals of a report hold what they are to hold.
//!
//! For a proportion that is a finite sum and needs no luck: the chance of every count, over the counts whose interval holds the
//! rate. For medians of processes and batches it is simulated, with fixed seeds, so that the result is the same everywhere.

use super::binomial::ln_term;
use super::{Sampler, Term, clopper_pearson, zero_event_bound};

/// Rates from once in ten thousand to one half.
const RATES: [f64; 9] = [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5];

fn covered(n: u64, p: f64, holds: impl Fn(u64) -> bool) -> f64 {
    // Beyond twelve standard deviations nothing is left that a double would notice.
    let (mean, wide) = (n as f64 * p, 12.0 * (n as f64 * p).sqrt() + 40.0);
    let (from, to) = ((mean - wide).max(0.0) as u64, ((mean + wide) as u64).min(n));
    (from..=to).filter(|k| holds(*k)).map(|k| ln_term(k, n, p).exp()).sum()
}

/// "Exact" means never below the level, at any n and any rate; how far above is what it costs.
#[test]
fn clopper_and_pearson_never_hold_less_than_they_say() {
    for n in [1, 5, 20, 60, 150, 300, 1000, 6000, 30_000] {
        for p in RATES {
            let share = covered(n, p, |k| {
                let found = clopper_pearson(k, n);
                found.low <= p && p <= found.high
            });
            assert!((0.95 - 1e-9..=1.0 + 1e-9).contains(&share), "n {n}, p {p}: {share}");
        }
    }
}

/// Wilson's interval, which is not used here, holds a rate of 0.17 expected events only where there was none: in 84 of 100. So the
/// sum above can fail.
#[test]
fn the_sum_tells_an_interval_that_holds_too_little() {
    let (n, p) = (1000, 0.00017);
    let wilson = covered(n, p, |k| {
        let (z, rate, n) = (1.959_963_984_540_054_f64, k as f64 / n as f64, n as f64);
        let centre = (rate + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt();
        (centre - half..=centre + half).contains(&p)
    });
    assert!((0.83..0.85).contains(&wilson), "{wilson}");
}

/// A bound that is printed after zero events is passed by a true rate in one campaign of twenty at most: a rate above the bound
/// would have shown an event in 95 of 100.
#[test]
fn the_bound_after_zero_events_is_one_sided() {
    for n in [1, 60, 300, 6000, 1_000_000] {
        let silent = (1.0 - zero_event_bound(n)).powi(n as i32);
        assert!((silent - 0.05).abs() < 1e-6, "n {n}: {silent}");
    }
}

/// Log-normal processes and, within each, skewed batches with an outlier now and then: what timings on a busy machine look like.
fn groups(sampler: &mut Sampler, typical: f64, processes: usize) -> Vec<Vec<f64>> {
    let mut process = || {
        let own = typical * (0.05 * sampler.normal()).exp();
        let mut batch = || {
            let outlier = if sampler.uniform() < 0.05 { 1.5 } else { 1.0 };
            own * (0.03 * sampler.normal()).exp() * outlier
        };
        (0..10).map(|_| batch()).collect()
    };
    (0..processes).map(|_| process()).collect()
}

/// In how many of 100 the interval of a ratio holds the true one.
fn ratios_held(processes: usize) -> u32 {
    let mut machine = Sampler::named("machine");
    let held = |i: u32| {
        let (above, below) = (groups(&mut machine, 3.0, processes), groups(&mut machine, 2.0, processes));
        let found = Sampler::named(&format!("coverage {i}"))
            .ratio(&[Term::one(&above)], &[Term::one(&below)])
            .expect("positive");
        u32::from(found.interval.low <= 1.5 && 1.5 <= found.interval.high)
    };
    (0..100).map(held).sum::<u32>()
}

#[test]
fn ratios_of_medians_hold_the_true_ratio() {
    // Of 400 each, once: 375 with 5 processes, 379 with 10, 386 with 15. A percentile bootstrap of few is known to be narrow.
    for (processes, least) in [(5, 88), (10, 88)] {
        let held = ratios_held(processes);
        assert!(held >= least, "{processes} processes: {held} of 100");
    }
}

//! Exact bounds of a proportion.
//!
//! Clopper–Pearson by definition: the limits are the `p` at which the observed count has a tail of 2.5 %. The tail is
//! summed relative to its first term, whose logarithm is computed directly (the naive sum is wrong as soon as `(1−p)^n`
//! is not representable, and a campaign of 10⁹ trials gets there), and `ln p` is found by bisection, which cannot
//! diverge and needs no inverse of the incomplete beta function.

/// A two-sided interval, or a single number when both ends are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// Tail on each side of a two-sided 95 % interval.
const TAIL: f64 = 0.025;

/// Two-sided 95 % Clopper–Pearson interval of `k` events in `n` trials. Without trials it is `[0, 1]`.
///
/// # Panics
/// When `k > n`.
pub fn clopper_pearson(k: u64, n: u64) -> Interval {
    assert!(k <= n, "{k} events in {n} trials");
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    // Both limits of k/n are the mirrored limits of (n−k)/n, so that only the rarer event is ever summed.
    if k > n - k {
        let mirrored = clopper_pearson(n - k, n);
        return Interval { low: 1.0 - mirrored.high, high: 1.0 - mirrored.low };
    }
    if k == 0 {
        return Interval { low: 0.0, high: -(TAIL.ln() / n as f64).exp_m1() };
    }
    // P(X ≥ k) rises with p, P(X ≤ k) falls with it.
    let low = bisect(n, |p| !exceeds(Side::Upper, k, n, p));
    let high = bisect(n, |p| exceeds(Side::Lower, k, n, p));
    Interval { low, high }
}

/// One-sided 95 % upper bound after zero events in `n` trials: `1 − 0.05^(1/n)`. Without trials it is 1.
pub fn zero_event_bound(n: u64) -> f64 {
    if n == 0 { 1.0 } else { -(0.05_f64.ln() / n as f64).exp_m1() }
}

/// The `p` at which `below` turns from true to false.
fn bisect(n: u64, below: impl Fn(f64) -> bool) -> f64 {
    // The lowest limit that can occur is that of k = 1, about 0.0253/n.
    let (mut low, mut high) = ((1e-3 / n as f64).ln(), 0.0_f64);
    // 60 halvings of at most 30 e-folds: below the last digit of a double.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle.exp()) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high).exp()
}

/// Which tail of the distribution.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    /// P(X ≤ k)
    Lower,
    /// P(X ≥ k)
    Upper,
}

/// Whether the tail from `k` outwards holds more than 2.5 %.
fn exceeds(side: Side, k: u64, n: u64, p: f64) -> bool {
    let mean = n as f64 * p;
    // On the far side of the mean a tail holds the median, hence at least one half.
    if (side == Side::Lower && k as f64 >= mean) || (side == Side::Upper && k as f64 <= mean) {
        return true;
    }
    // Here terms only shrink outwards: they are summed relative to the first, whose logarithm is known exactly, until
    // they no longer change the sum. That is a handful of standard deviations, not k terms.
    let odds = p / (1.0 - p);
    let (mut sum, mut term, mut i) = (1.0_f64, 1.0_f64, k);
    loop {
        term *= match side {
            Side::Lower if i == 0 => break,
            Side::Lower => {
                i -= 1;
                (i + 1) as f64 / (n - i) as f64 / odds
            }
            Side::Upper if i == n => break,
            Side::Upper => {
                i += 1;
                (n - i + 1) as f64 / i as f64 * odds
            }
        };
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    ln_term(k, n, p) + sum.ln() > TAIL.ln()
}

/// `ln P(X = k)` by Loader's saddle-point form, which loses no digits at any n (a difference of three log-factorials
/// would lose six at n = 10⁹). Needs 0 < p < 1.
pub(super) fn ln_term(k: u64, n: u64, p: f64) -> f64 {
    let (k_, n_, rest) = (k as f64, n as f64, (n - k) as f64);
    if k == 0 {
        return n_ * (-p).ln_1p();
    }
    if k == n {
        return n_ * p.ln();
    }
    stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(k_, n_ * p)
        - deviance(rest, n_ * (1.0 - p))
        + 0.5 * (n_ / (std::f64::consts::TAU * k_ * rest)).ln()
}

/// `ln n! − ln(√(2πn)·(n/e)^n)`.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n < 16 {
        let ln_factorial: f64 = (2..=n).map(|i| (i as f64).ln()).sum();
        return ln_factorial - (x + 0.5) * x.ln() + x - 0.5 * std::f64::consts::TAU.ln();
    }
    let square = x * x;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / x
}

/// `x ln(x/m) + m − x`, by its series where the terms would cancel.
fn deviance(x: f64, m: f64) -> f64 {
    let ratio = (x - m) / (x + m);
    if ratio.abs() >= 0.1 {
        return x * (x / m).ln() + m - x;
    }
    let mut sum = (x - m) * ratio;
    let mut power = 2.0 * x * ratio;
    for j in 1..1000_i32 {
        power *= ratio * ratio;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        let error = if expected == 0.0 { found.abs() } else { (found / expected - 1.0).abs() };
        assert!(error < 1e-7, "found {found:e}, expected {expected:e}");
    }

    /// `scipy.stats.beta.ppf(0.025, k, n-k+1)` and `beta.ppf(0.975, k+1, n-k)`, scipy 1.x.
    #[test]
    fn agrees_with_the_inverse_beta_of_scipy() {
        for (k, n, low, high) in [
            (1, 100, 0.000_253_146_032_977_421, 0.054_459_385_392_080_6),
            (3, 1_000_000_000, 6.186_721_233_228_96e-10, 8.767_273_088_677_56e-9),
            (1, 1_000_000, 2.531_780_766_379_42e-8, 5.571_630_655_166_94e-6),
            (5, 10, 0.187_086_028_447_399, 0.812_913_971_552_601),
            (500, 1000, 0.468_549_172_971_792, 0.531_450_827_028_208),
            (12_345, 10_000_000, 0.001_212_831_182_402_85, 0.001_256_458_412_800_15),
            (250_000, 1_000_000, 0.249_151_535_685_546, 0.250_849_912_596_548),
            (10, 10, 0.691_502_892_181_239, 1.0),
            (99, 100, 0.945_540_614_607_919, 0.999_746_853_967_023),
        ] {
            let found = clopper_pearson(k, n);
            close(found.low, low);
            close(found.high, high);
        }
    }

    #[test]
    fn zero_events_have_a_closed_form() {
        for n in [1_u64, 10, 100, 1_000_000, 1_000_000_000] {
            let found = clopper_pearson(0, n);
            close(found.low, 0.0);
            close(found.high, -(0.025_f64.ln() / n as f64).exp_m1());
        }
        close(clopper_pearson(0, 100).high, 0.036_216_692_645_176_4);
        close(clopper_pearson(0, 1).high, 0.975);
    }

    #[test]
    fn the_one_sided_bound_is_near_three_over_n() {
        close(zero_event_bound(1), 0.95);
        close(zero_event_bound(100), 1.0 - 0.05_f64.powf(0.01));
        close(zero_event_bound(3_000_000) * 3_000_000.0, 2.995_730_777_9);
    }

    #[test]
    fn no_trials_bound_nothing() {
        assert_eq!(clopper_pearson(0, 0), Interval { low: 0.0, high: 1.0 });
        assert!((zero_event_bound(0) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_interval_holds_the_rate_and_narrows() {
        let mut width = f64::INFINITY;
        for n in [10_u64, 100, 1000, 10_000] {
            let found = clopper_pearson(n / 10, n);
            assert!(found.low < 0.1 && 0.1 < found.high);
            assert!(found.high - found.low < width);
            width = found.high - found.low;
        }
    }
}

//! Two proportions that have no trial in common.
//!
//! Fisher's exact test, two-sided as R has it: the sum of the probabilities of all tables, with these margins, that are no
//! likelier than the one seen. And the interval of the difference that goes with no test: Newcombe's hybrid of two Wilson
//! intervals (method 10), which stays inside [−1, 1] and has a width after zero events, too.

use super::binomial::{Interval, ln_term};

/// Two-sided p-value of `a` events in `first` trials against `b` events in `second`.
///
/// # Panics
/// When there are more events than trials.
pub fn fisher(a: u64, first: u64, b: u64, second: u64) -> f64 {
    assert!(a <= first && b <= second, "{a} events in {first} trials, {b} in {second}");
    let tables = Tables::new(first, second, a + b);
    tables.as_unlikely_as(tables.ln_probability(a))
}

/// The smallest p-value that Fisher's test can give with these margins: above the level, it cannot show a difference.
pub fn fisher_least(events: u64, first: u64, second: u64) -> f64 {
    let tables = Tables::new(first, second, events);
    let ends = [tables.ln_probability(tables.least), tables.ln_probability(tables.most)];
    tables.as_unlikely_as(ends[0].min(ends[1]))
}

/// All tables with the same margins, by the number of events in the first sample.
struct Tables {
    first: u64,
    second: u64,
    events: u64,
    least: u64,
    most: u64,
}

impl Tables {
    fn new(first: u64, second: u64, events: u64) -> Self {
        let (least, most) = (events.saturating_sub(second), events.min(first));
        Self { first, second, events, least, most }
    }

    /// Hypergeometric, as a quotient of three binomials with the same p: each is near its largest term there, so no digit is lost.
    fn ln_probability(&self, a: u64) -> f64 {
        let (all, events) = (self.first + self.second, self.events);
        if self.least == self.most {
            return 0.0;
        }
        let p = events as f64 / all as f64;
        ln_term(a, self.first, p) + ln_term(events - a, self.second, p) - ln_term(events, all, p)
    }

    /// The sum of all probabilities that are not above this one. Each tail is walked inwards from its end while it stays below;
    /// where terms are too small for a double, they are nothing.
    fn as_unlikely_as(&self, ln_observed: f64) -> f64 {
        if self.least == self.most {
            return 1.0;
        }
        // A relative 1e-7, as in R: tables that are as likely by symmetry differ in their last digits.
        let limit = ln_observed + 1e-7;
        let below = |a: u64| self.ln_probability(a) <= limit;
        // The distribution has one mode: "not above" holds from either end up to somewhere.
        let mode = self.mode();
        let left = last(self.least, mode, below);
        let right = last(0, self.most - mode, |back| below(self.most - back)).map(|back| self.most - back);
        match (left, right) {
            (Some(left), Some(right)) if right <= left + 1 => 1.0,
            _ => {
                let left = left.map_or(0.0, |from| self.tail(from, false));
                (left + right.map_or(0.0, |from| self.tail(from, true))).min(1.0)
            }
        }
    }

    fn mode(&self) -> u64 {
        let share = (self.first as f64 + 1.0) / (self.first as f64 + self.second as f64 + 2.0);
        (((self.events as f64 + 1.0) * share) as u64).clamp(self.least, self.most)
    }

    /// P(a or further out), relative to the term of `a` until nothing changes any more.
    fn tail(&self, from: u64, upwards: bool) -> f64 {
        let (mut sum, mut term, mut a) = (1.0_f64, 1.0_f64, from);
        loop {
            // (a+1) against a: choose(first, a+1)·choose(second, events−a−1).
            let up = |a: u64| {
                let out = (self.first - a) as f64 * (self.events - a) as f64;
                out / ((a + 1) as f64 * (self.second + a + 1 - self.events) as f64)
            };
            match upwards {
                true if a == self.most => break,
                false if a == self.least => break,
                true => {
                    term *= up(a);
                    a += 1;
                }
                false => {
                    a -= 1;
                    term /= up(a);
                }
            }
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        (self.ln_probability(from) + sum.ln()).exp()
    }
}

/// The last number from `low` to `high` of those, from `low` on, that have the property; `None` when `low` has not.
fn last(low: u64, high: u64, has: impl Fn(u64) -> bool) -> Option<u64> {
    if !has(low) {
        return None;
    }
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if has(middle) { low = middle } else { high = middle - 1 }
    }
    Some(low)
}

/// 95 % interval of `b/second − a/first` by Newcombe's method 10. Without trials on a side it is `[−1, 1]`.
pub fn newcombe(a: u64, first: u64, b: u64, second: u64) -> Interval {
    if first == 0 || second == 0 {
        return Interval { low: -1.0, high: 1.0 };
    }
    let (p, q) = (a as f64 / first as f64, b as f64 / second as f64);
    let (of_p, of_q) = (wilson(a, first), wilson(b, second));
    let difference = q - p;
    Interval {
        low: difference - (q - of_q.low).hypot(of_p.high - p),
        high: difference + (of_q.high - q).hypot(p - of_p.low),
    }
}

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

fn wilson(k: u64, n: u64) -> Interval {
    let (k, n) = (k as f64, n as f64);
    let centre = k + Z * Z / 2.0;
    let half = Z * (k * (n - k) / n + Z * Z / 4.0).sqrt();
    Interval { low: (centre - half) / (n + Z * Z), high: (centre + half) / (n + Z * Z) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    /// Fisher (1935), the lady tasting tea; Agresti, Categorical Data Analysis (2002), table 3.10 (exact, two-sided); and tables that R's
    /// manual of fisher.test gives: Convictions of dizygotic and monozygotic twins, p = 0.0005367.
    #[test]
    fn agrees_with_published_examples() {
        close(fisher(3, 4, 1, 4), 0.485_714_285_714_285_7, 1e-14);
        close(fisher(2, 17, 10, 13), 0.000_536_724_1, 1e-10);
        close(fisher(21, 23, 15, 18), 0.638_4, 1e-4);
    }

    /// All ways to give the events to the trials, counted.
    #[test]
    fn agrees_with_enumeration() {
        for (first, second) in [(1_u64, 1_u64), (3, 5), (6, 6), (4, 9), (1, 10)] {
            let trials = first + second;
            for events in 0..=trials {
                let mut ways = vec![0_u64; first as usize + 1];
                for chosen in 0..1_u64 << trials {
                    if u64::from(chosen.count_ones()) == events {
                        ways[(chosen & ((1 << first) - 1)).count_ones() as usize] += 1;
                    }
                }
                let all: u64 = ways.iter().sum();
                let p_of = |seen: u64| -> f64 {
                    ways.iter().filter(|&&ways| ways <= seen).sum::<u64>() as f64 / all as f64
                };
                let possible: Vec<u64> = (0..=first).filter(|&a| ways[a as usize] > 0).collect();
                for &a in &possible {
                    close(fisher(a, first, events - a, second), p_of(ways[a as usize]), 1e-12);
                }
                let least = possible.iter().map(|&a| p_of(ways[a as usize])).fold(1.0, f64::min);
                close(fisher_least(events, first, second), least, 1e-12);
            }
        }
    }

    #[test]
    fn large_counts_keep_their_digits() {
        // All events on one side of two equal ones: 2·C(n, k)/C(2n, k), which is near 2^(1−k) for k far below n.
        close(fisher(0, 1_000_000_000, 10, 1_000_000_000) / 2.0_f64.powi(-9), 1.0, 1e-6);
        // Near the normal approximation with continuity correction: z = 3 has 0.0027.
        let (n, half) = (2_000_000_u64, 1_000_000_u64);
        let excess = ((3.0 * (0.5_f64 * n as f64).sqrt() + 1.0) / 2.0) as u64;
        close(fisher(half - excess, n, half + excess, n), 0.0027, 3e-5);
        close(fisher(half, n, half, n), 1.0, 0.0);
        assert_eq!(fisher(0, n, n, n), 0.0, "too small for a double, and no NaN");
        assert_eq!(fisher(0, 5, 0, 7), 1.0);
        assert_eq!(fisher(5, 5, 7, 7), 1.0);
        assert_eq!(fisher(0, 0, 3, 9), 1.0);
    }

    /// Newcombe, Statistics in Medicine 17:873 (1998), table II, method 10: contrasts (a) to (h).
    #[test]
    fn agrees_with_newcombe() {
        for (first, second, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            // His difference is the first less the second, ours the second less the first.
            let found = newcombe(second.0, second.1, first.0, first.1);
            close(found.low, low, 5e-5);
            close(found.high, high, 5e-5);
        }
        assert_eq!(newcombe(0, 0, 1, 3), Interval { low: -1.0, high: 1.0 });
    }
}

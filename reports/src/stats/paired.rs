//! Paired yes/no outcomes, and many tests at once.
//!
//! McNemar's test in its exact form: given the number of pairs that differ, each of them is a fair coin under the null
//! hypothesis, so the p-value is a binomial tail. Exact, because the pairs that differ are often few; it never claims more
//! than its level. The mid-p variant is less cautious and exceeds the level now and then: it is not offered.

use super::binomial::ln_term;

/// Two-sided p-value for `b` pairs in which only the first had the event and `c` in which only the second had it.
///
/// Twice the smaller tail of a binomial with `p = ½`, at most 1.
pub fn mcnemar(b: u64, c: u64) -> f64 {
    let (few, n) = (b.min(c), b + c);
    if b == c {
        return 1.0;
    }
    // Below the middle, terms shrink outwards: summed relative to the first, of which the logarithm is known.
    let (mut sum, mut term) = (1.0_f64, 1.0_f64);
    for i in (1..=few).rev() {
        term *= i as f64 / (n - i + 1) as f64;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    (2.0 * (ln_term(few, n, 0.5) + sum.ln()).exp()).min(1.0)
}

/// The smallest p-value that so many pairs that differ can give: above the level, they cannot show a difference.
pub fn mcnemar_least(differ: u64) -> f64 {
    mcnemar(0, differ)
}

/// Holm's step-down adjustment of a family of p-values, in the order given. Rejecting where the result is at most α keeps
/// the chance of any false rejection in the family at α, however the tests depend on each other.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[index]).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    /// Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013), both examples, exact conditional test.
    #[test]
    fn agrees_with_published_examples() {
        close(mcnemar(1, 7), 0.0703, 5e-5);
        close(mcnemar(6, 16), 0.0525, 5e-5);
    }

    /// All outcomes of up to 12 coins, by the definition: those at least as far from the middle as what was seen.
    #[test]
    fn agrees_with_enumeration() {
        for n in 0..=12_u32 {
            for b in 0..=n {
                let c = n - b;
                let as_far =
                    |coins: &u32| coins.count_ones().abs_diff(n - coins.count_ones()) >= b.abs_diff(c);
                let count = (0..1_u32 << n).filter(as_far).count();
                let expected = count as f64 / f64::from(1_u32 << n);
                close(mcnemar(b.into(), c.into()), expected, 1e-12);
            }
        }
    }

    #[test]
    fn large_counts_keep_their_digits() {
        // No pair the other way: 2·2^−n, exactly.
        for n in [1_i32, 50, 900] {
            let expected = 2.0_f64.powi(1 - n);
            close(mcnemar(0, n as u64) / expected, 1.0, 1e-10);
        }
        // Near the normal approximation with continuity correction: z = (|b − c| − 1)/√n = 3 has 0.0027.
        close(mcnemar(500_000 - 1500, 500_000 + 1500), 0.002_700, 3e-5);
        close(mcnemar(1_000_000, 1_000_000), 1.0, 0.0);
        assert_eq!(mcnemar(0, 100_000), 0.0, "too small for a double, and no NaN");
    }

    /// `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")` of R.
    #[test]
    fn holm_agrees_with_r() {
        for (found, expected) in holm(&[0.01, 0.04, 0.03, 0.005]).into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            close(found, expected, 1e-15);
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[0.7, 0.6]), [1.0, 1.0]);
    }
}

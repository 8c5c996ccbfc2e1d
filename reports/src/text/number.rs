//! Numbers as a report prints them.

use crate::model::cell::Count;
use crate::stats::Estimate;

/// An upper bound of a rate: three digits, rounded up, since a bound that is rounded down is none.
pub fn rate(bound: f64) -> String {
    shown(bound, f64::ceil)
}

/// A lower bound of a rate, rounded down.
pub fn rate_low(bound: f64) -> String {
    shown(bound, f64::floor)
}

fn shown(value: f64, round: fn(f64) -> f64) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    // The nudge keeps 2.71 from becoming 2.72 because of a last binary digit.
    let decade = value.log10().floor() as i32;
    let unit = 10_f64.powi(decade - 2);
    let nudge = if round(0.5) > 0.0 { -1e-9 } else { 1e-9 };
    let rounded = round(value / unit + nudge) * unit;
    if rounded >= 0.001 {
        // Rounding may have carried into the next decade.
        let carried = (rounded * (1.0 + 1e-9)).log10().floor() as i32;
        let digits = usize::try_from(-carried).unwrap_or(0).min(3);
        format!("{:.*} %", digits, (rounded * 100.0).min(100.0))
    } else {
        format!("{rounded:.2e}")
    }
}

/// `k/n`, with the two-sided interval, or `0/n ≤ bound` (one-sided).
pub fn count(count: Count) -> String {
    format!("{} {}", fraction(count), limits(count)).trim_end().to_owned()
}

/// `k/n`
pub fn fraction(count: Count) -> String {
    format!("{}/{}", grouped(count.k), grouped(count.n))
}

/// `[low, high]`, or `≤ bound` after zero events, or nothing without trials.
pub fn limits(count: Count) -> String {
    match count {
        Count { n: 0, .. } => String::new(),
        Count { k: 0, .. } => format!("≤ {}", rate(count.bound())),
        _ => {
            let interval = count.interval();
            format!("[{}, {}]", rate_low(interval.low), rate(interval.high))
        }
    }
}

/// A share to the eye: one digit, and never 0 or 100 where it is not.
pub fn percent(count: Count) -> String {
    match count {
        Count { n: 0, .. } => "–".to_owned(),
        Count { k: 0, .. } => "0 %".to_owned(),
        Count { k, n } if k == n => "100 %".to_owned(),
        Count { k, n } => match k as f64 / n as f64 * 100.0 {
            share if share < 0.05 => "<0.1 %".to_owned(),
            share if share >= 99.95 => ">99.9 %".to_owned(),
            share => format!("{share:.1} %"),
        },
    }
}

/// `12 345`, with narrow no-break spaces.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    // Four digits stay together: nobody misreads them.
    if digits.len() <= 4 {
        return digits;
    }
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Three significant digits, without an exponent from 0.001 to 10⁶.
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let decade = value.abs().log10().floor() as i32;
    if !(-3..6).contains(&decade) {
        return format!("{value:.2e}");
    }
    format!("{value:.*}", usize::try_from(2 - decade).unwrap_or(0))
}

/// Three significant digits of a number that may be large: `29 300`.
pub fn rounded(value: f64) -> String {
    if !(1000.0..1e15).contains(&value) {
        return significant(value);
    }
    let unit = 10_f64.powi(value.log10().floor() as i32 - 2);
    grouped(((value / unit).round() * unit).round() as u64)
}

/// `12.3 [11.9, 12.8]`
pub fn estimate(estimate: Estimate) -> String {
    format!(
        "{} [{}, {}]",
        significant(estimate.value),
        significant(estimate.interval.low),
        significant(estimate.interval.high)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_never_rounded_the_wrong_way() {
        assert_eq!(rate(0.027_101), "2.72 %");
        assert_eq!(rate(0.0271), "2.71 %");
        assert_eq!(rate_low(0.027_19), "2.71 %");
        assert_eq!(rate(2.9957e-6), "3.00e-6");
        assert_eq!(rate(0.5314), "53.2 %");
        assert_eq!(rate(1.0), "100 %");
        assert_eq!(rate(0.999_99), "100 %");
        assert_eq!(rate_low(0.0), "0");
    }

    #[test]
    fn nothing_counted_is_said() {
        assert_eq!(count(Count::default()), "0/0");
    }

    #[test]
    fn counts_show_k_n_and_bound() {
        assert_eq!(count(Count { k: 0, n: 300 }), "0/300 ≤ 0.994 %");
        assert_eq!(count(Count { k: 500, n: 1000 }), "500/1000 [46.8 %, 53.2 %]");
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        let shares = [(0, 9), (1, 100_000), (632, 1000), (99_999, 100_000), (9, 9), (0, 0)];
        let shown = shares.map(|(k, n)| percent(Count { k, n }));
        assert_eq!(shown, ["0 %", "<0.1 %", "63.2 %", ">99.9 %", "100 %", "–"]);
    }

    #[test]
    fn large_numbers_keep_three_digits() {
        let shown = [29_268.0, 999_700.0, 12.34, 0.0].map(rounded);
        assert_eq!(shown, ["29\u{202f}300", "1\u{202f}000\u{202f}000", "12.3", "0"]);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(1234), "1234");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(
            (significant(1290.4), significant(1.234), significant(0.0567)),
            ("1290".into(), "1.23".into(), "0.0567".into())
        );
    }
}

//! A share of things that come in groups: uses of a process, which are related.
//!
//! The ratio estimator, linearised: the variance is that of what each group has above its part of the common share, on the logit scale,
//! with Student's quantile. It is never narrower than Clopper and Pearson's interval for things without groups. Where nothing (or
//! everything) happened, groups are all that can be counted: the bound is that of zero groups of so many.

use super::{Interval, clopper_pearson, zero_event_bound};

/// Two-sided 95 % interval of the share, from (events, things) of each group. Without two groups it is `[0, 1]`.
pub fn interval(groups: &[[u64; 2]]) -> Interval {
    let groups: Vec<[u64; 2]> = groups.iter().copied().filter(|[_, n]| *n > 0).collect();
    let sum = |of: fn(&[u64; 2]) -> u64| groups.iter().map(of).sum::<u64>();
    let (k, n, count) = (sum(|group| group[0]), sum(|group| group[1]), groups.len() as u64);
    if count < 2 {
        return Interval { low: 0.0, high: 1.0 };
    }
    if k == 0 {
        return Interval { low: 0.0, high: zero_event_bound(count) };
    }
    if k >= n {
        return Interval { low: 1.0 - zero_event_bound(count), high: 1.0 };
    }
    let share = k as f64 / n as f64;
    let squares: f64 = groups.iter().map(|[k, n]| (*k as f64 - share * *n as f64).powi(2)).sum();
    let deviation = (squares * count as f64 / (count - 1) as f64).sqrt() / n as f64;
    let logit = (share / (1.0 - share)).ln();
    let half = student(count - 1) * deviation / (share * (1.0 - share));
    let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let alone = clopper_pearson(k, n);
    Interval { low: back(logit - half).min(alone.low), high: back(logit + half).max(alone.high) }
}

/// 97.5 % quantile of Student's distribution.
fn student(freedom: u64) -> f64 {
    const FEW: [f64; 5] = [12.706, 4.303, 3.182, 2.776, 2.571];
    let Some(few) = FEW.get(freedom as usize - 1) else {
        // Cornish and Fisher's expansion: off by less than 0.002 from six degrees on.
        let (z, f) = (1.959_964_f64, freedom as f64);
        return z
            + (z.powi(3) + z) / (4.0 * f)
            + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * f * f)
            + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * f.powi(3));
    };
    *few
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Sampler;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, expected) in
            [(1, 12.706), (4, 2.776), (5, 2.571), (6, 2.447), (9, 2.262), (19, 2.093), (99, 1.984)]
        {
            assert!((student(freedom) - expected).abs() < 2e-3, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn nothing_and_everything_are_bounded_by_groups() {
        let none = interval(&[[0, 1000]; 20]);
        assert_eq!((none.low, none.high), (0.0, zero_event_bound(20)));
        let all = interval(&[[1000, 1000]; 20]);
        assert_eq!((all.low, all.high), (1.0 - zero_event_bound(20), 1.0));
        assert_eq!(interval(&[[3, 10]]), Interval { low: 0.0, high: 1.0 });
        assert_eq!(interval(&[]), Interval { low: 0.0, high: 1.0 });
        assert_eq!(interval(&[[0, 10], [0, 0]]), Interval { low: 0.0, high: 1.0 });
    }

    /// Groups whose shares differ: the interval holds the mean as often as it says, and one that forgets the groups does not.
    #[test]
    fn it_covers_what_it_says_where_groups_differ() {
        let mut sampler = Sampler::named("clustered");
        let (mut held, mut held_alone) = (0, 0);
        const ROUNDS: u64 = 1000;
        for _ in 0..ROUNDS {
            let groups: Vec<[u64; 2]> = (0..20)
                .map(|_| {
                    let share = 0.05 + 0.3 * sampler.uniform();
                    [(0..200).filter(|_| sampler.uniform() < share).count() as u64, 200]
                })
                .collect();
            let holds = |interval: Interval| interval.low <= 0.2 && 0.2 <= interval.high;
            held += u64::from(holds(interval(&groups)));
            let k = groups.iter().map(|group| group[0]).sum();
            held_alone += u64::from(holds(clopper_pearson(k, 4000)));
        }
        assert!((920..=990).contains(&held), "{held}");
        assert!(held_alone < 700, "{held_alone}");
    }
}

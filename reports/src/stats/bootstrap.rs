//! Two-level bootstrap of medians and of ratios of medians.
//!
//! A *group* is one process (one record), its values are the batches timed in it. Batches of one process share its
//! memory layout and are not independent, so a replicate first draws processes and then batches within each. With one
//! process only the second level remains, and the interval says nothing of how processes differ: the report says so.

use super::Interval;

/// Replicates of every interval: the percentile ends of a 95 % interval then rest on 25 values each.
const REPLICATES: usize = 1000;

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The point estimate, from all values.
    pub value: f64,
    /// Percentile interval of the replicates.
    pub interval: Interval,
}

/// A part of a sum of medians.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// What its median is multiplied by.
    pub weight: f64,
    /// Batches by process.
    pub groups: &'a [Vec<f64>],
}

impl<'a> Term<'a> {
    /// The median itself.
    pub fn one(groups: &'a [Vec<f64>]) -> Self {
        Term { weight: 1.0, groups }
    }
}

/// Draws replicates. Seeded by name, so that the same records give the same interval on every machine.
#[derive(Debug)]
pub struct Sampler(u64);

impl Sampler {
    /// A sampler whose draws depend on `name` only (FNV-1a into splitmix64).
    pub fn named(name: &str) -> Self {
        Self(crate::text::fnv1a(name))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An index below `n`; the bias of the multiply-shift is below 2⁻⁴⁰ for any n that fits a report.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Any order is as likely as any other.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }

    /// Normally distributed, mean 0 and deviation 1 (Box and Muller): for simulations.
    #[cfg(test)]
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn replicate(&mut self, groups: &[Vec<f64>]) -> f64 {
        let mut drawn = Vec::new();
        for _ in groups {
            let group = &groups[self.below(groups.len())];
            drawn.extend((0..group.len()).map(|_| group[self.below(group.len())]));
        }
        median(&mut drawn)
    }

    /// Median of all values with its interval.
    ///
    /// # Panics
    /// When there is no group or an empty one.
    pub fn median(&mut self, groups: &[Vec<f64>]) -> Estimate {
        let mut replicates: Vec<f64> = (0..REPLICATES).map(|_| self.replicate(groups)).collect();
        Estimate { value: pooled(groups), interval: percentile_interval(&mut replicates) }
    }

    /// What `more` takes more than `less`, with its interval. Where both have as many processes and batches they are pairs that
    /// were timed together, and it is the median of their differences: what slows a process or a moment down is then in both
    /// and cancels. Else it is the difference of two medians that are drawn apart.
    ///
    /// # Panics
    /// When a side has no group or an empty one.
    pub fn difference(&mut self, more: &[Vec<f64>], less: &[Vec<f64>]) -> Estimate {
        if more.iter().map(Vec::len).eq(less.iter().map(Vec::len)) {
            let pair = |(more, less): (&Vec<f64>, &Vec<f64>)| {
                more.iter().zip(less).map(|(more, less)| more - less).collect::<Vec<f64>>()
            };
            return self.median(&more.iter().zip(less).map(pair).collect::<Vec<_>>());
        }
        let mut replicates: Vec<f64> =
            (0..REPLICATES).map(|_| self.replicate(more) - self.replicate(less)).collect();
        Estimate { value: pooled(more) - pooled(less), interval: percentile_interval(&mut replicates) }
    }

    /// Ratio of two medians whose interval holds for few processes, too. From five processes a side on, the percentiles of replicates cover
    /// what they say (`compare/simulation.rs`); of four or three about 90 %, of two 70 to 80 %. There the interval is widened on the
    /// logarithmic scale around the ratio, by Student's quantile over the normal one and √(n/(n−1)), n being the smaller number of processes
    /// (Hesterberg, The American Statistician 69:371, 2015), and covers 98 % or more. With one process on a side the ends are 0 and infinity:
    /// how processes differ is not known.
    ///
    /// # Panics
    /// When a side has no group or an empty one.
    pub fn ratio_of_processes(
        &mut self,
        numerator: &[Vec<f64>],
        denominator: &[Vec<f64>],
    ) -> Option<Estimate> {
        let found = self.ratio(&[Term::one(numerator)], &[Term::one(denominator)])?;
        let n = numerator.len().min(denominator.len());
        // 97.5 % quantiles of Student's distribution with 1, 2 and 3 degrees of freedom; of the normal one it is 1.960.
        let student = match n {
            0 | 1 => return Some(Estimate { interval: Interval { low: 0.0, high: f64::INFINITY }, ..found }),
            2 => 12.706,
            3 => 4.303,
            4 => 3.182,
            _ => return Some(found),
        };
        let factor = student / 1.960 * (n as f64 / (n - 1) as f64).sqrt();
        let wider = |end: f64| found.value * (end / found.value).powf(factor);
        let interval = Interval { low: wider(found.interval.low), high: wider(found.interval.high) };
        Some(Estimate { interval, ..found })
    }

    /// Ratio of two weighted sums of medians with its interval; all terms are redrawn in every replicate. `None` when the
    /// ratio or an end of its interval is no positive number.
    ///
    /// # Panics
    /// When a term has no group or an empty one.
    pub fn ratio(&mut self, numerator: &[Term<'_>], denominator: &[Term<'_>]) -> Option<Estimate> {
        let mut drawn = |terms: &[Term<'_>]| sum(terms, |groups| self.replicate(groups));
        let mut replicates: Vec<f64> =
            (0..REPLICATES).map(|_| drawn(numerator) / drawn(denominator)).collect();
        let value = sum(numerator, pooled) / sum(denominator, pooled);
        let interval = percentile_interval(&mut replicates);
        let usable = [value, interval.low, interval.high].iter().all(|end| end.is_finite() && *end > 0.0);
        usable.then_some(Estimate { value, interval })
    }
}

fn sum(terms: &[Term<'_>], mut median: impl FnMut(&[Vec<f64>]) -> f64) -> f64 {
    terms.iter().map(|term| term.weight * median(term.groups)).sum()
}

fn pooled(groups: &[Vec<f64>]) -> f64 {
    median(&mut groups.concat())
}

/// Median of values that stay as they are.
///
/// # Panics
/// When there is none.
pub fn median_of(values: &[f64]) -> f64 {
    median(&mut values.to_vec())
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if even { f64::midpoint(below.iter().copied().fold(f64::MIN, f64::max), *upper) } else { *upper }
}

fn percentile_interval(values: &mut [f64]) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Interval { low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
    }

    #[test]
    fn the_same_name_gives_the_same_interval() {
        let groups = vec![(0..50).map(f64::from).collect::<Vec<_>>()];
        assert_eq!(Sampler::named("a").median(&groups), Sampler::named("a").median(&groups));
        assert_ne!(
            Sampler::named("a").median(&groups).interval,
            Sampler::named("b").median(&groups).interval
        );
    }

    /// Order statistics 40 and 61 of 100 hold the median with 95 % (binomial, exact); the bootstrap must be near.
    #[test]
    fn the_interval_of_a_median_is_near_the_order_statistics() {
        let found = Sampler::named("order").median(&[(1..=100).map(f64::from).collect()]);
        assert_eq!(found.value, 50.5);
        assert!((38.0..=43.0).contains(&found.interval.low), "{found:?}");
        assert!((58.0..=63.0).contains(&found.interval.high), "{found:?}");
    }

    /// Two processes that disagree must widen the interval to both, however many batches each one timed.
    #[test]
    fn processes_are_redrawn_before_batches() {
        let found = Sampler::named("two").median(&[vec![1.0; 500], vec![2.0; 500]]);
        assert_eq!((found.interval.low, found.interval.high), (1.0, 2.0));
    }

    #[test]
    fn a_ratio_of_constants_is_exact() {
        let (six, four) = ([vec![6.0; 9]], [vec![4.0; 9]]);
        let found = Sampler::named("r").ratio(&[Term::one(&six)], &[Term::one(&four)]).unwrap();
        assert_eq!((found.value, found.interval.low, found.interval.high), (1.5, 1.5, 1.5));
    }

    /// Processes and moments that differ by far more than what is asked for: as pairs they measure it, apart they do not.
    #[test]
    fn a_difference_of_pairs_is_not_blurred_by_what_both_suffered() {
        let side = |more: f64| {
            [10.0, 20.0, 30.0].map(|ns| (0..9).map(|i| ns + f64::from(i) + more).collect::<Vec<_>>())
        };
        let (less, more) = (side(0.0), side(1.0));
        let found = Sampler::named("d").difference(&more, &less);
        assert_eq!((found.value, found.interval.low, found.interval.high), (1.0, 1.0, 1.0));
        let apart = Sampler::named("d").difference(&more, &less[..2]);
        assert!(apart.interval.low < 0.0 && apart.interval.high > 2.0, "{apart:?}");
    }

    #[test]
    fn a_sum_of_medians_is_weighted() {
        let (six, four) = ([vec![6.0; 9]], [vec![4.0; 9]]);
        let terms = [Term { weight: 2.0, groups: &six }, Term { weight: -0.5, groups: &four }];
        let found = Sampler::named("s").ratio(&terms, &[Term::one(&four)]).unwrap();
        assert_eq!((found.value, found.interval.low, found.interval.high), (2.5, 2.5, 2.5));
    }

    #[test]
    fn a_ratio_that_is_no_positive_number_is_none() {
        let (six, zero) = ([vec![6.0; 9]], [vec![0.0; 9]]);
        let less = [Term { weight: -1.0, groups: &six }];
        let ratio = |above: &[Term<'_>], below: &[Term<'_>]| Sampler::named("n").ratio(above, below);
        assert_eq!(ratio(&less, &[Term::one(&six)]), None);
        assert_eq!(ratio(&[Term::one(&six)], &[Term::one(&zero)]), None);
        assert_eq!(ratio(&[Term::one(&zero)], &[Term::one(&zero)]), None);
    }

    #[test]
    fn draws_are_value_stable() {
        // Reference output of splitmix64 seeded with 0.
        let mut sampler = Sampler(0);
        assert_eq!(sampler.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(sampler.next(), 0x6e78_9e6a_a1b9_65f4);
    }
}

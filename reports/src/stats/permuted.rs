//! Many measurements of two groups of processes, compared at once by permuting the processes.
//!
//! A row is one thing that every process measured (its logarithm). Rows of one process share its moment and its memory layout, so
//! they are not independent, and processes of a busy machine are not normally distributed. Nothing of either is assumed: if the groups
//! do not differ, any assignment of processes to them was as likely as the one made, and all rows of a process go with it. What is compared is
//! the largest statistic of all rows (Westfall and Young's step-down maxT), so the chance of *any* row being called different is at most
//! the level, however many rows there are.
//!
//! The statistic is the difference of two means over (deviation within groups + the median deviation of all rows): the second term (as in
//! SAM, Tusher et al. 2001) keeps a row that happened to vary little from beating every other.
//!
//! A busy machine only ever adds time, now and then by a factor. So a value far above the others of its row is first brought down: to
//! as far above their median as the least is below it. The limit is of both groups together, and thus the same for every
//! assignment: the test stays exact, and one disturbed process does not hide a change.

use super::bootstrap::Sampler;

/// Assignments that are all gone through; where there are more, so many are drawn.
const MOST: usize = 2_000;

/// Processes that measured the same rows.
#[derive(Debug)]
pub struct Stratum {
    /// The first so many processes are the first group.
    pub first: usize,
    /// Processes of both groups.
    pub processes: usize,
    /// A value for each process that has one.
    pub rows: Vec<Vec<Option<f64>>>,
}

/// What was found.
#[derive(Debug)]
pub struct Permuted {
    /// The adjusted p-value of every row of every stratum.
    pub adjusted: Vec<Vec<f64>>,
    /// The smallest that any row could have had.
    pub least: f64,
    /// Assignments looked at, the one made included.
    pub assignments: usize,
}

/// Compares all rows of all strata; processes are permuted within their stratum.
pub fn max_t(strata: &[Stratum], seed: &str) -> Permuted {
    let capped: Vec<Stratum> = strata.iter().map(Stratum::capped).collect();
    let strata = capped.as_slice();
    let made: Vec<Vec<bool>> = strata.iter().map(Stratum::made).collect();
    let observed = statistics(strata, &made);
    let mut order: Vec<usize> = (0..observed.len()).collect();
    order.sort_by(|&a, &b| observed[b].total_cmp(&observed[a]));
    let mut as_large = vec![0_usize; observed.len()];
    let assignments = each(strata, seed, made, |assigned| {
        let found = statistics(strata, assigned);
        let mut largest = 0.0_f64;
        for &row in order.iter().rev() {
            largest = largest.max(found[row]);
            // Assignments that mirror each other give the same but for rounding.
            as_large[row] += usize::from(largest >= observed[row] * (1.0 - 1e-9));
        }
    });
    let mut largest = 0.0_f64;
    let mut flat = vec![1.0; observed.len()];
    for &row in &order {
        largest = largest.max(as_large[row] as f64 / assignments as f64);
        flat[row] = largest;
    }
    let mut flat = flat.into_iter();
    let adjusted = strata.iter().map(|stratum| flat.by_ref().take(stratum.rows.len()).collect()).collect();
    let least = strata.iter().map(Stratum::least).fold(1.0, f64::min).max(1.0 / assignments as f64);
    Permuted { adjusted, least, assignments }
}

/// A row without what a busy moment added.
fn capped(row: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut values: Vec<f64> = row.iter().copied().flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(&median)) = (values.first(), values.get(values.len() / 2)) else {
        return row.to_vec();
    };
    let limit = median + (median - least);
    row.iter().map(|value| value.map(|value| value.min(limit))).collect()
}

impl Stratum {
    fn capped(&self) -> Stratum {
        Stratum { rows: self.rows.iter().map(|row| capped(row)).collect(), ..*self }
    }

    fn made(&self) -> Vec<bool> {
        (0..self.processes).map(|process| process < self.first).collect()
    }

    fn ways(&self) -> f64 {
        (0..self.first).map(|i| (self.processes - i) as f64 / (i + 1) as f64).product()
    }

    /// The share of assignments that are the one made, or its mirror where that has the same sizes.
    fn least(&self) -> f64 {
        (if self.first * 2 == self.processes { 2.0 } else { 1.0 } / self.ways()).min(1.0)
    }
}

/// Hands out assignments, the one made among them: all where there are few, else that one and draws. How many it were.
fn each(strata: &[Stratum], seed: &str, made: Vec<Vec<bool>>, mut take: impl FnMut(&[Vec<bool>])) -> usize {
    if let [stratum] = strata
        && stratum.ways() < MOST as f64 + 0.5
        && stratum.processes < 64
    {
        let mut all = 0;
        let mut first = vec![vec![false; stratum.processes]];
        combinations(&mut first[0].clone(), 0, stratum.first, &mut |assigned| {
            first[0].copy_from_slice(assigned);
            take(&first);
            all += 1;
        });
        return all;
    }
    take(&made);
    let (mut sampler, mut assigned) = (Sampler::named(seed), made);
    for _ in 1..MOST {
        for stratum in &mut assigned {
            sampler.shuffle(stratum);
        }
        take(&assigned);
    }
    MOST
}

/// All ways to set `left` more of the flags from `from` on.
fn combinations(flags: &mut [bool], from: usize, left: usize, take: &mut impl FnMut(&[bool])) {
    if left == 0 {
        return take(flags);
    }
    for index in from..=flags.len() - left {
        flags[index] = true;
        combinations(flags, index + 1, left - 1, take);
        flags[index] = false;
    }
}

/// The statistic of every row.
fn statistics(strata: &[Stratum], assigned: &[Vec<bool>]) -> Vec<f64> {
    let rows = strata
        .iter()
        .zip(assigned)
        .flat_map(|(stratum, assigned)| stratum.rows.iter().map(|row| moments(row, assigned)));
    let moments: Vec<(f64, f64)> = rows.collect();
    let mut deviations: Vec<f64> = moments.iter().map(|(_, deviation)| *deviation).collect();
    deviations.sort_unstable_by(f64::total_cmp);
    let typical = deviations.get(deviations.len() / 2).copied().unwrap_or_default();
    moments
        .into_iter()
        .map(|(difference, deviation)| match deviation + typical {
            _ if difference == 0.0 => 0.0,
            scale => difference / scale,
        })
        .collect()
}

/// The difference of the two means, and the deviation within the groups. Nothing where a group has no value.
fn moments(row: &[Option<f64>], assigned: &[bool]) -> (f64, f64) {
    let (mut n, mut sum) = ([0.0; 2], [0.0; 2]);
    let values =
        || row.iter().zip(assigned).filter_map(|(value, first)| Some((usize::from(!first), (*value)?)));
    for (group, value) in values() {
        n[group] += 1.0;
        sum[group] += value;
    }
    if n[0] == 0.0 || n[1] == 0.0 || n[0] + n[1] < 3.0 {
        return (0.0, 0.0);
    }
    let mean = [sum[0] / n[0], sum[1] / n[1]];
    let squares: f64 = values().map(|(group, value)| (value - mean[group]).powi(2)).sum();
    ((mean[1] - mean[0]).abs(), (squares / (n[0] + n[1] - 2.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(first: usize, rows: &[&[f64]]) -> Stratum {
        let rows: Vec<Vec<Option<f64>>> =
            rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
        Stratum { first, processes: rows[0].len(), rows }
    }

    /// Three against three, apart: of twenty assignments the one made and its mirror are as far apart.
    #[test]
    fn all_assignments_of_a_few_processes_are_gone_through() {
        let found = max_t(&[stratum(3, &[&[1.0, 2.0, 3.0, 11.0, 12.0, 13.0]])], "");
        assert_eq!((found.adjusted[0][0], found.least, found.assignments), (0.1, 0.1, 20));
        // Unequal groups have no mirror; 15 ways.
        let found = max_t(&[stratum(2, &[&[1.0, 2.0, 11.0, 12.0, 13.0, 14.0]])], "");
        assert_eq!((found.adjusted[0][0], found.least, found.assignments), (1.0 / 15.0, 1.0 / 15.0, 15));
    }

    /// By the definition, over two rows of two against two: the p of a row counts the assignments whose largest statistic
    /// is as large, and of the smaller one only rows that are not larger take part.
    #[test]
    fn the_largest_of_all_rows_is_what_is_compared() {
        let (a, b) = ([0.0, 1.0, 10.0, 11.0], [0.0, 5.0, 1.0, 6.5]);
        let found = max_t(&[stratum(2, &[&a, &b])], "");
        let assignments = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];
        let statistic = |of: [usize; 2]| {
            let assigned: Vec<bool> = (0..4).map(|index| of.contains(&index)).collect();
            statistics(&[stratum(2, &[&a, &b])], &[assigned])
        };
        let seen = statistic([0, 1]);
        assert!(seen[0] > seen[1]);
        let share = |rows: &[usize], limit: f64| {
            let count = assignments
                .iter()
                .filter(|of| rows.iter().any(|row| statistic(**of)[*row] >= limit * (1.0 - 1e-9)));
            count.count() as f64 / 6.0
        };
        assert_eq!(found.adjusted[0][0], share(&[0, 1], seen[0]));
        assert_eq!(found.adjusted[0][1], share(&[1], seen[1]).max(found.adjusted[0][0]));
    }

    #[test]
    fn one_disturbed_process_does_not_hide_a_change() {
        let row = [0.0, 0.01, 0.02, 1.5, 0.0, 0.01, 0.01, 0.18, 0.19, 0.2, 0.18, 0.19, 0.18, 0.19];
        assert_eq!(capped(&row.map(Some))[3], Some(0.18 * 2.0));
        // Without the limit, the mean of the first group is the larger one, and p is 1.
        let found = max_t(&[stratum(7, &[&row])], "");
        assert!(found.adjusted[0][0] <= 0.05, "{found:?}");
        assert_eq!(capped(&[None, Some(1.0)]), [None, Some(1.0)]);
        assert_eq!(capped(&[None]), [None]);
    }

    #[test]
    fn constants_and_missing_values_are_no_difference() {
        let mut one = stratum(2, &[&[5.0; 4], &[1.0, 1.0, 2.0, 2.0]]);
        one.rows.push(vec![Some(1.0), Some(2.0), None, None]);
        let found = max_t(&[one], "");
        assert_eq!(found.adjusted[0][0], 1.0);
        assert_eq!(found.adjusted[0][2], 1.0);
        assert!(found.adjusted[0][1] <= 1.0 / 3.0, "{found:?}");
    }

    /// A row that differs is found among a hundred that do not, and is the only one.
    #[test]
    fn one_row_of_many_is_found() {
        let mut sampler = Sampler::named("noise");
        let mut rows: Vec<Vec<Option<f64>>> =
            (0..100).map(|_| (0..10).map(|_| Some(sampler.normal() * 0.03)).collect()).collect();
        for value in rows[17][5..].iter_mut().flatten() {
            *value += 0.2;
        }
        let strata = [Stratum { first: 5, processes: 10, rows }];
        let found = max_t(&strata, "");
        let below: Vec<usize> = (0..100).filter(|row| found.adjusted[0][*row] <= 0.05).collect();
        assert_eq!((below, found.assignments), (vec![17], 252));
    }

    #[test]
    fn many_assignments_are_drawn_the_same_way_each_time() {
        let row: Vec<f64> = (0..30).map(|index| f64::from(index * 7 % 13)).collect();
        let p = |seed| max_t(&[stratum(15, &[&row])], seed).adjusted[0][0];
        assert_eq!(p("a"), p("a"));
        assert!((p("a") - p("b")).abs() < 0.03);
        assert_eq!(max_t(&[stratum(15, &[&row])], "a").assignments, MOST);
    }
}

//! One simulated profile.

use super::errors::Errors;
use super::trace::{Blocks, Trace};
use crate::stats::Sampler;
use std::collections::HashMap;

/// Places whose error counts.
const TOP: usize = 10;

/// Places that may be among these.
const NEAR: usize = 20;

/// What is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bytes: a sample counts as many as it stands for.
    Bytes,
    /// Time: a sample counts 1, and a block takes as long as another.
    Time,
}

/// Estimates.
#[derive(Debug)]
pub struct Profile {
    /// Of the trace's stacks.
    pub places: Vec<f64>,
    /// The largest of those that the trace does not have.
    pub foreign: f64,
}

impl Profile {
    /// Draws samples, walks them, scales up.
    pub fn draw(trace: &Trace, mode: Mode, errors: &Errors, sampler: &mut Sampler) -> Profile {
        let mut places = vec![0.0; trace.stacks.len()];
        let mut foreign = HashMap::<Vec<usize>, f64>::new();
        let total: f64 = trace.truth[1].iter().sum();
        let as_many = trace.samples() / total;
        for Blocks { stack, size, count } in &trace.blocks {
            let (probability, weight) = match mode {
                Mode::Bytes => {
                    let probability = Trace::probability(*size);
                    (probability, *size as f64 / probability)
                }
                Mode::Time => (as_many.min(1.0), 1.0 / as_many.min(1.0)),
            };
            for _ in 0..binomial(*count, probability, sampler) {
                match walked(trace, *stack, errors, sampler) {
                    Walked::Right => places[*stack] += weight,
                    Walked::Reported => {}
                    Walked::Wrong(stack) => match trace.known.get(&stack) {
                        Some(place) => places[*place] += weight,
                        None => *foreign.entry(stack).or_default() += weight,
                    },
                }
            }
        }
        // The profiler knows how many of its walks failed.
        let through = (1.0 - errors.reported).max(f64::MIN_POSITIVE);
        places.iter_mut().for_each(|place| *place /= through);
        let foreign = foreign.values().copied().fold(0.0, f64::max) / through;
        Profile { places, foreign }
    }

    /// Median relative error of the true first ten.
    pub fn error(&self, trace: &Trace, mode: Mode) -> f64 {
        let truth = &trace.truth[mode as usize];
        let mut errors: Vec<f64> = trace.order[mode as usize]
            .iter()
            .take(TOP)
            .map(|&place| (self.places[place] - truth[place]).abs() / truth[place])
            .collect();
        crate::stats::median_of(&std::mem::take(&mut errors))
    }

    /// Whether a place from outside the true first twenty is among the first ten of the profile.
    pub fn is_intruded(&self, trace: &Trace, mode: Mode) -> bool {
        let order = &trace.order[mode as usize];
        let Some(outside) = order.get(NEAR..) else { return false };
        let strongest = outside.iter().map(|&place| self.places[place]).fold(self.foreign, f64::max);
        // Among the first ten when fewer than ten of the others are above it.
        let above = order[..NEAR].iter().filter(|&&place| self.places[place] >= strongest).count();
        strongest > 0.0 && above < TOP
    }
}

enum Walked {
    Right,
    Reported,
    Wrong(Vec<usize>),
}

/// What the walker makes of a stack.
fn walked(trace: &Trace, stack: usize, errors: &Errors, sampler: &mut Sampler) -> Walked {
    let frames = &trace.stacks[stack];
    let mut draw = sampler.uniform();
    let mut is = |share: f64| {
        let hit = draw < share;
        draw -= share;
        hit
    };
    if is(errors.reported) {
        return Walked::Reported;
    }
    if is(errors.splice) {
        // The inner part is right, at least its first frame; then another stack goes on from a depth of its own.
        let other = &trace.stacks[sampler.below(trace.stacks.len())];
        let inner = 1 + sampler.below(frames.len());
        let outer = sampler.below(other.len());
        return Walked::Wrong(frames[..inner].iter().chain(&other[outer..]).copied().collect());
    }
    if is(errors.wrong_line) {
        let at = sampler.below(frames.len());
        let others = &trace.other_lines[frames[at]];
        // A function with one line in the trace gets a line that no stack has.
        let line = if others.is_empty() { usize::MAX } else { others[sampler.below(others.len())] };
        let mut wrong = frames.clone();
        wrong[at] = line;
        return Walked::Wrong(wrong);
    }
    if is(errors.prefix) {
        return Walked::Wrong(frames[..sampler.below(frames.len())].to_vec());
    }
    Walked::Right
}

/// Successes in `n` trials, by the gaps between them, which are geometric: exact, and as much work as there are successes.
fn binomial(n: u64, probability: f64, sampler: &mut Sampler) -> u64 {
    if probability >= 1.0 {
        return n;
    }
    if probability <= 0.0 {
        return 0;
    }
    let log = (-probability).ln_1p();
    let (mut at, mut successes) = (0.0, 0);
    loop {
        at += ((1.0 - sampler.uniform()).ln() / log).floor() + 1.0;
        if at > n as f64 {
            return successes;
        }
        successes += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk_record::Allocated;

    fn row(stack: &[&str], size: u64, count: u64) -> Allocated {
        let stack = stack.iter().map(|frame| (*frame).to_owned()).collect();
        Allocated { stack, size, count, ..Allocated::default() }
    }

    /// 30 places under two roots, from 16 B to 1 MiB.
    fn trace() -> Trace {
        let rows: Vec<Allocated> = (0..30_u64)
            .map(|leaf| {
                let (leaf_, root) = (format!("leaf{leaf}:3"), format!("root:{}", leaf % 2));
                row(&[&leaf_, &root, "main:1"], 16 << (leaf % 17), 20_000_000 >> (leaf % 17))
            })
            .collect();
        Trace::new("3.15.0", "sample", &rows.iter().collect::<Vec<_>>())
    }

    const ROUNDS: usize = 400;

    /// Mean and deviation of the sum of all estimates, over the truth.
    fn sums(errors: &Errors) -> (f64, f64) {
        let trace = trace();
        let mut sampler = Sampler::named("sums");
        let truth: f64 = trace.truth[0].iter().sum();
        let sums: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                Profile::draw(&trace, Mode::Bytes, errors, &mut sampler).places.iter().sum::<f64>() / truth
            })
            .collect();
        let mean = sums.iter().sum::<f64>() / ROUNDS as f64;
        let squares: f64 = sums.iter().map(|sum| (sum - mean).powi(2)).sum();
        (mean, (squares / (ROUNDS - 1) as f64).sqrt())
    }

    /// Σ (s/p)² p (1 − p) n: the variance of the estimate in closed form.
    fn expected_deviation() -> f64 {
        let trace = trace();
        let variance: f64 = trace
            .blocks
            .iter()
            .map(|Blocks { size, count, .. }| {
                let p = Trace::probability(*size);
                (*size as f64 / p).powi(2) * p * (1.0 - p) * *count as f64
            })
            .sum();
        variance.sqrt() / trace.truth[0].iter().sum::<f64>()
    }

    /// Without the weight s/p, or without scaling up by what came through, the mean is far outside.
    #[test]
    fn the_estimate_is_unbiased_and_as_noisy_as_the_closed_form_says() {
        let deviation = expected_deviation();
        let near = 4.0 * deviation / (ROUNDS as f64).sqrt();
        let (mean, found) = sums(&Errors::default());
        assert!((mean - 1.0).abs() < near, "{mean} ± {near}");
        assert!((found / deviation - 1.0).abs() < 0.15, "{found} {deviation}");
        let (mean, _) = sums(&Errors { reported: 0.3, ..Errors::default() });
        assert!((mean - 1.0).abs() < 2.0 * near, "{mean} ± {near}");
        // What is silently wrong leaves its place: a fifth of the bytes is missing, as nearly all splices make new stacks.
        let (mean, _) = sums(&Errors { prefix: 0.2, ..Errors::default() });
        assert!((mean - 0.8).abs() < 2.0 * near, "{mean} ± {near}");
    }

    #[test]
    fn a_binomial_number_has_its_mean_and_variance() {
        let mut sampler = Sampler::named("binomial");
        for (n, p) in [(1000, 0.01), (50, 0.5), (3, 0.9), (10, 0.0), (10, 1.0)] {
            let draws: Vec<f64> = (0..20_000).map(|_| binomial(n, p, &mut sampler) as f64).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
            let (expected, spread) = (n as f64 * p, n as f64 * p * (1.0 - p));
            assert!((mean - expected).abs() < 0.1, "{n} {p}: {mean}");
            assert!((variance - spread).abs() < 0.05 * spread.max(1.0), "{n} {p}: {variance}");
        }
    }

    #[test]
    fn each_kind_of_error_makes_its_own_wrong_stack() {
        let rows =
            [row(&["a:1", "m:1"], 10, 1), row(&["a:2", "m:1"], 10, 1), row(&["b:1", "n:1", "m:2"], 10, 1)];
        let trace = Trace::new("t", "p", &rows.iter().collect::<Vec<_>>());
        let mut sampler = Sampler::named("kinds");
        let mut wrong = |errors: Errors| {
            (0..200)
                .map(|_| match walked(&trace, 2, &errors, &mut sampler) {
                    Walked::Wrong(stack) => stack,
                    _ => panic!("an error of share 1"),
                })
                .collect::<Vec<_>>()
        };
        let whole = trace.stacks[2].clone();
        for stack in wrong(Errors { prefix: 1.0, ..Errors::default() }) {
            assert!(stack.len() < 3 && whole.starts_with(&stack));
        }
        for stack in wrong(Errors { splice: 1.0, ..Errors::default() }) {
            assert_eq!(stack[0], whole[0], "the innermost frame stays");
        }
        for stack in wrong(Errors { wrong_line: 1.0, ..Errors::default() }) {
            assert_eq!(stack.iter().zip(&whole).filter(|(a, b)| a != b).count(), 1);
        }
        assert!(matches!(
            walked(&trace, 2, &Errors { reported: 1.0, ..Errors::default() }, &mut sampler),
            Walked::Reported
        ));
    }

    #[test]
    fn an_intruder_is_a_place_from_outside_among_the_first_ten() {
        let trace = trace();
        let right = |foreign| Profile { places: trace.truth[0].clone(), foreign };
        assert!(!right(0.0).is_intruded(&trace, Mode::Bytes));
        assert_eq!(right(0.0).error(&trace, Mode::Bytes), 0.0);
        assert!(right(f64::MAX).is_intruded(&trace, Mode::Bytes));
        let twentieth = trace.truth[0][trace.order[0][19]];
        assert!(!right(twentieth * 0.99).is_intruded(&trace, Mode::Bytes));
    }
}

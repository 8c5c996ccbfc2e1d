//! Checks in the order of what they are worth: crashes avoided for each nanosecond that they cost.

use super::cell::Count;
use super::check::Of;
use super::cost::{Batches, Key};
use super::records::Records;
use crate::stats::{Estimate, Sampler};
use crate::text::number::rounded;
use sigwalk_record::{Check, What};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Depth at which checks are timed, or the nearest that both sides have.
const USUAL: u64 = 100;

/// What a walk delivered while the check was timed, the first of these that both sides have: with lines, every check has its
/// part in the walk.
const WHAT: [What; 4] = [What::Line, What::Names, What::Code, What::Chain];

/// What a check costs.
#[derive(Debug)]
pub struct Price {
    /// Nanoseconds per frame: all checks less all but this one. An interval that reaches 0 measures nothing.
    pub ns: Estimate,
    /// Depth of both sides.
    pub depth: u64,
    /// What both sides delivered.
    pub what: What,
}

impl Price {
    /// Whether the interval is above 0 as a whole.
    pub fn measurable(&self) -> bool {
        self.ns.interval.low > 0.0
    }

    /// What crashes are divided by: the cost, or the most that it may be where it was not measurable.
    pub fn divisor(&self) -> f64 {
        if self.measurable() { self.ns.value } else { self.ns.interval.high }
    }
}

/// A check with its place in the order.
#[derive(Debug)]
pub struct Step {
    /// The check.
    pub check: String,
    /// Crashes only it prevents, of all mutated walks.
    pub only: Count,
    /// Crashes it prevents alone, of all mutated walks.
    pub alone: Count,
    /// What it costs; nothing when it was not timed.
    pub price: Option<Price>,
}

impl Step {
    /// Crashes per million walks.
    fn per_million(count: Count) -> f64 {
        if count.n == 0 { 0.0 } else { count.k as f64 * 1e6 / count.n as f64 }
    }

    /// Crashes that only it prevents per million walks and nanosecond; nothing when it was not timed. Infinite where not even
    /// the upper bound of the cost is above 0.
    pub fn only_per_ns(&self) -> Option<f64> {
        self.price.as_ref().map(|price| per_ns(Self::per_million(self.only), price))
    }

    /// The same of the crashes it prevents alone.
    pub fn alone_per_ns(&self) -> Option<f64> {
        self.price.as_ref().map(|price| per_ns(Self::per_million(self.alone), price))
    }
}

impl Step {
    /// A value of [`Step::only_per_ns`] or [`Step::alone_per_ns`] in words. What is divided by the most that a cost may be is the
    /// least that it may be worth.
    pub fn worth(&self, per_ns: Option<f64>) -> String {
        match (per_ns, &self.price) {
            (Some(per_ns), Some(_)) if per_ns.is_infinite() => "no cost seen".to_owned(),
            (Some(per_ns), Some(price)) if !price.measurable() && per_ns > 0.0 => {
                format!("≥ {}", rounded(per_ns))
            }
            (Some(per_ns), Some(_)) => rounded(per_ns),
            _ => "–".to_owned(),
        }
    }
}

fn per_ns(crashes: f64, price: &Price) -> f64 {
    match price.divisor() {
        _ if crashes <= 0.0 => 0.0,
        ns if ns > 0.0 => crashes / ns,
        _ => f64::INFINITY,
    }
}

/// The order of one family on one interpreter.
#[derive(Debug)]
pub struct Ablation {
    /// Tag.
    pub interpreter: String,
    /// Family of walkers.
    pub family: String,
    /// Best first.
    pub steps: Vec<Step>,
}

impl Ablation {
    /// Whether any check was timed.
    pub fn timed(&self) -> bool {
        self.steps.iter().any(|step| step.price.is_some())
    }
}

/// Every order, by interpreter and family.
pub fn all(records: &Records, sums: &BTreeMap<Of<'_>, Check>) -> Vec<Ablation> {
    let mut found = BTreeMap::<(&str, &str), Vec<Step>>::new();
    for ((interpreter, family, check), row) in sums {
        let step = Step {
            check: (*check).to_owned(),
            only: Count { k: row.only.crash, n: row.walks },
            alone: Count { k: row.alone.crash, n: row.walks },
            price: price(records, interpreter, family, check),
        };
        found.entry((interpreter, family)).or_default().push(step);
    }
    let ordered = found.into_iter().map(|((interpreter, family), mut steps)| {
        steps.sort_by(better);
        Ablation { interpreter: interpreter.to_owned(), family: family.to_owned(), steps }
    });
    ordered.collect()
}

/// The better first. What was not timed comes behind what was, by its crashes; of equals the one that prevents more without the others,
/// and then the name decides.
fn better(a: &Step, b: &Step) -> Ordering {
    let descending = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    descending(a.only_per_ns(), b.only_per_ns())
        .then(descending(a.alone_per_ns(), b.alone_per_ns()))
        .then_with(|| b.only.k.cmp(&a.only.k))
        .then_with(|| b.alone.k.cmp(&a.alone.k))
        .then_with(|| a.check.cmp(&b.check))
}

fn price(records: &Records, interpreter: &str, family: &str, check: &str) -> Option<Price> {
    let side = |subject: String| {
        let rows = records.cost.ladder.iter();
        rows.filter(move |(key, _)| {
            key.interpreter == interpreter && key.subject == subject && key.sink.is_empty()
        })
        .collect::<Vec<(&Key, &Batches)>>()
    };
    let (whole, without) = (side(format!("{family} whole")), side(format!("{family} without {check}")));
    let what = WHAT.into_iter().find(|what| {
        let has = |rows: &[(&Key, &Batches)]| rows.iter().any(|(key, _)| key.what == *what);
        has(&whole) && has(&without)
    })?;
    let pairs = whole.iter().filter(|(key, _)| key.what == what).filter_map(|(key, all)| {
        let same = without.iter().find(|(other, _)| (other.what, other.depth) == (what, key.depth))?;
        Some((key.depth, all, same.1))
    });
    let (depth, all, less) = pairs.min_by_key(|(depth, ..)| (depth.abs_diff(USUAL), *depth))?;
    let ns = Sampler::named(&format!("cost of {check}/{family}/{interpreter}/{depth}"))
        .difference(&all.groups, &less.groups);
    Some(Price { ns, depth, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Interval;

    fn step(check: &str, only: u64, alone: u64, ns: Option<(f64, f64, f64)>) -> Step {
        let n = 1_000_000;
        let price = ns.map(|(value, low, high)| Price {
            ns: Estimate { value, interval: Interval { low, high } },
            depth: 100,
            what: What::Line,
        });
        Step { check: check.into(), only: Count { k: only, n }, alone: Count { k: alone, n }, price }
    }

    fn order(mut steps: Vec<Step>) -> Vec<String> {
        steps.sort_by(better);
        steps.into_iter().map(|step| step.check).collect()
    }

    /// 100 crashes for 2 ns are better than 1000 for 50, whatever their names.
    #[test]
    fn by_crashes_per_nanosecond_and_not_by_crashes() {
        let steps = vec![
            step("a-dear", 1000, 0, Some((50.0, 49.0, 51.0))),
            step("b-cheap", 100, 0, Some((2.0, 1.9, 2.1))),
        ];
        assert_eq!(order(steps), ["b-cheap", "a-dear"]);
    }

    /// A cost that is not measurable is taken at the most it may be, not at its point estimate.
    #[test]
    fn what_is_not_measurable_counts_at_its_upper_bound() {
        let steps = vec![
            step("noise", 100, 0, Some((0.01, -3.0, 4.0))),
            step("measured", 100, 0, Some((2.0, 1.9, 2.1))),
            step("free", 1, 0, Some((-2.0, -3.0, -1.0))),
            step("useless", 0, 0, Some((-2.0, -3.0, -1.0))),
        ];
        assert_eq!(order(steps), ["free", "measured", "noise", "useless"]);
    }

    #[test]
    fn without_a_cost_crashes_decide_and_stand_behind() {
        let steps = vec![
            step("few", 1, 9, None),
            step("none", 0, 9, None),
            step("many", 7, 0, None),
            step("timed", 0, 0, Some((1.0, 0.9, 1.1))),
            step("alone", 0, 10, None),
        ];
        assert_eq!(order(steps), ["timed", "many", "few", "alone", "none"]);
    }
}

//! Ratios of costs against their targets, and counts that stand beside them. What is judged is in `ratio/registry.rs`.

mod registry;

use super::cost::{Batches, Key};
use super::records::Records;
use crate::stats::{Estimate, Interval, Sampler, Term};
use registry::REGISTRY;
use sigwalk_record::{Counted, What};
use std::collections::BTreeSet;

/// Depth at which ratios are compared, where they do not say otherwise.
const USUAL: u64 = 100;

/// Which side of its target a ratio should be on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
}

impl Target {
    fn met(self, value: f64) -> bool {
        match self {
            Target::AtMost(limit) => value <= limit,
            Target::AtLeast(limit) => value >= limit,
        }
    }
}

/// Where on the ladder of depths a side is taken.
#[derive(Debug, Clone, Copy)]
enum At {
    /// At the depth nearest to [`USUAL`] that both sides have.
    Usual,
    /// What a frame more costs between these depths: what a walk costs whatever its depth is not in it, and cannot hide
    /// that deep frames cost more.
    Slope(u64, u64),
}

/// One side of a ratio: a subject, the first of these that was measured, and where.
struct Side {
    subject: &'static str,
    what: &'static [What],
    at: At,
}

impl Side {
    const fn usual(subject: &'static str, what: &'static [What]) -> Self {
        Side { subject, what, at: At::Usual }
    }

    const fn slope(subject: &'static str, what: &'static [What], from: u64, to: u64) -> Self {
        Side { subject, what, at: At::Slope(from, to) }
    }
}

enum Figure {
    /// Numerator and denominator.
    Quotient(Side, Side),
    /// What is counted of a subject, at the depth nearest to [`USUAL`].
    Count(Counted, &'static str, What),
}

struct Definition {
    name: &'static str,
    says: &'static str,
    figure: Figure,
    target: Target,
}

/// A ratio on one interpreter.
#[derive(Debug)]
pub struct Ratio {
    /// Name in `summary.json`.
    pub name: &'static str,
    /// What it means.
    pub says: &'static str,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Where it should be.
    pub target: Target,
    /// What was found, or what was not measured of it.
    pub found: Result<Found, String>,
}

/// A ratio that was measured.
#[derive(Debug)]
pub struct Found {
    /// Depth both sides were measured at; of a slope, its far end.
    pub depth: u64,
    /// The ratio of medians.
    pub estimate: Estimate,
    /// Whether the point estimate is on the right side of the target.
    pub met: bool,
    /// Whether the whole interval agrees.
    pub decided: bool,
    /// The two sides as found in the records.
    pub sides: String,
}

impl Ratio {
    /// `met` or `missed` when the whole interval is, `undecided` when it reaches over the target, `not measured`.
    pub fn verdict(&self) -> &'static str {
        match &self.found {
            Err(_) => "not measured",
            Ok(found) if !found.decided => "undecided",
            Ok(found) if found.met => "met",
            Ok(_) => "missed",
        }
    }
}

/// The ratios of that name that were measured, with their interpreters.
pub fn measured<'a>(
    ratios: &'a [Ratio],
    name: &'static str,
) -> impl Iterator<Item = (&'a str, &'a Found)> + use<'a> {
    let named = ratios.iter().filter(move |ratio| ratio.name == name);
    named.filter_map(|ratio| Some((ratio.interpreter.as_str(), ratio.found.as_ref().ok()?)))
}

/// Every ratio, on every interpreter on which any cost was measured.
pub fn all(records: &Records) -> Vec<Ratio> {
    let timed = records.cost.ladder.keys().map(|key| key.interpreter.as_str());
    let interpreters: BTreeSet<&str> =
        timed.chain(records.cost.counts.keys().map(|key| key.interpreter.as_str())).collect();
    let one = |definition: &Definition, interpreter: &str| Ratio {
        name: definition.name,
        says: definition.says,
        interpreter: interpreter.to_owned(),
        target: definition.target,
        found: found(records, definition, interpreter),
    };
    REGISTRY
        .iter()
        .flat_map(|definition| interpreters.iter().map(move |interpreter| one(definition, interpreter)))
        .collect()
}

fn found(records: &Records, definition: &Definition, interpreter: &str) -> Result<Found, String> {
    let (depth, estimate, sides) = match &definition.figure {
        Figure::Quotient(numerator, denominator) => {
            quotient(records, definition.name, interpreter, [numerator, denominator])?
        }
        Figure::Count(counted, subject, what) => count(records, interpreter, *counted, subject, *what)?,
    };
    let target = definition.target;
    let met = target.met(estimate.value);
    let decided = [estimate.interval.low, estimate.interval.high].iter().all(|end| target.met(*end) == met);
    Ok(Found { depth, estimate, met, decided, sides })
}

fn quotient(
    records: &Records,
    name: &str,
    interpreter: &str,
    sides: [&Side; 2],
) -> Result<(u64, Estimate, String), String> {
    let [top, bottom] = sides.map(|side| of_side(records, interpreter, side));
    let (top, bottom) = (top?, bottom?);
    // The nearest depth that both sides have; of two equally near, the smaller.
    let common = depths(&top).intersection(&depths(&bottom)).copied().min_by_key(nearness);
    let (top, bottom) = (taken(&top, sides[0], common)?, taken(&bottom, sides[1], common)?);
    let estimate = Sampler::named(&format!("{name}/{interpreter}/{}", top.depth))
        .ratio(&top.terms, &bottom.terms)
        .ok_or("no positive number: a walk did not cost more at the greater depth")?;
    Ok((top.depth, estimate, format!("{} / {}", top.says, bottom.says)))
}

fn count(
    records: &Records,
    interpreter: &str,
    counted: Counted,
    subject: &str,
    what: What,
) -> Result<(u64, Estimate, String), String> {
    let of_subject = records.cost.counts.iter().filter(|(key, _)| {
        key.interpreter == interpreter && key.counted == counted && key.subject == subject && key.what == what
    });
    let (key, most) = of_subject
        .min_by_key(|(key, _)| nearness(&key.depth))
        .ok_or_else(|| format!("{subject} ({}) was not counted", what.name()))?;
    let value = *most as f64;
    let estimate = Estimate { value, interval: Interval { low: value, high: value } };
    Ok((key.depth, estimate, format!("{subject} ({})", what.name())))
}

fn nearness(depth: &u64) -> (u64, u64) {
    (depth.abs_diff(USUAL), *depth)
}

type Row<'a> = (&'a Key, &'a Batches);

fn depths(rows: &[Row<'_>]) -> BTreeSet<u64> {
    rows.iter().map(|(key, _)| key.depth).collect()
}

/// What was measured of a side: the first `what` present, and of several sinks /dev/null, which costs the printer least.
fn of_side<'a>(records: &'a Records, interpreter: &str, side: &Side) -> Result<Vec<Row<'a>>, String> {
    let of_subject: Vec<_> = records
        .cost
        .ladder
        .iter()
        .filter(|(key, _)| key.interpreter == interpreter && key.subject == side.subject)
        .collect();
    let what = side.what.iter().find(|what| of_subject.iter().any(|(key, _)| key.what == **what));
    let what = what.ok_or_else(|| format!("{} was not timed", named(side)))?;
    let mut rows: Vec<_> = of_subject.into_iter().filter(|(key, _)| key.what == *what).collect();
    rows.sort_by_key(|(key, _)| (key.depth, key.sink != "/dev/null", &key.sink));
    Ok(rows)
}

/// A side where it is taken: nanoseconds per frame, as a sum.
struct Taken<'a> {
    depth: u64,
    terms: Vec<Term<'a>>,
    says: String,
}

fn taken<'a>(rows: &[Row<'a>], side: &Side, common: Option<u64>) -> Result<Taken<'a>, String> {
    let at = |depth: u64| {
        let row = rows.iter().find(|(key, _)| key.depth == depth).copied();
        row.ok_or_else(|| format!("{} was not timed at depth {depth}", named(side)))
    };
    let label = |key: &Key| format!("{} ({})", key.label(), key.what.name());
    match side.at {
        At::Usual => {
            let depth = common.ok_or("the sides were timed at no depth in common")?;
            let (key, batches) = at(depth)?;
            Ok(Taken { depth, terms: vec![Term::one(&batches.groups)], says: label(key) })
        }
        At::Slope(from, to) => {
            let ((_, near), (key, far)) = (at(from)?, at(to)?);
            // Per frame, times the frames of a walk, is the walk; what it costs more, over the frames it has more.
            if near.frames != BTreeSet::from([from]) || far.frames != BTreeSet::from([to]) {
                return Err(format!("{} does not deliver every frame", named(side)));
            }
            let per_frame = |depth: u64| depth as f64 / (to - from) as f64;
            let terms = vec![
                Term { weight: per_frame(to), groups: &far.groups },
                Term { weight: -per_frame(from), groups: &near.groups },
            ];
            Ok(Taken { depth: to, terms, says: format!("{} from depth {from} to {to}", label(key)) })
        }
    }
}

fn named(side: &Side) -> String {
    match side.what {
        [what] => format!("{} ({})", side.subject, what.name()),
        _ => side.subject.to_owned(),
    }
}

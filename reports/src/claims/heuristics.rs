//! C11: whether the freed-memory heuristics help.
//!
//! Decided by the rows of `checks.jsonl` of the family `pr-b1`, which are CPython's own checks; the strict policy is another
//! question. On each interpreter the same faults were walked without any check and with all, and
//!
//! * crashes are *fewer* where the interval of the crash rate with all checks lies below that without any, *more* where it lies
//!   above, and *undecided* where the two overlap; silent answers *rise* where their interval with all lies above that without;
//! * **supported**: fewer crashes on every interpreter, and silent answers rise on none;
//! * **refuted**: fewer crashes on none, more on one at least;
//! * **not measured**: no such rows, or undecided on every interpreter;
//! * **mixed**: all else, e.g. fewer crashes on some interpreters only, or fewer crashes and more silent answers.
//!
//! Interpreters are compared, never added up.

use super::{Evidence, Finding, Sure, Verdict};
use crate::model::cell::Count;
use crate::model::check::{Of, bare_and_whole};
use crate::model::records::Build;
use crate::model::tag::{is_release, newest, version};
use crate::text::number::count;
use sigwalk_record::{Check, Harm};
use std::collections::{BTreeMap, BTreeSet};

/// CPython's own checks.
const FAMILY: &str = "pr-b1";

/// The check that gh-140815 added.
const WIDE: &str = "wide-patterns";

type Sums<'a> = BTreeMap<Of<'a>, Check>;

/// Rates of one interpreter, without any check and with all.
struct Pair<'a> {
    tag: &'a str,
    crash: [Count; 2],
    silent: [Count; 2],
}

impl Pair<'_> {
    fn fewer(&self) -> bool {
        below(self.crash[1], self.crash[0])
    }

    fn more(&self) -> bool {
        below(self.crash[0], self.crash[1])
    }

    fn rises(&self) -> bool {
        below(self.silent[0], self.silent[1])
    }

    fn says(&self) -> String {
        format!("{} → {} ({})", count(self.crash[0]), count(self.crash[1]), self.tag)
    }
}

/// Whether the one interval lies below the other as a whole.
fn below(low: Count, high: Count) -> bool {
    low.n > 0 && high.n > 0 && low.interval().high < high.interval().low
}

/// C11.
pub fn help(evidence: Evidence) -> Finding {
    let sums = evidence.records.checks.sums();
    let pairs = pairs(&sums);
    let Some(newest) = newest(evidence.records, pairs.iter().map(|pair| pair.tag)) else {
        return without_checks(evidence);
    };
    let of = |tag: &str| pairs.iter().find(|pair| pair.tag == tag);
    let verdict = verdict(&pairs);
    let (everywhere, rises) = (pairs.iter().all(Pair::fewer), pairs.iter().any(Pair::rises));
    let says = match (verdict, everywhere, rises) {
        (Verdict::Supported, ..) => {
            "with CPython's checks fewer walks crash on every build, and no more of them lie"
        }
        (Verdict::Refuted, ..) => "with CPython's checks no fewer walks crash",
        (Verdict::Mixed, true, _) => "with CPython's checks fewer walks crash, but more give a wrong answer",
        (Verdict::Mixed, false, true) => {
            "with CPython's checks fewer walks crash on some builds only, and on some more give a wrong answer"
        }
        (Verdict::Mixed, false, false) => "with CPython's checks fewer walks crash on some builds only",
        (Verdict::NotMeasured, ..) => "no build shows a difference",
    };
    // What changes, in percent, is the answer; where nothing crashed without checks there is none.
    let sides = of(newest)
        .map(|pair| format!("mutated walks that crash without any check → with all: {}", pair.says()));
    let mut figures = answer(&pairs).into_iter().chain(sides);
    let figure = figures.next().unwrap_or_default();
    Finding::new(verdict, says, figure)
        .detailed(figures)
        .detailed(agreement(&pairs))
        .detailed(usefulness(&sums, newest))
        .detailed([eras(evidence, &sums, &pairs), allocators(evidence, &pairs, newest)])
        .resting_on(rests_on(evidence, &pairs))
        .at("mutations")
}

/// Each walk is one fault, walked with every set of checks.
fn rests_on(evidence: Evidence, pairs: &[Pair<'_>]) -> Sure {
    let mut sure = Sure::walks(evidence, FAMILY, |_| false);
    sure.counts = vec![(pairs.iter().map(|pair| pair.crash[0].n).sum(), "faults")];
    sure.interpreters = pairs.iter().map(|pair| pair.tag.to_owned()).collect();
    sure
}

fn pairs<'a>(sums: &'a Sums<'a>) -> Vec<Pair<'a>> {
    let mut tags: Vec<&str> = sums
        .keys()
        .filter(|(_, family, _)| *family == FAMILY)
        .map(|(tag, ..)| *tag)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    tags.sort_by_key(|tag| (version(tag), *tag));
    let pair = |tag: &'a str| {
        let row = bare_and_whole(sums, tag, FAMILY)?;
        let both =
            |k: fn(&Harm) -> u64| [&row.bare, &row.whole].map(|harm| Count { k: k(harm), n: row.walks });
        Some(Pair { tag, crash: both(|harm| harm.crash), silent: both(|harm| harm.silent) })
    };
    tags.into_iter().filter_map(pair).collect()
}

/// The answer in one sentence: what becomes of the crashes and of the silent answers, from the build where it is least to the one
/// where it is most.
fn answer(pairs: &[Pair<'_>]) -> Option<String> {
    let change = |of: fn(&Pair<'_>) -> [Count; 2]| {
        let changes = pairs.iter().map(of).filter(|[bare, _]| bare.k > 0);
        let mut changes: Vec<f64> =
            changes.map(|[bare, whole]| (whole.k as f64 / bare.k as f64 - 1.0) * 100.0).collect();
        changes.sort_by(f64::total_cmp);
        let (low, high) = (changes.first()?, changes.last()?);
        Some(match format!("{low:+.0}") == format!("{high:+.0}") {
            true => format!("{high:+.0} %"),
            false => format!("{low:+.0} % to {high:+.0} %"),
        })
    };
    let (crashes, silent) = (change(|pair| pair.crash)?, change(|pair| pair.silent)?);
    Some(format!("with all of CPython's checks instead of none: crashes {crashes}, silent answers {silent}"))
}

fn verdict(pairs: &[Pair<'_>]) -> Verdict {
    let (fewer, more) = (pairs.iter().filter(|pair| pair.fewer()).count(), pairs.iter().any(Pair::more));
    if fewer == 0 {
        return if more { Verdict::Refuted } else { Verdict::NotMeasured };
    }
    if fewer == pairs.len() && !pairs.iter().any(Pair::rises) { Verdict::Supported } else { Verdict::Mixed }
}

/// `fewer on all 11 builds`, or on how many; and where silent answers rise.
fn agreement(pairs: &[Pair<'_>]) -> Vec<String> {
    let fewer = pairs.iter().filter(|pair| pair.fewer()).count();
    let mut said = vec![format!("fewer on {fewer} of {} builds", pairs.len())];
    let rising: Vec<&Pair<'_>> = pairs.iter().filter(|pair| pair.rises()).collect();
    let worst = rising
        .iter()
        .max_by(|a, b| a.silent[1].bound().total_cmp(&b.silent[1].bound()).then(b.tag.cmp(a.tag)));
    said.push(match worst {
        None => "silent answers rise on none".to_owned(),
        Some(worst) => format!(
            "silent answers rise on {}, at most {} → {} ({})",
            rising.len(),
            count(worst.silent[0]),
            count(worst.silent[1]),
            worst.tag
        ),
    });
    said
}

/// The checks that prevent most and least on one interpreter: first by what only they prevent, then by what they prevent alone.
fn usefulness(sums: &Sums<'_>, tag: &str) -> Option<String> {
    let of_tag =
        sums.iter().filter(|((of, family, _), row)| (*of, *family) == (tag, FAMILY) && row.walks > 0);
    let mut checks: Vec<(&str, &Check)> = of_tag.map(|((.., name), row)| (*name, row)).collect();
    checks.sort_by(|a, b| {
        (b.1.only.crash, b.1.alone.crash).cmp(&(a.1.only.crash, a.1.alone.crash)).then(a.0.cmp(b.0))
    });
    let says = |(name, row): &(&str, &Check)| {
        format!(
            "{name} (only it prevents {}, alone {})",
            count(Count { k: row.only.crash, n: row.walks }),
            count(Count { k: row.alone.crash, n: row.bare.crash })
        )
    };
    let (most, least) = (checks.first()?, checks.last()?);
    let mut said = format!("on {tag} most useful {}", says(most));
    if checks.len() > 1 {
        said.push_str(&format!(", least {}", says(least)));
    }
    Some(said)
}

/// The newest minor version of which there is a release before gh-140815 and one after it.
fn eras(evidence: Evidence, sums: &Sums<'_>, pairs: &[Pair<'_>]) -> String {
    let builds = &evidence.records.builds;
    let era = |pair: &Pair<'_>| {
        let build = builds.get(pair.tag).filter(|build| is_release(build))?;
        let after = build.interpreter.freed_patterns.starts_with("after");
        (!build.interpreter.freed_patterns.is_empty()).then_some(after)
    };
    let minor = |pair: &Pair<'_>| version(pair.tag).into_iter().take(2).collect::<Vec<_>>();
    // Pairs are sorted by version: the last of each is the newest.
    let found = pairs.iter().rev().filter(|pair| era(pair) == Some(true)).find_map(|after| {
        let before =
            pairs.iter().rev().find(|pair| era(pair) == Some(false) && minor(pair) == minor(after))?;
        Some((before, after))
    });
    let Some((before, after)) = found else {
        return "no version was walked both before and after gh-140815".to_owned();
    };
    let wide = sums.get(&(after.tag, FAMILY, WIDE)).map_or_else(
        || format!("{WIDE} was not switched"),
        |row| format!("there only {WIDE} prevents {}", count(Count { k: row.only.crash, n: row.walks })),
    );
    format!(
        "before and after gh-140815, all checks: {} ({}), {} ({}), {wide}",
        count(before.crash[1]),
        before.tag,
        count(after.crash[1]),
        after.tag
    )
}

/// The release against the same version with the debug allocators.
fn allocators(evidence: Evidence, pairs: &[Pair<'_>], newest: &str) -> String {
    let of = |tag: &str| evidence.records.builds.get(tag);
    let debug = |build: &&Build| {
        let interpreter = &build.interpreter;
        let same = of(newest).is_some_and(|release| {
            release.interpreter.version == interpreter.version
                && release.interpreter.hexversion == interpreter.hexversion
        });
        same && !interpreter.debug && interpreter.allocator.contains("debug")
    };
    match pairs.iter().find(|pair| of(pair.tag).as_ref().is_some_and(debug)) {
        Some(pair) => format!("with the debug allocators {}", pair.says()),
        None => format!("{newest} was not walked with the debug allocators"),
    }
}

/// What the mutations do say without rows of checks.
fn without_checks(evidence: Evidence) -> Finding {
    const ABSENT: &str = "no check was switched off";
    let worst = super::evidence::worst_mutated(evidence, FAMILY, |_| true, |row| row.would_crash);
    match worst {
        None => Finding::not_measured(ABSENT),
        Some((tag, crash)) => Finding::new(
            Verdict::NotMeasured,
            ABSENT,
            format!("with all checks {} mutated walks of {FAMILY} would crash ({tag})", count(crash)),
        )
        .detailed([ABSENT.to_owned()])
        .at("mutations"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(crash: [u64; 2], silent: [u64; 2]) -> Pair<'static> {
        let counts = |k: [u64; 2]| k.map(|k| Count { k, n: 1000 });
        Pair { tag: "3.15.0", crash: counts(crash), silent: counts(silent) }
    }

    #[test]
    fn every_branch_of_the_rule() {
        let helps = || pair([500, 100], [10, 10]);
        let hurts = || pair([100, 500], [10, 10]);
        let undecided = || pair([100, 101], [10, 10]);
        let lies = || pair([500, 100], [10, 300]);
        for (pairs, expected) in [
            (vec![helps()], Verdict::Supported),
            (vec![helps(), helps()], Verdict::Supported),
            (vec![helps(), undecided()], Verdict::Mixed),
            (vec![helps(), hurts()], Verdict::Mixed),
            (vec![helps(), lies()], Verdict::Mixed),
            (vec![lies()], Verdict::Mixed),
            (vec![hurts(), undecided()], Verdict::Refuted),
            (vec![undecided()], Verdict::NotMeasured),
            (vec![], Verdict::NotMeasured),
        ] {
            assert_eq!(verdict(&pairs), expected, "{} pairs", pairs.len());
        }
    }

    #[test]
    fn the_answer_is_a_change_in_percent_from_least_to_most() {
        let said = |pairs: &[Pair<'_>]| answer(pairs).unwrap();
        let one = pair([500, 100], [10, 30]);
        assert!(said(&[one]).ends_with("crashes -80 %, silent answers +200 %"));
        let two = [pair([500, 100], [10, 30]), pair([500, 600], [10, 10])];
        assert!(said(&two).ends_with("crashes -80 % to +20 %, silent answers +0 % to +200 %"));
        assert!(answer(&[pair([0, 0], [1, 1])]).is_none());
    }

    /// Intervals that touch decide nothing: 500 and 520 of 1000.
    #[test]
    fn an_overlap_is_undecided() {
        assert!(!pair([520, 500], [0, 0]).fewer() && pair([600, 500], [0, 0]).fewer());
    }
}

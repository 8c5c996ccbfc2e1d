//! Known bugs, as campaigns declare them: which versions have one follows from where it came and where it was mended.

use crate::version::Version;
use serde::Deserialize;
use sigwalk_record::{Bug, Outcome, Standing};

/// The key `bug` of a `[[cells]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    id: String,
    #[serde(default)]
    issue: String,
    title: String,
    /// First release of each branch that has it. None: all that we run.
    #[serde(default)]
    since: Vec<Version>,
    /// First release of each branch that has it no more. None: it is open.
    #[serde(default)]
    fixed_in: Vec<Version>,
    hit: Vec<Outcome>,
    /// The report about it, as a path in the repository.
    #[serde(default)]
    finding: String,
}

impl Declared {
    /// What it is on that version.
    #[must_use]
    pub fn on(&self, version: Version) -> Bug {
        let came = self.since.is_empty() || reached(version, &self.since);
        let stands = if !came || reached(version, &self.fixed_in) {
            Standing::Fixed
        } else if self.fixed_in.is_empty() {
            Standing::Open
        } else {
            Standing::Affected
        };
        let (id, issue, title) = (self.id.clone(), self.issue.clone(), self.title.clone());
        Bug { id, issue, title, stands, hit: self.hit.clone(), finding: self.finding.clone() }
    }
}

/// Whether `version` is at or after the mark of its branch, or of a branch later than all that are marked.
fn reached(version: Version, marks: &[Version]) -> bool {
    match marks.iter().find(|mark| mark.minor == version.minor) {
        Some(mark) => version >= *mark,
        None => marks.iter().max().is_some_and(|last| version > *last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands(since: &[&str], fixed_in: &[&str], tag: &str) -> Standing {
        let versions = |list: &[&str]| list.iter().map(|text| Version::of_tag(text)).collect();
        Declared {
            id: "X1".into(),
            issue: String::new(),
            title: String::new(),
            since: versions(since),
            fixed_in: versions(fixed_in),
            hit: vec![Outcome::Crash],
            finding: String::new(),
        }
        .on(Version::of_tag(tag))
        .stands
    }

    #[test]
    fn a_fix_counts_from_its_release_on_each_branch_and_for_all_later_ones() {
        let fixed = ["3.13.10", "3.14.1"];
        for (tag, expected) in [
            ("3.11.7", Standing::Affected),
            ("3.13.5", Standing::Affected),
            ("3.13.15", Standing::Fixed),
            ("3.14.0", Standing::Affected),
            ("3.14.8", Standing::Fixed),
            ("3.15.0d", Standing::Fixed),
        ] {
            assert_eq!(stands(&[], &fixed, tag), expected, "{tag}");
        }
    }

    #[test]
    fn what_came_late_was_never_in_older_branches() {
        let since = ["3.13.10", "3.14.1"];
        for (tag, expected) in [
            ("3.12.1", Standing::Fixed),
            ("3.13.5", Standing::Fixed),
            ("3.13.15", Standing::Open),
            ("3.15.0", Standing::Open),
        ] {
            assert_eq!(stands(&since, &[], tag), expected, "{tag}");
        }
        assert_eq!(stands(&["3.13"], &["3.14.8"], "3.13.0"), Standing::Affected);
    }
}

//! Versions of CPython, as campaigns write them and tags have them.

use serde::{Deserialize, Deserializer};
use std::fmt;

/// `3.13` or `3.13.10`; without the last number, the first release of that minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Major and minor.
    pub minor: (u32, u32),
    /// The last number.
    pub micro: u32,
}

impl Version {
    /// Of a tag of an interpreter: `3.15.0d`, `3.15.0rc2`, `3.13.5-malloc_debug`. Zeros where a tag has no numbers.
    #[must_use]
    pub fn of_tag(tag: &str) -> Version {
        let plain = tag.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(tag.len());
        let mut numbers = tag[..plain].split('.').map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Version { minor: (next(), next()), micro: next() }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((major, minor), micro) = (self.minor, self.micro);
        write!(f, "{major}.{minor}")?;
        if micro > 0 { write!(f, ".{micro}") } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        let text = String::deserialize(deserializer)?;
        let version = Version::of_tag(&text);
        let written = format!("{}.{}", version.minor.0, version.minor.1);
        if text == written || text == format!("{written}.{}", version.micro) {
            Ok(version)
        } else {
            Err(serde::de::Error::custom(format!("version {text:?}: write it as \"3.13\" or \"3.13.10\"")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn tags_are_versions_with_something_behind() {
        for (tag, expected) in [
            ("3.15.0d", "3.15"),
            ("3.15.0rc2", "3.15"),
            ("3.13.5-malloc_debug", "3.13.5"),
            ("3.13", "3.13"),
            ("t", "0.0"),
        ] {
            assert_eq!(Version::of_tag(tag).to_string(), expected);
        }
        assert!(Version::of_tag("3.9.18") < Version::of_tag("3.13.5"));
        assert!(Version::of_tag("3.13.5") < Version::of_tag("3.13.15"));
    }
}

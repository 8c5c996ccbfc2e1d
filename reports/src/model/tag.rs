//! Which interpreters are compared with which.

use super::records::{Build, Records};

/// `3.13.15-malloc-debug` → 3, 13, 15: to sort by, and to find builds of one version.
pub fn version(tag: &str) -> Vec<u64> {
    let number = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().unwrap_or(0)
    };
    tag.split('.').map(number).collect()
}

/// Whether it is a build as people run it: no debug build, and the allocators that it has by itself.
pub fn is_release(build: &Build) -> bool {
    let interpreter = &build.interpreter;
    !interpreter.debug
        && !interpreter.free_threaded
        && matches!(interpreter.allocator.as_str(), "" | "default")
}

/// Of these tags the newest release; of none a release the newest.
pub fn newest<'a>(records: &Records, tags: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let release = |tag: &str| records.builds.get(tag).is_some_and(is_release);
    tags.into_iter().max_by_key(|tag| (release(tag), version(tag), *tag))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_numbers() {
        assert!(version("3.13.15") > version("3.13.5") && version("3.9.0") < version("3.13.0"));
        assert_eq!(version("3.15.0-malloc-debug"), version("3.15.0d"));
        assert_eq!(version("3.x.7<b>"), [3, 0, 7]);
    }
}

//! Results of single tests, where the program is CPython's own test runner (`-m test`), which writes them as JUnit's XML.
//! Every version from 3.11 to 3.15 has `--junit-xml`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Test → what became of it: `ok`, `skipped`, `failure`, `error`, … A test that ran more than once has its results joined.
pub type Results = BTreeMap<String, String>;

/// Where options for the test runner go in `arguments`; `None` where the program is another, or writes such a file already.
#[must_use]
pub fn place(arguments: &[OsString]) -> Option<usize> {
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let at = words.windows(2).position(|pair| pair == ["-m", "test"])?;
    // Options of python3 itself may come before.
    let is_option = |index: usize| {
        words[index].starts_with('-') || (index > 0 && matches!(words[index - 1], "-W" | "-X"))
    };
    let ours = (0..at).all(|index| is_option(index) && words[index] != "-c" && words[index] != "-");
    (ours && !words.iter().any(|word| word.starts_with("--junit-xml"))).then_some(at + 2)
}

/// Whether the test runner would run its tests in processes that it executes, which are not stormed.
#[must_use]
pub fn runs_elsewhere(arguments: &[OsString]) -> bool {
    place(arguments).is_some_and(|at| {
        arguments[at..].iter().filter_map(|word| word.to_str()).any(|word| {
            word.starts_with("-j")
                || word.starts_with("--multiprocess")
                || matches!(word, "--fast-ci" | "--slow-ci")
        })
    })
}

/// Reads a file of results.
///
/// # Errors
/// There is none, or it is damaged: the program did not come to its end.
pub fn read(path: &Path) -> Result<Results, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(text: &str) -> Result<Results, roxmltree::Error> {
    let document = roxmltree::Document::parse(text)?;
    let mut results: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        // A case without a name was begun and has no result of its own: its subtests have, or the process ended.
        let Some(name) = case.attribute("name") else { continue };
        let said = case.children().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name());
        let result = said.into_iter().find(|name| !name.starts_with("system-")).unwrap_or("ok");
        results.entry(steady(name)).or_default().push(result);
    }
    let joined = |mut results: Vec<&str>| {
        results.sort_unstable();
        results.join("+")
    };
    Ok(results.into_iter().map(|(name, results)| (name, joined(results))).collect())
}

/// A name without addresses, which differ from run to run: `<bound method … at 0x7f12…>`.
fn steady(name: &str) -> String {
    let mut parts = name.split(" at 0x");
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        steady.push_str(" at …");
        steady.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    steady
}

/// The module that a test is of: `test_dict` of `test.test_dict.DictTest.test_pop`, and of packages `test_asyncio`. `None` of tests
/// that a module takes from elsewhere: doctests of `json`, `test.fork_wait.ForkWait.test_wait`.
#[must_use]
pub fn module_of(test: &str) -> Option<&str> {
    // `setUpClass (test.test_x.Class)` and the like have it in parentheses.
    let dotted = test.rsplit_once('(').map_or(test, |(_, inner)| inner.trim_end_matches(')'));
    dotted.strip_prefix("test.")?.split('.').next().filter(|module| module.starts_with("test_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(Into::into).collect()
    }

    #[test]
    fn the_test_runner_is_recognised_behind_options_of_python_only() {
        for (text, at) in [
            ("-m test test_dict", Some(2)),
            ("-I -W default -m test -v", Some(5)),
            ("-m test --junit-xml x test_dict", None),
            ("script.py -m test", None),
            ("-c pass -m test", None),
            ("-m json.tool", None),
        ] {
            assert_eq!(place(&words(text)), at, "{text}");
        }
        assert!(runs_elsewhere(&words("-m test -j4 test_dict")));
        assert!(!runs_elsewhere(&words("-m test test_json")));
    }

    #[test]
    fn results_by_test() {
        let results = parse(
            r#"<testsuites tests="5"><testsuite start="now"><testcase name="test.test_x.A.test_ok" status="run" result="completed"/>
            <testcase name="test.test_x.A.test_bad"><system-out>hm</system-out><failure type="AssertionError">1 != 2</failure></testcase>
            <testcase name="test.test_x.A.test_skip"><skipped>why</skipped></testcase>
            <testcase/>
            <testcase name="twice at 0x7f00ab>"/><testcase name="twice at 0x7f00cd>"><error/></testcase></testsuite></testsuites>"#,
        )
        .unwrap();
        let pairs: Vec<(&str, &str)> = results.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("test.test_x.A.test_bad", "failure"),
                ("test.test_x.A.test_ok", "ok"),
                ("test.test_x.A.test_skip", "skipped"),
                ("twice at …>", "error+ok"),
            ]
        );
        assert!(parse("<testsuites>").is_err());
    }

    #[test]
    fn modules_of_tests() {
        assert_eq!(module_of("test.test_dict.DictTest.test_pop"), Some("test_dict"));
        assert_eq!(module_of("test.test_asyncio.test_events.T.test_x"), Some("test_asyncio"));
        assert_eq!(module_of("setUpClass (test.test_os.T)"), Some("test_os"));
        assert_eq!(module_of("test.fork_wait.ForkWait.test_wait"), None);
        assert_eq!(module_of("json.loads"), None);
    }
}

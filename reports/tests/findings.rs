//! The campaign of known bugs and the findings name each other.

use std::collections::BTreeSet;
use std::path::Path;

/// Every report that has a reproducer is named by the campaign, and every name is a file: so that a page's reference leads
/// somewhere.
#[test]
fn the_campaign_names_every_finding_with_a_reproducer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let campaign = std::fs::read_to_string(root.join("campaigns/known-bugs.toml")).unwrap();
    let named: BTreeSet<String> = campaign
        .split("finding = \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    let files = std::fs::read_dir(root.join("reports/findings")).unwrap();
    let reproduced: BTreeSet<String> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "py"))
        .map(|path| format!("reports/findings/{}.md", path.file_stem().unwrap().to_str().unwrap()))
        .collect();
    assert_eq!(named, reproduced);
    for path in named {
        assert!(root.join(&path).is_file(), "{path} is named and not there");
    }
}

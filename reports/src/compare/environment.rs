//! What differs around two runs: builds, machine, suite, settings, load.

use crate::model::records::Records;
use std::collections::{BTreeMap, BTreeSet};

/// A field with its two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Tags of the interpreters, base and new.
    pub tags: [String; 2],
    /// What differs.
    pub field: String,
    /// In the base; empty where it was not recorded.
    pub base: String,
    /// In the new runs.
    pub new: String,
}

/// Every field that is not the same on both sides.
pub fn differences(base: &Records, new: &Records, tags: &[[String; 2]]) -> Vec<Difference> {
    let mut all = Vec::new();
    for tags in tags {
        let sides = [fields(base, &tags[0]), fields(new, &tags[1])];
        // In the order in which either side names them.
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in sides.iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let [base, new] = sides.each_ref().map(|side| {
                side.iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default()
            });
            if base != new {
                all.push(Difference { tags: tags.clone(), field: name.clone(), base, new });
            }
        }
    }
    all
}

fn fields(records: &Records, tag: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    if let Some(build) = records.builds.get(tag) {
        fields.extend(build.fields().into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    // What may differ from run to run of one side: all values of it.
    let mut of_runs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for run in records.runs.iter().filter(|run| run.interpreter == tag) {
        of_runs.entry("build profile").or_default().insert(&run.profile);
        for (name, value) in &run.settings {
            of_runs.entry(name).or_default().insert(value);
        }
    }
    let joined = |values: BTreeSet<&str>| values.into_iter().collect::<Vec<_>>().join(" or ");
    fields.extend(of_runs.into_iter().map(|(name, values)| (name.to_owned(), joined(values))));
    fields.push(("load at start".to_owned(), load(records, tag)));
    fields
}

/// The load of the last minute before the runs began, from the least to the most.
fn load(records: &Records, tag: &str) -> String {
    let runs = records.runs.iter().filter(|run| run.interpreter == tag);
    let mut loads: Vec<f64> =
        runs.filter_map(|run| run.load.split_whitespace().next()?.parse().ok()).collect();
    loads.sort_by(f64::total_cmp);
    match loads.as_slice() {
        [] => String::new(),
        [only] => only.to_string(),
        [least, .., most] => format!("{least} to {most}"),
    }
}

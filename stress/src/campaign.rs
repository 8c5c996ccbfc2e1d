//! Campaign files: what is declared before a run.

use crate::failure::Failure;
use crate::target::{self, Target};
use crate::workload::Workload;
use crate::{hash, subject};
use serde::Deserialize;
use sigwalk::walkers::{self, Reads};
use sigwalk_record::{Campaign as Declared, Cell};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default = "default_deadline")]
    deadline_ms: u64,
    cells: Vec<Group>,
}

/// One `[[cells]]` table: a cell for each pair of target and walker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    workload: Workload,
    targets: Vec<String>,
    walkers: Vec<String>,
    trials: u64,
    #[serde(default = "default_millis")]
    millis: u64,
    #[serde(default = "default_gap")]
    gap_us: u64,
    /// Passes of the target, where they and not the time end a trial.
    passes: Option<u64>,
    #[serde(default)]
    params: BTreeMap<String, toml::Value>,
    /// Parameters that take one value after another: a cell for each combination, whose id ends with it.
    #[serde(default)]
    sweep: BTreeMap<String, Vec<toml::Value>>,
}

fn default_deadline() -> u64 {
    3000
}
fn default_millis() -> u64 {
    20
}
fn default_gap() -> u64 {
    50
}

/// A parsed campaign.
#[derive(Debug)]
pub struct Campaign {
    /// Name, id and text, as records have them.
    pub declared: Declared,
    /// The id as a number.
    pub id: u64,
    /// A trial that takes longer than this beyond its own time is late.
    pub deadline_ms: u64,
    /// What is to be done.
    pub plans: Vec<Plan>,
}

/// One cell, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// As records have it.
    pub cell: Cell,
    /// Where walks come from.
    pub workload: Workload,
    /// What is walked.
    pub target: &'static Target,
    /// How long the target runs.
    pub millis: u64,
    /// Passes of the target that end the trial; by the time where there is none.
    pub passes: Option<u64>,
    /// Mean gap between signals.
    pub gap_us: u64,
    /// The walker is a process of its own.
    pub walks_from_outside: bool,
}

impl Plan {
    /// Whether its walker can walk this interpreter.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.cell.not_available.is_empty()
    }
}

impl Campaign {
    /// Reads and checks a campaign file for the interpreter `tag`.
    ///
    /// # Errors
    /// The file cannot be read, has a syntax error, an unknown key, walker, target or parameter, or no cell.
    pub fn read(path: &Path, tag: &str) -> Result<Campaign, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "{}: {error}; give a campaign file, e.g. campaigns/smoke.toml",
                path.display()
            ))
        })?;
        Campaign::parse(&text, tag).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
    }

    /// As [`Campaign::read`], from text.
    ///
    /// # Errors
    /// One line that names the place and the remedy.
    pub fn parse(text: &str, tag: &str) -> Result<Campaign, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line}: {}", error.message().replace('\n', " "))
        })?;
        let id = hash::text(text);
        let mut plans = Vec::new();
        for group in &file.cells {
            for target in &group.targets {
                for walker in &group.walkers {
                    for swept in group.combinations() {
                        plans.push(group.plan(target, walker, &swept, tag)?);
                    }
                }
            }
        }
        if plans.iter().all(|plan| plan.cell.n == 0) {
            return Err("declares no trial; give [[cells]] with targets, walkers and trials".into());
        }
        let mut ids: Vec<&str> = plans.iter().map(|plan| plan.cell.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("cell {} is declared twice", twice[0]));
        }
        let declared = Declared { name: file.name, id: format!("{id:016x}"), text: text.to_owned() };
        Ok(Campaign { declared, id, deadline_ms: file.deadline_ms, plans })
    }

    /// Index of the plan of each trial: round-robin, so that drift of the machine hits all cells alike and an
    /// interrupted run has about as many trials of each. Cells that are not available have theirs, too, and a run leaves
    /// them out: the index of a trial means the same on every interpreter.
    #[must_use]
    pub fn schedule(&self) -> Vec<usize> {
        let most = self.plans.iter().map(|plan| plan.cell.n).max().unwrap_or_default();
        (0..most)
            .flat_map(|round| (0..self.plans.len()).filter(move |&plan| round < self.plans[plan].cell.n))
            .collect()
    }
}

/// A parameter's value as targets get it.
fn word(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), Into::into)
}

impl Group {
    /// Every combination of the swept parameters; one empty one where none is swept.
    fn combinations(&self) -> Vec<Vec<(String, String)>> {
        self.sweep.iter().fold(vec![Vec::new()], |before, (name, values)| {
            let with = |combination: &Vec<(String, String)>, value: &toml::Value| {
                let mut combination = combination.clone();
                combination.push((name.clone(), word(value)));
                combination
            };
            before.iter().flat_map(|one| values.iter().map(move |value| with(one, value))).collect()
        })
    }

    fn plan(
        &self,
        target: &str,
        walker: &str,
        swept: &[(String, String)],
        tag: &str,
    ) -> Result<Plan, String> {
        let target = target::named(target).ok_or_else(|| {
            let known: Vec<&str> = target::all().map(|target| target.name).collect();
            format!("unknown target {target:?}; known: {}", known.join(", "))
        })?;
        if !subject::all().any(|(name, _)| name == walker) {
            let known: Vec<&str> = subject::all().map(|(name, _)| name).collect();
            return Err(format!("unknown walker {walker:?}; known: {}", known.join(", ")));
        }
        if !target.workloads.contains(&self.workload) {
            return Err(format!(
                "target {} does not run under workload {}",
                target.name,
                self.workload.name()
            ));
        }
        if self.workload.is_own_thread()
            && walkers::named(walker).is_some_and(|entry| entry.reads == Reads::Outside)
        {
            return Err(format!(
                "walker {walker} is outside the process: it cannot walk the thread that it runs on; use workload other"
            ));
        }
        if self.millis == 0 || self.gap_us == 0 {
            return Err("millis and gap_us must be at least 1".into());
        }
        let known = |name: &str| {
            let of_group = self.targets.iter().filter_map(|target| target::named(target));
            of_group.flat_map(|target| target.params).any(|(known, ..)| *known == name)
        };
        if let Some(name) = self.params.keys().find(|name| !known(name)) {
            return Err(format!(
                "no target of these cells has a parameter {name}; `stress list` shows which have what"
            ));
        }
        if let Some((name, _)) =
            swept.iter().find(|(name, _)| target.params.iter().all(|(known, ..)| known != name))
        {
            return Err(format!("target {} has no parameter {name} to sweep over", target.name));
        }
        let given: BTreeMap<String, String> = self
            .params
            .iter()
            .map(|(name, value)| (name.clone(), word(value)))
            .chain(swept.iter().cloned())
            .collect();
        let mut params = target.params(&given);
        match self.passes {
            Some(passes) => params.insert("passes".into(), passes.to_string()),
            None => params.insert("millis".into(), self.millis.to_string()),
        };
        if self.workload == Workload::Signal {
            params.insert("gap_us".into(), self.gap_us.to_string());
        }
        let mut id = format!("{tag}/{}/{}/{walker}", self.workload.name(), target.name);
        let swept: Vec<String> = swept.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !swept.is_empty() {
            id = format!("{id}/{}", swept.join(","));
        }
        let cell = Cell {
            id,
            interpreter: tag.into(),
            workload: self.workload.name().into(),
            walker: walker.into(),
            target: target.name.into(),
            fault: String::new(),
            n: self.trials,
            params,
            not_available: subject::not_available(walker)
                .map(String::from)
                .or_else(|| target.not_available())
                .unwrap_or_default(),
            judged: walker != crate::subject::FAULTHANDLER,
            ids: target.ids.iter().map(|&id| id.into()).collect(),
            bug: None,
        };
        let from_outside = |entry: &walkers::Entry| entry.reads == Reads::Outside;
        Ok(Plan {
            cell,
            workload: self.workload,
            target,
            millis: self.millis,
            passes: self.passes,
            gap_us: self.gap_us,
            walks_from_outside: walkers::named(walker).is_some_and(from_outside),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = 'x'\n[[cells]]\nworkload = 'signal'\ntargets = ['call-tree']\nwalkers = ['guarded', 'pr-b1']\ntrials = 3\nparams = { depth = 4 }\n";

    #[test]
    fn a_cell_for_each_pair_with_its_parameters() {
        let campaign = Campaign::parse(GOOD, "3.13.0").unwrap();
        let ids: Vec<&str> = campaign.plans.iter().map(|plan| plan.cell.id.as_str()).collect();
        assert_eq!(ids, ["3.13.0/signal/call-tree/guarded", "3.13.0/signal/call-tree/pr-b1"]);
        assert_eq!(campaign.plans[0].cell.params["depth"], "4");
        assert_eq!(campaign.plans[0].cell.params["work"], "3");
        assert_eq!(campaign.schedule(), [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn a_swept_parameter_makes_a_cell_for_each_value_and_names_it() {
        let text = format!("{GOOD}sweep = {{ depth = [1, 2], work = [0, 3] }}\n")
            .replace("params = { depth = 4 }\n", "");
        let campaign = Campaign::parse(&text, "t").unwrap();
        let ids: Vec<&str> = campaign.plans.iter().map(|plan| plan.cell.id.as_str()).collect();
        assert_eq!(ids.len(), 8);
        assert_eq!(ids[0], "t/signal/call-tree/guarded/depth=1,work=0");
        assert_eq!(ids[7], "t/signal/call-tree/pr-b1/depth=2,work=3");
        let params = &campaign.plans[7].cell.params;
        assert_eq!((params["depth"].as_str(), params["work"].as_str()), ("2", "3"));
        let error = Campaign::parse(&text.replace("depth =", "dept ="), "t").unwrap_err();
        assert!(error.contains("target call-tree has no parameter dept to sweep over"), "{error}");
    }

    #[test]
    fn errors_name_the_line_and_what_is_known() {
        for (from, to, expected) in [
            ("trials = 3", "trails = 3", "line 6: unknown field `trails`"),
            (
                "'pr-b1'",
                "'pr-b2'",
                "unknown walker \"pr-b2\"; known: pr-b1, pr-b1-hops, guarded, syscall, adaptive, remote, double, triple, chunk-copy, cpython-c, faulthandler",
            ),
            ("'call-tree'", "'tree'", "unknown target \"tree\""),
            ("depth = 4", "dept = 4", "no target of these cells has a parameter dept"),
            ("'signal'", "'sgnal'", "line 3"),
            ("trials = 3", "trials = 0", "declares no trial"),
        ] {
            let error = Campaign::parse(&GOOD.replace(from, to), "t").unwrap_err();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }
}

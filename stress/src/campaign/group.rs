//! One `[[cells]]` table of a campaign, and the cells that it stands for.

use super::Plan;
use crate::fault::{self, Fault};
use crate::target::{self, End, Target};
use crate::version::Version;
use crate::workload::{Stepping, Workload};
use crate::{known_bug, subject};
use serde::Deserialize;
use sigwalk::walkers::{self, Reads};
use sigwalk_record::{Cell, Outcome};
use std::collections::BTreeMap;

/// One `[[cells]]` table: a cell for each pair of target and walker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    workload: Workload,
    targets: Vec<String>,
    walkers: Vec<String>,
    /// Faults; none where it is left out.
    #[serde(default = "no_fault")]
    faults: Vec<String>,
    trials: u64,
    /// Outcomes, each of which some trial of every cell must have; else the run ends with exit code 3.
    #[serde(default)]
    some: Vec<Outcome>,
    /// Outcomes that no trial of these cells may have; else the run ends with exit code 3.
    #[serde(default)]
    never: Vec<Outcome>,
    #[serde(default = "default_millis")]
    millis: u64,
    #[serde(default = "default_gap")]
    gap_us: u64,
    /// Instead of the campaign's: where a trial hangs by design, or steps for long.
    deadline_ms: Option<u64>,
    /// Passes of the target, where they and not the time end a trial.
    passes: Option<u64>,
    /// How a window is stepped.
    #[serde(default)]
    step: Stepping,
    /// Workload `other`: the walking thread holds the GIL during a round.
    #[serde(default)]
    gil: bool,
    /// Workload hook: mean number of allocator calls between walks.
    #[serde(default = "default_sample")]
    sample: u64,
    /// Workload hook: every so many walks the interpreter's public functions are asked as well; 0: never.
    #[serde(default)]
    public: u64,
    #[serde(default)]
    params: BTreeMap<String, toml::Value>,
    /// Environment of a program.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// First version that has what the cells use.
    needs: Option<Version>,
    /// The known bug that these cells show.
    bug: Option<known_bug::Declared>,
    /// Parameters that take one value after another: a cell for each combination, whose id ends with it.
    #[serde(default)]
    sweep: BTreeMap<String, Vec<toml::Value>>,
}

fn no_fault() -> Vec<String> {
    vec![String::new()]
}
fn default_millis() -> u64 {
    20
}
fn default_gap() -> u64 {
    50
}
fn default_sample() -> u64 {
    4
}

/// What tells a cell from the others of its group.
pub(super) struct Chosen<'a> {
    pub target: &'a str,
    pub walker: &'a str,
    /// Empty for none.
    pub fault: &'a str,
    /// Parameters that are swept over, with their values here.
    pub swept: &'a [(String, String)],
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

    /// Every cell of the group, handed to `each` until that fails.
    ///
    /// # Errors
    /// The first of `each`.
    pub(super) fn each_cell(
        &self,
        mut each: impl FnMut(&Chosen<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let combinations = self.combinations();
        for target in &self.targets {
            for walker in &self.walkers {
                for fault in &self.faults {
                    for swept in &combinations {
                        each(&Chosen { target, walker, fault, swept })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The cell of these, ready to run.
    ///
    /// # Errors
    /// One line that says what cannot be, and the remedy.
    pub(super) fn plan(&self, of: &Chosen<'_>, deadline_ms: u64, tag: &str) -> Result<Plan, String> {
        let target = target::named(of.target).ok_or_else(|| {
            let known: Vec<&str> = target::all().map(|target| target.name).collect();
            format!("unknown target {:?}; known: {}", of.target, known.join(", "))
        })?;
        let fault = match of.fault {
            "" => None,
            name => Some(fault::named(name).ok_or_else(|| {
                let known: Vec<&str> = fault::ALL.iter().map(|fault| fault.name).collect();
                format!("unknown fault {name:?}; known: {}", known.join(", "))
            })?),
        };
        self.check(target, of.walker, fault)?;
        let ids = target.ids.iter().chain(fault.map_or(&[][..], |fault| fault.ids));
        let version = Version::of_tag(tag);
        let cell = Cell {
            id: self.id(of, tag),
            interpreter: tag.into(),
            workload: self.workload.name().into(),
            walker: of.walker.into(),
            target: target.name.into(),
            fault: of.fault.into(),
            n: self.trials,
            params: self.all_params(target, of.swept)?,
            not_available: self.not_available(target, of.walker, fault, version).unwrap_or_default(),
            judged: of.walker != subject::FAULTHANDLER,
            ids: ids.map(|&id| id.into()).collect(),
            bug: self.bug.as_ref().map(|bug| bug.on(version)),
        };
        let from_outside = |entry: &walkers::Entry| entry.reads == Reads::Outside;
        Ok(Plan {
            cell,
            workload: self.workload,
            target,
            fault,
            some: self.some.clone(),
            never: self.never.clone(),
            millis: self.millis,
            deadline_ms: self.deadline_ms.unwrap_or(deadline_ms),
            passes: self.passes,
            step: self.step,
            gil: self.gil,
            gap_us: self.gap_us,
            sample: self.sample,
            public: self.public,
            walks_from_outside: subject::ours(of.walker).is_some_and(from_outside),
            env: self.env.clone(),
        })
    }

    /// What these cells ask for must make sense together.
    fn check(&self, target: &Target, walker: &str, fault: Option<&Fault>) -> Result<(), String> {
        let workload = self.workload.name();
        let is_program = self.workload == Workload::Program;
        if !self.env.is_empty() && !is_program {
            return Err("env is for programs: other workloads run in the environment of the run".into());
        }
        // A program names who walks, and that is no walker of ours.
        if !is_program && !subject::is_known(walker) {
            let known: Vec<&str> = subject::all().map(|(name, _)| name).collect();
            return Err(format!("unknown walker {walker:?}; known: {}", known.join(", ")));
        }
        if !target.workloads.contains(&self.workload) {
            return Err(format!("target {} does not run under workload {workload}", target.name));
        }
        let outside = subject::ours(walker).is_some_and(|entry| entry.reads == Reads::Outside);
        if self.workload.is_own_thread() && outside {
            return Err(format!(
                "walker {walker} is outside the process: it cannot walk the thread that it runs on; use workload other"
            ));
        }
        if self.workload == Workload::Hook && walker == subject::FAULTHANDLER {
            return Err(format!(
                "walker {walker} prints its answer, and workload hook compares answers; use workload signal or other"
            ));
        }
        if self.millis == 0 || self.gap_us == 0 || self.sample == 0 {
            return Err("millis, gap_us and sample must be at least 1".into());
        }
        if self.gil && (self.workload != Workload::Other || target.end != End::Stays) {
            return Err(format!(
                "gil = true is for workload other and targets that do not finalise, not for {} of {workload}",
                target.name
            ));
        }
        // Made where `Context::attempt` is called by the thread that is walked, and nowhere else.
        let by_itself = match self.workload {
            Workload::Signal => true,
            Workload::Step => !self.step.is_traced(),
            _ => false,
        };
        if let Some(fault) = fault.filter(|_| !by_itself) {
            return Err(format!(
                "fault {} is made by the thread that walks itself: use workload signal, or step by the trap flag, not {workload}{}",
                fault.name,
                if self.step.is_traced() { " by ptrace" } else { "" }
            ));
        }
        let ours = subject::ours(walker);
        if self.workload == Workload::Step
            && self.step.is_traced()
            && ours.is_none_or(|entry| entry.reads == Reads::Raw)
        {
            return Err(format!(
                "{walker} makes its loads in the process, and from outside a bad one is no crash: step it by = \"trap\""
            ));
        }
        if self.workload == Workload::Interleave && ours.is_none_or(|entry| entry.copies) {
            return Err(format!(
                "{walker} makes no loads of its own that could be interleaved with the target"
            ));
        }
        self.step.problem().map_or(Ok(()), |problem| Err(problem.into()))
    }

    /// `interpreter/workload/target/walker`, and whatever tells the cell from others that share these.
    fn id(&self, of: &Chosen<'_>, tag: &str) -> String {
        let mut id = format!("{tag}/{}/{}/{}", self.workload.name(), of.target, of.walker);
        let between = format!("between={}", self.step.between);
        let more = [
            (!of.fault.is_empty()).then_some(of.fault),
            self.step.is_traced().then_some("ptrace"),
            (self.workload == Workload::Interleave).then_some(between.as_str()),
        ];
        let env = self.env.iter().map(|(name, value)| format!("{name}={value}"));
        for part in more.into_iter().flatten().map(str::to_owned).chain(env) {
            id.push('/');
            id.push_str(&part);
        }
        let swept: Vec<String> = of.swept.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !swept.is_empty() {
            id = format!("{id}/{}", swept.join(","));
        }
        id
    }

    /// The target's parameters, and those of the workload.
    fn all_params(
        &self,
        target: &Target,
        swept: &[(String, String)],
    ) -> Result<BTreeMap<String, String>, String> {
        let known = |name: &str| {
            let of_group = self.targets.iter().filter_map(|target| target::named(target));
            of_group.flat_map(|target| target.params).any(|(known, ..)| *known == name)
        };
        if let Some(name) = self.params.keys().find(|name| !known(name)) {
            return Err(format!(
                "no target of these cells has a parameter {name}; `stress list` shows which have what"
            ));
        }
        let has = |name: &str| target.params.iter().any(|(known, ..)| *known == name);
        if let Some((name, _)) = swept.iter().find(|(name, _)| !has(name)) {
            return Err(format!("target {} has no parameter {name} to sweep over", target.name));
        }
        let fixed = self.params.iter().map(|(name, value)| (name.clone(), word(value)));
        let mut params = target.params(&fixed.chain(swept.iter().cloned()).collect());
        let mut say = |name: &str, value: String| params.insert(name.into(), value);
        match self.passes {
            Some(passes) => say("passes", passes.to_string()),
            None => say("millis", self.millis.to_string()),
        };
        if self.workload == Workload::Signal || self.step.burst > 0 {
            say("gap_us", self.gap_us.to_string());
        }
        if self.gil {
            say("gil", "held".into());
        }
        if self.workload == Workload::Hook {
            say("sample", self.sample.to_string());
            say("public", self.public.to_string());
        }
        if self.workload.steps() {
            params.extend(self.step.params(self.workload));
        }
        params.extend(self.env.clone());
        Ok(params)
    }

    /// Why the cell cannot run on this interpreter.
    fn not_available(
        &self,
        target: &Target,
        walker: &str,
        fault: Option<&Fault>,
        version: Version,
    ) -> Option<String> {
        if let Some(needs) = self.needs.filter(|needs| version < *needs) {
            return Some(format!("needs {needs}"));
        }
        if self.workload == Workload::Program {
            return None;
        }
        subject::not_available(walker)
            .or_else(|| self.workload.not_available())
            .or_else(|| fault.and_then(Fault::not_available))
            .map(String::from)
            .or_else(|| target.not_available())
    }
}

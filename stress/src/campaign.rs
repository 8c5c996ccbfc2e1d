//! Campaign files: what is declared before a run.

mod group;

use crate::failure::Failure;
use crate::fault::Fault;
use crate::hash;
use crate::target::Target;
use crate::workload::{Stepping, Workload};
use group::Group;
use serde::Deserialize;
use sigwalk_record::{Campaign as Declared, Cell, Outcome};
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

fn default_deadline() -> u64 {
    3000
}

/// A parsed campaign.
#[derive(Debug)]
pub struct Campaign {
    /// Name, id and text, as records have them.
    pub declared: Declared,
    /// The id as a number.
    pub id: u64,
    /// What is to be done.
    pub plans: Vec<Plan>,
}

/// One trial of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its index in the campaign.
    pub trial: u64,
    /// Index of its plan.
    pub plan: usize,
    /// How many trials of the same plan come before it.
    pub round: u64,
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
    /// What is done to the frames before each walk.
    pub fault: Option<&'static Fault>,
    /// Outcomes that must be among the cell's.
    pub some: Vec<Outcome>,
    /// Outcomes that must not.
    pub never: Vec<Outcome>,
    /// How long the target runs.
    pub millis: u64,
    /// A trial that takes longer than this beyond its own time is late.
    pub deadline_ms: u64,
    /// Passes of the target that end the trial; by the time where there is none.
    pub passes: Option<u64>,
    /// How a window is stepped.
    pub step: Stepping,
    /// The walking thread of workload `other` holds the GIL during a round.
    pub gil: bool,
    /// Mean gap between signals.
    pub gap_us: u64,
    /// Mean number of allocator calls between walks (workload hook).
    pub sample: u64,
    /// Walks for each time that the interpreter's public functions are asked (workload hook); 0: never.
    pub public: u64,
    /// The walker is a process of its own.
    pub walks_from_outside: bool,
    /// Environment of a program, beside what is inherited.
    pub env: BTreeMap<String, String>,
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
            group.each_cell(|chosen| {
                plans.push(group.plan(chosen, file.deadline_ms, tag)?);
                Ok(())
            })?;
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
        Ok(Campaign { declared, id, plans })
    }

    /// All trials, in the order of their index: round-robin, so that drift of the machine hits all cells alike and an
    /// interrupted run has about as many trials of each. Cells that are not available have theirs, too, and a run leaves
    /// them out: the index of a trial means the same on every interpreter.
    #[must_use]
    pub fn schedule(&self) -> Vec<Turn> {
        schedule(self.plans.iter().map(|plan| &plan.cell))
    }

    /// Seed of a trial: of the campaign and the round, so that the i-th trial of every cell has the same. Two walkers on one
    /// target are then compared on the same seeds, in pairs.
    ///
    /// The pairing is exact where the seed decides everything: what a target draws, and a window that is stepped from
    /// its first instruction to its last. It is nominal where timing decides: under `signal` the gaps between signals are the
    /// same, but which instruction each of them meets is not, and under `other` the seed decides nothing. A test of
    /// pairs stays valid there (pairs that have nothing in common are pairs all the same), it gains no power.
    #[must_use]
    pub fn seed(&self, turn: &Turn) -> u64 {
        hash::seed(self.id, turn.round)
    }
}

/// The schedule of these cells, which follows from their numbers of trials alone: a manifest is enough to know it.
#[must_use]
pub fn schedule<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<Turn> {
    let declared: Vec<u64> = cells.map(|cell| cell.n).collect();
    let most = declared.iter().copied().max().unwrap_or_default();
    let turns = (0..most).flat_map(|round| {
        let plans = declared.iter().enumerate().filter(move |(_, n)| round < **n);
        plans.map(move |(plan, _)| (plan, round))
    });
    (0..).zip(turns).map(|(trial, (plan, round))| Turn { trial, plan, round }).collect()
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
    }

    #[test]
    fn the_same_trial_of_every_cell_has_the_same_seed_and_no_other_has_it() {
        let more =
            "[[cells]]\nworkload = 'other'\ntargets = ['call-tree']\nwalkers = ['guarded']\ntrials = 5\n";
        let campaign = Campaign::parse(&format!("{GOOD}{more}"), "t").unwrap();
        let schedule = campaign.schedule();
        let plans: Vec<usize> = schedule.iter().map(|turn| turn.plan).collect();
        assert_eq!(plans, [0, 1, 2, 0, 1, 2, 0, 1, 2, 2, 2]);
        assert!(schedule.iter().zip(0..).all(|(turn, index)| turn.trial == index));
        let seeds = |plan: usize| -> Vec<u64> {
            let turns = schedule.iter().filter(|turn| turn.plan == plan);
            turns.map(|turn| campaign.seed(turn)).collect()
        };
        assert_eq!(seeds(0), seeds(1));
        assert_eq!(seeds(0), seeds(2)[..3]);
        let distinct: std::collections::HashSet<u64> = seeds(2).into_iter().collect();
        assert_eq!(distinct.len(), 5);
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

    /// A cell whose fault nobody makes would have counted walks of healthy frames as walks of damaged ones.
    #[test]
    fn a_fault_that_nobody_would_make_is_refused() {
        let with = |workload: &str, more: &str| {
            let text = GOOD.replace("'signal'", &format!("'{workload}'"));
            Campaign::parse(&format!("{text}faults = ['self-cycle']\n{more}"), "t")
        };
        assert!(with("signal", "").is_ok() && with("step", "").is_ok());
        for (workload, more) in
            [("hook", ""), ("other", ""), ("interleave", ""), ("step", "step = { by = 'ptrace' }\n")]
        {
            let error = with(workload, more).unwrap_err();
            assert!(error.contains("fault self-cycle is made by the thread that walks itself"), "{error}");
        }
    }

    #[test]
    fn errors_name_the_line_and_what_is_known() {
        for (from, to, expected) in [
            ("trials = 3", "trails = 3", "line 6: unknown field `trails`"),
            ("'pr-b1'", "'pr-b2'", "unknown walker \"pr-b2\"; known: pr-b1, pr-b1-hops, guarded, "),
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

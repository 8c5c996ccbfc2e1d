//! Each target's oracle is tight: what is taken out of a target's own account of itself is missed when it runs.

use super::{COMMON, Target, all, named};
use crate::campaign::{Campaign, Plan};
use crate::server::Server;
use crate::workload::Workload;
use sigwalk_embed::{Live, Options};
use sigwalk_record::{Tallies, Trial};
use std::collections::BTreeSet;
use std::path::Path;

/// Trials of one target under `signal`, with `source` in place of its own.
fn run(live: &'static Live, target: &'static Target, source: &'static str, trials: u64) -> Vec<Trial> {
    let text = format!(
        "name = 'planted'\n[[cells]]\nworkload = 'signal'\ntargets = ['{}']\nwalkers = ['guarded']\ntrials = {trials}\nmillis = 10\ngap_us = 20\n",
        target.name
    );
    let mut campaign = Campaign::parse(&text, "t").unwrap();
    campaign.plans[0].target = Box::leak(Box::new(Target { source, ..*target }));
    let mut done = Vec::new();
    let whole = Server::new(live, &campaign, 1).run(campaign.schedule(), |trial| {
        done.push(trial);
        Ok(())
    });
    assert!(whole.unwrap());
    done
}

/// Asks for modules, and so belongs to the thread that is Python's.
fn the_campaigns_name_what_exists() {
    let campaigns = Path::new(env!("CARGO_MANIFEST_DIR")).join("../campaigns");
    for name in ["teardown", "curve"] {
        Campaign::read(&campaigns.join(format!("{name}.toml")), "t").unwrap();
    }
    // The windows that the teardown campaign covers, whatever the interpreter lacks.
    let teardown = Campaign::read(&campaigns.join("teardown.toml"), "t").unwrap();
    let ids =
        |plan: &Plan| plan.cell.ids.iter().filter(|id| id.starts_with('S')).cloned().collect::<Vec<_>>();
    let covered: BTreeSet<String> =
        teardown.plans.iter().filter(|plan| plan.is_available()).flat_map(ids).collect();
    let missing: Vec<u32> = (1..=20).filter(|number| !covered.contains(&format!("S{number}"))).collect();
    assert!(missing.iter().all(|number| [17, 18, 19].contains(number)), "not covered: {missing:?}");
    assert!(teardown.plans.iter().all(|plan| plan.cell.n >= 1000 || plan.workload == Workload::Step));
}

fn total(trials: &[Trial], count: fn(&Tallies) -> u64) -> u64 {
    trials.iter().map(|trial| count(&trial.tallies)).sum()
}

/// One test, because one thread is Python's main thread, and because a trial is a fork of it.
#[test]
fn what_a_target_does_not_tell_is_found() {
    sigwalk_embed::initialize(Options::default()).unwrap();
    the_campaigns_name_what_exists();
    let live: &'static Live = Box::leak(Box::new(Live::find().unwrap()));
    for (name, from, to, count) in [
        // A line of a call is not told.
        (
            "c-calls",
            "sorted((2, 1), key=node)  # calls node",
            "sorted((2, 1), key=node)",
            wrong_line as Count,
        ),
        ("tracing", "root(1)  # calls n1", "root(1)", wrong_line),
        ("chunk-crossing", "first()  # calls f0", "pass  # calls f0\n            first()", wrong_line),
        // A caller is not told.
        ("exceptions", "passes(k)  # calls passes", "passes(k)", splice),
        ("frame-reuse", "b()  # calls b0", "b()", splice),
        ("code-churn", "(\"known\", \"fresh\", 3)", "(\"known\", \"main\", 3)", splice),
        (
            "generator-ends",
            "generator.throw(KeyError)  # calls outer, inner",
            "generator.throw(KeyError)",
            splice,
        ),
        ("tracing", "anywhere(tracers, functions)", "[]", splice),
        // A root is not told.
        ("gilstate", "[\"body\", \"main\"]", "[\"main\"]", prefix),
    ] {
        let target = named(name).unwrap();
        let planted = target.source.replacen(from, to, 1);
        assert_ne!(planted, target.source, "{name}: {from:?} is not in its source");
        let planted: &'static str = planted.leak();
        let found = (0..20).any(|_| total(&run(live, target, planted, 3), count) > 0);
        assert!(found, "{name} without {from:?}: 60 trials found nothing");
        let trials = run(live, target, target.source, 3);
        assert_eq!(total(&trials, impossible), 0, "{name}: {trials:?}");
    }
}

/// Takes out every told call of every target, one at a time, and says which are missed. What is not missed in three trials is
/// rare, or another call of the same line tells the same edge.
#[test]
#[ignore = "a measurement of all oracles, by hand: cargo test -p sigwalk-stress --bin stress -- --ignored --nocapture"]
fn every_call_that_is_not_told() {
    sigwalk_embed::initialize(Options::default()).unwrap();
    let live: &'static Live = Box::leak(Box::new(Live::find().unwrap()));
    let (mut planted, mut found) = (0, 0);
    for target in all().filter(|target| target.not_available().is_none()) {
        for (at, mark) in target.source.match_indices("  # calls ") {
            let (before, after) = target.source.split_at(at);
            let source = format!("{before}  #{}", &after[mark.len()..]);
            let trials = run(live, target, source.leak(), 3);
            planted += 1;
            if total(&trials, impossible) > 0 {
                found += 1;
            } else {
                let line = before.lines().next_back().unwrap_or_default().trim();
                println!("{}: not missed: {line}", target.name);
            }
        }
    }
    println!("{found} of {planted} untold calls were found");
    assert!(found > 0);
}

type Count = fn(&Tallies) -> u64;

fn wrong_line(tallies: &Tallies) -> u64 {
    tallies.wrong_line
}
fn splice(tallies: &Tallies) -> u64 {
    tallies.splice
}
fn prefix(tallies: &Tallies) -> u64 {
    tallies.prefix
}
fn impossible(tallies: &Tallies) -> u64 {
    tallies.wrong_line + tallies.splice + tallies.prefix
}

#[test]
fn names_are_distinct_and_each_setup_is_in_its_source() {
    let mut names: Vec<&str> = all().map(|target| target.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    for target in all() {
        let setup = target.setup_function();
        let defines =
            |text: &str| text.contains(&format!("def {setup}(")) || text.contains(&format!("\n{setup} = "));
        let common = COMMON.iter().any(|(_, text)| defines(text));
        // A program is run as it is.
        let is_program = target.workloads == [Workload::Program];
        assert!(is_program || common || defines(target.source), "{}", target.name);
        assert!(!target.oracle.is_empty() && !target.workloads.is_empty(), "{}", target.name);
    }
}

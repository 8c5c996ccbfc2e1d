//! `cost.pyperf.json`: costs as pyperf stores benchmarks, for `python3 -m pyperf show`, `check` and `compare_to`.
//!
//! A benchmark is a key of our costs, a run a process, a value the seconds of one walk. pyperf's test of significance is one of
//! equal numbers, and calls everything significant where they differ: so every benchmark of every export has [`VALUES`] values,
//! evenly chosen from all batches in their order. All batches are in `cost.jsonl`; intervals of ratios are in the report.

use crate::failure::Failure;
use crate::model::Model;
use crate::model::cost::{Batches, Key};
use crate::model::records::Build;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sigwalk_record::What;

/// Values of a benchmark. One with fewer batches has what there is: a bench that was cut short.
pub const VALUES: usize = 60;

#[derive(Serialize)]
struct Suite {
    version: &'static str,
    metadata: Value,
    benchmarks: Vec<Benchmark>,
}

#[derive(Serialize)]
struct Benchmark {
    metadata: Map<String, Value>,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    values: Vec<f64>,
}

/// The file, or nothing when nothing was timed.
///
/// # Errors
/// Only when a number is not finite, which is a defect.
pub fn suite(model: &Model) -> Result<Option<String>, Failure> {
    let costs = &model.records.cost;
    let ladder = costs.ladder.iter().map(|(key, batches)| (None, key, batches));
    let stacks = costs.stacks.iter().map(|((stack, key), batches)| (Some(stack.as_str()), key, batches));
    let benchmarks: Vec<Benchmark> = ladder
        .chain(stacks)
        .filter_map(|(stack, key, batches)| {
            benchmark(model.records.builds.get(&key.interpreter), stack, key, batches)
        })
        .collect();
    if benchmarks.is_empty() {
        return Ok(None);
    }
    let metadata = json!({"unit": "second"});
    let mut text =
        serde_json::to_string(&Suite { version: "1.0", metadata, benchmarks }).map_err(Failure::internal)?;
    text.push('\n');
    Ok(Some(text))
}

fn benchmark(build: Option<&Build>, stack: Option<&str>, key: &Key, batches: &Batches) -> Option<Benchmark> {
    // Frames that a walk delivered; where records of one key differ in them, there is no one walk to give the time of.
    let frames = batches.frames.first().filter(|_| batches.frames.len() == 1)?;
    let all: usize = batches.groups.iter().map(Vec::len).sum();
    let kept = all.min(VALUES);
    let mut at = 0;
    let mut runs = Vec::new();
    for group in &batches.groups {
        let chosen = group.iter().enumerate().filter(|(index, _)| is_chosen(at + index, all, kept));
        let values: Vec<f64> = chosen.map(|(_, ns)| ns * *frames as f64 * 1e-9).collect();
        at += group.len();
        // pyperf refuses a run without values and a value that is not positive.
        if values.iter().any(|value| *value <= 0.0) {
            return None;
        }
        if !values.is_empty() {
            runs.push(Run { values });
        }
    }
    Some(Benchmark { metadata: metadata(build, stack, key, all), runs })
}

/// Whether the batch at `index` of `all` is one of the `kept` that are spread evenly over them.
fn is_chosen(index: usize, all: usize, kept: usize) -> bool {
    (index + 1) * kept / all > index * kept / all
}

/// `guarded code+line depth 100 [3.15.0]`
fn name(stack: Option<&str>, key: &Key) -> String {
    let what = match key.what {
        What::Chain => "chain",
        What::Code => "code",
        What::Line => "code+line",
        What::Names => "code+line+names",
    };
    let sink = if key.sink.is_empty() { String::new() } else { format!(" to {}", key.sink) };
    let stack = stack.map_or_else(String::new, |stack| format!(" stack {stack}"));
    format!("{} {what}{sink}{stack} depth {} [{}]", key.subject, key.depth, key.interpreter)
}

/// Under the names of pyperf where it has one.
fn metadata(build: Option<&Build>, stack: Option<&str>, key: &Key, all: usize) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        if value.as_str() != Some("") {
            out.insert(name.to_owned(), value);
        }
    };
    put("name", name(stack, key).into());
    put("unit", "second".into());
    put("sigwalk_batches", all.into());
    if let Some(Build { interpreter, environment, .. }) = build {
        put("python_implementation", "cpython".into());
        put("python_version", interpreter.version.split(' ').next().unwrap_or_default().into());
        put("python_compiler", interpreter.compiler.as_str().into());
        put("python_config_args", interpreter.config_args.as_str().into());
        put("cpu_model_name", environment.cpu.as_str().into());
        if environment.cores > 0 {
            put("cpu_count", environment.cores.into());
        }
        put("platform", environment.kernel.as_str().into());
        put("sigwalk_commit", environment.commit.as_str().into());
        put("sigwalk_rustc", environment.rustc.as_str().into());
        put("sigwalk_libc", environment.libc.as_str().into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_chosen_as_are_kept_and_evenly() {
        for (all, kept) in [(60, 60), (61, 60), (450, 60), (7, 7), (1000, 3)] {
            let chosen: Vec<usize> = (0..all).filter(|&index| is_chosen(index, all, kept)).collect();
            assert_eq!(chosen.len(), kept, "{all}");
            let gaps = chosen.windows(2).map(|pair| pair[1] - pair[0]);
            let (least, most) =
                gaps.fold((usize::MAX, 0), |(least, most), gap| (least.min(gap), most.max(gap)));
            assert!(most - least <= 1, "{all} {kept}: {least} to {most}");
        }
    }
}

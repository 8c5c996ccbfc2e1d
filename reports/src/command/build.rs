//! `report build`: the page and what stands beside it.

use super::{judged, print};
use crate::beside::{csv, pyperf};
use crate::cli::Build;
use crate::failure::Failure;
use crate::model::Model;
use crate::output::{Staged, Target};
use crate::plot::figure;
use crate::plot::png::Painter;
use crate::progress::Progress;
use crate::read::Watch;
use crate::text::visible::{line, one_line};
use crate::{html, interrupt, json, text};
use serde::Serialize;
use std::path::Path;

/// What `--json` prints.
#[derive(Serialize)]
struct Done<'a> {
    verdict: &'a str,
    verdict_line: &'a str,
    page: String,
    files: Vec<String>,
}

/// Builds.
///
/// # Errors
/// Of the records and of the output.
pub fn run(arguments: &Build) -> Result<(), Failure> {
    interrupt::prepare()?;
    // A bad --out is found before minutes of reading, not after.
    let target = Target::new(&arguments.out)?;
    let mut progress = Progress::new(arguments.input.quiet);
    let mut staged = target.stage();
    let mut trials = csv::Trials::new(staged.open("trials.csv")?)?;
    let model = judged(
        &arguments.input,
        arguments.baseline.as_ref(),
        &mut progress,
        Some(&mut trials as &mut dyn Watch),
    )?;
    progress.step("drawing")?;
    let page = html::page(&model, &arguments.title)?;
    staged.add(target.page_name(), page.as_bytes())?;
    staged.add("summary.md", text::summary(&model).as_bytes())?;
    staged.add("summary.json", json::summary(&model)?.as_bytes())?;
    if trials.rows > 0 {
        let file = trials.finish()?;
        staged.close("trials.csv", file)?;
    }
    if let Some(suite) = pyperf::suite(&model)? {
        staged.add("cost.pyperf.json", suite.as_bytes())?;
    }
    figures(&mut staged, "figures/", &page)?;
    let paths = staged.commit()?;
    drop(progress);
    say(&model, arguments.json, &target, &paths)
}

/// Every figure of the page, as SVG and as PNG.
///
/// # Errors
/// Of the output.
pub fn figures(staged: &mut Staged<'_>, directory: &str, page: &str) -> Result<(), Failure> {
    let painter = Painter::new();
    for figure in figure::all(page)? {
        staged.add(&format!("{directory}{}.svg", figure.name), figure.svg.as_bytes())?;
        staged.add(&format!("{directory}{}.png", figure.name), &painter.png(&figure)?)?;
    }
    Ok(())
}

fn say(model: &Model, json: bool, target: &Target, paths: &[std::path::PathBuf]) -> Result<(), Failure> {
    let shown = |path: &Path| path.display().to_string();
    let page = shown(&target.path(target.page_name()));
    let verdict_line = &model.verdict.line;
    if json {
        let files = paths.iter().map(|path| shown(path)).collect();
        let done = Done { verdict: model.verdict.word, verdict_line, page, files };
        return print(&(serde_json::to_string(&done).map_err(Failure::internal)? + "\n"));
    }
    print(&format!("{}: {}\n", one_line(&page), line(verdict_line)))
}

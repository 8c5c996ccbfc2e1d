//! `stress coexist`

use super::{Session, become_build_for};
use crate::cli::Coexist;
use crate::coexist::judge::is_finding;
use crate::coexist::run::{Runner, cells};
use crate::coexist::{Order, component, remember, samplers};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::records::RunDir;
use crate::{hash, interrupt};
use sigwalk_record::{Coexistence, Kind, exit};

/// Runs the matrix.
///
/// # Errors
/// The command line, the interpreter, the directory; a trial that could not be judged.
pub fn run(arguments: &Coexist) -> Result<i32, Failure> {
    let wanted = wanted(&arguments.only)?;
    let cells = cells(arguments.plant, |other, order, walker| {
        [("other", other), ("order", order), ("walker", walker)]
            .iter()
            .all(|pair| !wanted.iter().any(|(key, _)| *key == pair.0) || wanted.contains(pair))
    });
    if cells.is_empty() {
        eprintln!("no cell of the matrix has all of {}", arguments.only.join(","));
        return Ok(exit::NOTHING_RAN);
    }
    become_build_for(arguments.python.as_deref())?;
    // Before Python and our own handler.
    remember()?;
    let session = Session::start()?;
    let text = format!(
        "coexist: {}\ntrials: {}\nseed: {}\n",
        if arguments.only.is_empty() { "the whole matrix".into() } else { arguments.only.join(",") },
        arguments.trials,
        arguments.seed
    );
    let _id = hash::text(&text);
    let tag = session.interpreter.tag.clone();
    let live = session.live;
    let manifest = session.manifest(Kind::Coexistence, "coexist", text);
    let mut records = RunDir::create(&arguments.out, manifest)?;
    interrupt::prepare();
    let runner = Runner::new(live, &tag)?;
    let mut progress = Progress::new(format!("coexist on {tag}"), cells.len() as u64 * arguments.trials);
    let mut rows = Vec::new();
    for cell in &cells {
        let name = format!("{}, {}", cell.component.name, cell.sampler.name);
        let seed = hash::mix(arguments.seed);
        let Some(row) = runner.cell(cell, arguments.trials, seed, || progress.step(&name))? else { break };
        records.append(&row)?;
        rows.push(row);
    }
    let whole = rows.len() == cells.len();
    progress.finish("");
    records.finish(whole)?;
    rows.iter().for_each(|row| println!("{}", line(row)));
    println!("{}", sum(&rows));
    println!("{}: records", arguments.out.display());
    Ok(match () {
        () if !whole => exit::INTERRUPTED,
        () if rows.iter().any(is_finding) => exit::FINDINGS,
        () => exit::OK,
    })
}

/// What `--only` names: pairs of a key and a name that is known.
fn wanted(only: &[String]) -> Result<Vec<(&str, &str)>, Failure> {
    let mut pairs = Vec::new();
    for word in only {
        let (key, name) = word.split_once('=').unwrap_or((word, ""));
        let known: Vec<&str> = match key {
            "other" => component::all().map(|component| component.name).collect(),
            "order" => Order::ALL.map(Order::name).into(),
            "walker" => samplers::ALL.iter().map(|sampler| sampler.name).collect(),
            _ => return Err(Failure::usage(format!("--only {word}: give other=…, order=… or walker=…"))),
        };
        if !known.contains(&name) {
            let known = known.join(", ");
            return Err(Failure::usage(format!("--only {word}: unknown {key} {name:?}; known: {known}")));
        }
        pairs.push((key, name));
    }
    Ok(pairs)
}

/// A row for the terminal.
fn line(row: &Coexistence) -> String {
    let outcomes: Vec<String> = [
        ("recovers", row.recovers),
        ("falls back", row.falls_back),
        ("loses recovery", row.loses_recovery),
        ("kills", row.kills),
    ]
    .iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| format!("{name} {count}/{}", row.n))
    .collect();
    let whose = match (row.ours, is_finding(row)) {
        (true, true) => "FINDING ",
        (true, false) => "",
        (false, _) => "(not ours) ",
    };
    format!(
        "{whose}{}, {}, {}: {}; restored {}/{}, reached {}/{}{}{}",
        row.other,
        row.order,
        row.walker,
        outcomes.join(", "),
        row.restored,
        row.n,
        row.reached,
        row.n,
        if row.note.is_empty() { "" } else { ": " },
        row.note
    )
}

fn sum(rows: &[Coexistence]) -> String {
    let of = |ours: bool, count: fn(&Coexistence) -> u64| -> u64 {
        rows.iter().filter(|row| row.ours == ours).map(count).sum()
    };
    let n = of(true, |row| row.n);
    format!(
        "ours: kills {}/{n}, restored {}/{n}, reached {}/{n}; shown for comparison: kills {}/{}",
        of(true, |row| row.kills),
        of(true, |row| row.restored),
        of(true, |row| row.reached),
        of(false, |row| row.kills),
        of(false, |row| row.n)
    )
}

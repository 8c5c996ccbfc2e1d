//! The lines on top: what was measured, the worst bounds, and whether n was declared and reached.

use super::cell::{CellStats, Count, Event, worst};
use super::records::Records;
use crate::text::number::{count, grouped};
use sigwalk_record::{Kind, Mutation, Whose};
use std::collections::BTreeMap;

/// More harness errors than this, and nothing can be concluded.
const HARNESS_LIMIT: f64 = 0.01;

/// Workloads in which a thread walks its own stack, those in which it walks another's, and walks of changed memory.
/// They never share a sentence or a sum. Where the walk's moment is no sample (step, interleave) there is no rate: stepping has a
/// sentence of its own.
const KINDS: [(&str, &[&str]); 3] = [
    ("Own thread", &["hook", "signal", "soak"]),
    ("Other thread", &["other"]),
    ("Changed memory", &["mutate"]),
];

/// A piece of a sentence.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Words.
    Text(String),
    /// The id of a cell, which a page makes a link.
    Cell(String),
}

/// The sentences and what they rest on.
#[derive(Debug)]
pub struct Verdict {
    /// `declared`, `exploratory` or `inconclusive`.
    pub word: &'static str,
    /// One sentence each: what ran, own thread, other thread, mutated memory, what is missing.
    pub sentences: Vec<Vec<Piece>>,
    /// The same as one line.
    pub line: String,
    /// Why it is not `declared`.
    pub reasons: Vec<String>,
}

/// Judges the whole report.
pub fn of(records: &Records) -> Verdict {
    let (mut inconclusive, mut exploratory) = (Vec::new(), Vec::new());
    let trials: u64 = records.cells.values().map(CellStats::n).sum();
    let errors: u64 = records.cells.values().map(CellStats::harness_errors).sum();
    if errors as f64 > HARNESS_LIMIT * (trials + errors) as f64 {
        inconclusive.push(format!(
            "{errors} of {} trials failed in the harness (over 1 %)",
            grouped(trials + errors)
        ));
    }
    let unfinished: Vec<_> = records.runs.iter().filter(|run| !run.complete).collect();
    if !unfinished.is_empty() {
        exploratory.push(format!("{} of {} runs not finished", unfinished.len(), records.runs.len()));
    }
    let dropped = records.runs.iter().filter(|run| run.dropped).count();
    if dropped > 0 {
        exploratory.push(format!("{dropped} last line(s) cut short and left out"));
    }
    let off = records
        .cells
        .values()
        .filter(|cell| {
            cell.cell.not_available.is_empty() && cell.n() + cell.harness_errors() != cell.declared()
        })
        .count();
    if off > 0 {
        exploratory.push(format!(
            "{off} of {} cells have another number of trials than declared",
            records.cells.len()
        ));
    }
    let word = match (inconclusive.is_empty(), exploratory.is_empty()) {
        (false, _) => "inconclusive",
        (true, false) => "exploratory",
        (true, true) => "declared",
    };
    let reasons: Vec<String> = inconclusive.into_iter().chain(exploratory).collect();
    let mut sentences = vec![text(format!("{}: {}", capital(word), measured(records, trials)))];
    sentences.extend(KINDS.iter().filter_map(|(label, workloads)| kind(records, label, workloads)));
    sentences.extend(stepped(records).map(text));
    sentences.extend(mutated(records).map(text));
    if !reasons.is_empty() {
        sentences.push(text(format!("Note: {}.", reasons.join("; "))));
    }
    let line = sentences.iter().map(|sentence| plain(sentence)).collect::<Vec<_>>().join(" ");
    Verdict { word, sentences, line, reasons }
}

fn text(text: String) -> Vec<Piece> {
    vec![Piece::Text(text)]
}

fn plain(sentence: &[Piece]) -> String {
    sentence.iter().map(|(Piece::Text(text) | Piece::Cell(text))| text.as_str()).collect()
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn measured(records: &Records, trials: u64) -> String {
    let mut parts = Vec::new();
    let ran = records.cells.values().filter(|cell| cell.n() > 0).count();
    if ran > 0 {
        parts.push(format!("{} trials in {ran} cells", grouped(trials)));
    }
    let walks: u64 = records.mutations.mutated().map(|row| row.walks).sum();
    if walks > 0 {
        parts.push(format!("{} walks of mutated memory", grouped(walks)));
    }
    let counted: [(u64, &str); 3] = [
        (watched(records), "walks watched for the contract"),
        (records.coexistence.iter().map(|row| row.n).sum(), "trials beside other owners of signals"),
        (uses(records), "uses of borrowed pointers"),
    ];
    parts.extend(counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", grouped(*n))));
    if records.runs.iter().any(|run| run.kind == Kind::Cost && run.rows > 0) {
        parts.push("cost by depth".to_owned());
    }
    if parts.is_empty() {
        parts.push("no trial".to_owned());
    }
    let builds = records.builds.len();
    let tags = records.builds.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    format!(
        "{}, on {builds} interpreter build{} ({tags}).",
        parts.join(", "),
        if builds == 1 { "" } else { "s" }
    )
}

/// Walks of the contract checker, but for those that were planted; each under three looks.
fn watched(records: &Records) -> u64 {
    records.contracts.iter().filter(|row| row.whose != Whose::Planted).map(|row| row.walks).sum()
}

/// Uses of borrowed pointers. Every technique is asked at each, and has a row of its own.
fn uses(records: &Records) -> u64 {
    let mut most = BTreeMap::<(&str, &str, u64), u64>::new();
    for row in &records.lifetimes {
        let uses = most.entry((&row.interpreter, &row.churn, row.delay_ns)).or_default();
        *uses = row.n.max(*uses);
    }
    most.values().sum()
}

/// What was met at instruction boundaries: counts, which are no rates.
fn stepped(records: &Records) -> Option<String> {
    let cells: Vec<&CellStats> = records
        .cells
        .values()
        .filter(|cell| cell.cell.workload == "step" && cell.cell.judged && cell.stepping.boundaries > 0)
        .collect();
    let side = |guarded: bool| {
        let of_side = || cells.iter().filter(move |cell| (cell.cell.walker == GUARDED) == guarded);
        let boundaries: u64 = of_side().map(|cell| cell.stepping.boundaries).sum();
        let wrong = of_side().filter(|cell| cell.count(Event::Impossible).k > 0).count();
        let died = of_side().filter(|cell| cell.count(Event::CrashFrame).k > 0).count();
        let name = if guarded { GUARDED } else { "any other walker" };
        (boundaries > 0).then(|| {
            format!(
                "{name} at {} instruction boundaries, a wrong stack in {wrong} and a crash in {died} of {} cells",
                grouped(boundaries),
                of_side().count()
            )
        })
    };
    let sides: Vec<String> = [side(true), side(false)].into_iter().flatten().collect();
    (!sides.is_empty()).then(|| format!("Stepped, own thread: {}.", sides.join("; ")))
}

/// The worst cell of `guarded` and of everyone else, for each of the things that matter most. Cells are never added up. What a walk
/// makes of frames that were damaged on purpose is the claims' business.
fn kind(records: &Records, label: &str, workloads: &[&str]) -> Option<Vec<Piece>> {
    let ran = |cell: &&CellStats| {
        cell.n() > 0 && cell.cell.fault.is_empty() && workloads.contains(&cell.cell.workload.as_str())
    };
    let (guarded, others): (Vec<&CellStats>, Vec<&CellStats>) =
        records.cells.values().filter(ran).partition(|cell| cell.cell.walker == GUARDED);
    let sides: Vec<Vec<Piece>> =
        [(GUARDED, guarded), (if guarded_ran(records) { "any other walker" } else { "any walker" }, others)]
            .into_iter()
            .filter(|(_, cells)| !cells.is_empty())
            .map(|(name, cells)| side(name, &cells))
            .collect();
    if sides.is_empty() {
        return None;
    }
    let mut sentence = text(format!("{label}, worst cell: "));
    sentence.extend(sides.join(&Piece::Text("; ".to_owned())));
    sentence.push(Piece::Text(".".to_owned()));
    Some(sentence)
}

/// The walker that the others are compared with.
const GUARDED: &str = "guarded";

fn guarded_ran(records: &Records) -> bool {
    records.cells.values().any(|cell| cell.n() > 0 && cell.cell.walker == GUARDED)
}

fn side(name: &str, cells: &[&CellStats]) -> Vec<Piece> {
    let mut pieces = text(format!("{name} "));
    let mut first = true;
    for (event, said, always) in [
        (Event::CrashFrame, "crash", true),
        (Event::Hang, "hang", false),
        (Event::Impossible, "impossible", true),
    ] {
        let found = worst(cells, |cell| cell.judged(event));
        // No hang anywhere is in the tables; a hang anywhere is news.
        if !always && found.is_none_or(|(_, found)| found.k == 0) {
            continue;
        }
        let comma = if std::mem::take(&mut first) { "" } else { ", " };
        match found {
            None => pieces.push(Piece::Text(format!("{comma}{said} not judged"))),
            Some((cell, found)) => {
                pieces.push(Piece::Text(format!("{comma}{said} {}", count(found))));
                if found.k > 0 {
                    pieces.push(Piece::Text(" (".to_owned()));
                    pieces.push(Piece::Cell(cell.cell.id.clone()));
                    pieces.push(Piece::Text(")".to_owned()));
                }
            }
        }
    }
    // A walker that survives has not answered yet.
    if let Some((_, reported)) = worst(cells, |cell| cell.cell.judged.then(|| cell.reported())) {
        let (k, n) = (grouped(reported.k), grouped(reported.n));
        pieces.push(Piece::Text(format!(", an error reported in up to {k}/{n}")));
    }
    pieces
}

/// Walks that would have crashed, of `guarded` and of everyone else, on the interpreter where most of all did.
fn mutated(records: &Records) -> Option<String> {
    let sums = records.mutations.sums(|_| true, |row| (row.walker.clone(), row.interpreter.clone()));
    let would = |row: &Mutation| Count { k: row.would_crash, n: row.walks };
    let share = |row: &Mutation| would(row).bound();
    let (_, place) = sums.iter().max_by(|a, b| share(a.1).total_cmp(&share(b.1)).then(b.0.cmp(a.0)))?.0;
    let worst = |guarded: bool| {
        let here = sums.iter().filter(|((_, interpreter), _)| interpreter == place);
        let of_side = here.filter(|((walker, _), _)| (walker == GUARDED) == guarded);
        of_side.max_by(|a, b| would(a.1).bound().total_cmp(&would(b.1).bound()).then(b.0.cmp(a.0)))
    };
    let sides: Vec<String> = [worst(true), worst(false)]
        .into_iter()
        .flatten()
        .map(|((walker, interpreter), row)| {
            let survived = match row.recovered {
                0 => String::new(),
                faults => format!(" after {} survived faults", grouped(faults)),
            };
            // Walks on one stack are related: a bound belongs to the table below, beside that caveat.
            let (k, n, stacks) = (grouped(row.would_crash), grouped(row.walks), grouped(row.stacks));
            format!("{walker} {k} of {n} on {stacks} stacks{survived} ({interpreter})")
        })
        .collect();
    (!sides.is_empty()).then(|| format!("Mutated memory, walks that would crash: {}.", sides.join("; ")))
}

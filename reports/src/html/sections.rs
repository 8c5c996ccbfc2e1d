//! The other tables of the page: cost, ratios, buckets, environment, data.

use super::table::{Status, Table, Td};
use crate::model::Model;
use crate::model::cost::Row;
use crate::model::records::Build;
use crate::text::number::{estimate, grouped, significant};
use crate::text::target;
use sigwalk_record::{Counted, Kind, What};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of subjects that were timed at several depths, and the others: a line lookup has no depth.
pub fn by_depth<'a>(rows: &[&'a Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
    let mut depths = BTreeMap::<(String, What), BTreeSet<u64>>::new();
    for row in rows {
        depths.entry((row.key.label(), row.key.what)).or_default().insert(row.key.depth);
    }
    rows.iter().copied().partition(|row| depths[&(row.key.label(), row.key.what)].len() > 1)
}

fn effort(row: &Row) -> String {
    let processes = if row.groups == 1 { "process" } else { "processes" };
    format!("{} batches, {} {processes}", row.samples, row.groups)
}

/// The caption with what every row rests on, said once where it is the same everywhere; and the different efforts.
fn with_effort(rows: &[&Row], caption: String) -> (String, BTreeSet<String>) {
    let efforts: BTreeSet<String> = rows.iter().map(|row| effort(row)).collect();
    let caption = match efforts.first() {
        Some(effort) if efforts.len() == 1 => format!("{caption}; {effort} each"),
        _ => caption,
    };
    (caption, efforts)
}

/// A median with its interval, with `said` and what was not delivered in small print.
fn timed(row: &Row, said: Option<String>) -> Td {
    let frames: Vec<String> =
        row.frames.iter().filter(|frames| **frames != row.key.depth).map(u64::to_string).collect();
    let delivered = (!frames.is_empty()).then(|| format!("{} frames delivered", frames.join(" or ")));
    let shown = row.ns_per_frame;
    let interval =
        format!("[{},\u{a0}{}]", significant(shown.interval.low), significant(shown.interval.high));
    let small = [interval].into_iter().chain(said).chain(delivered);
    Td::num(significant(shown.value)).small(small.collect::<Vec<_>>().join(", "))
}

/// Costs on real stacks of one interpreter: subjects down, stacks across. A stack that was of another depth in another
/// run has a column for each.
pub fn stacks(rows: &[(&str, &Row)], caption: String) -> Table {
    let plain: Vec<&Row> = rows.iter().map(|(_, row)| *row).collect();
    let (caption, efforts) = with_effort(&plain, caption);
    let columns: BTreeSet<(&str, u64)> = rows.iter().map(|(stack, row)| (*stack, row.key.depth)).collect();
    let mut head = vec!["subject".to_owned(), "delivers".to_owned()];
    head.extend(columns.iter().map(|(stack, depth)| format!("{stack}, depth {depth}")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(caption, 2, &head);
    let subjects: BTreeSet<_> = rows.iter().map(|(_, row)| (row.key.label(), row.key.what)).collect();
    for (label, what) in subjects {
        let mut cells = vec![Td::text(what.name())];
        cells.extend(columns.iter().map(|column| {
            let found = rows.iter().find(|(stack, row)| {
                (*stack, row.key.depth) == *column && row.key.what == what && row.key.label() == label
            });
            found
                .map_or_else(|| Td::num("–"), |(_, row)| timed(row, (efforts.len() > 1).then(|| effort(row))))
        }));
        table.row("", Td::text(label), cells);
    }
    table
}

/// What was counted on one interpreter.
pub fn counts(model: &Model, tag: &str) -> Table {
    let head = ["walker", "delivers", "depth", "system calls"];
    let mut table =
        Table::new(format!("System calls that one walk enters on {tag}, the most of any"), 2, &head);
    for (key, most) in model.records.cost.counts.iter().filter(|(key, _)| key.interpreter == tag) {
        let Counted::Syscalls = key.counted;
        table.row(
            "",
            Td::text(key.subject.clone()),
            vec![Td::text(key.what.name()), Td::num(key.depth.to_string()), Td::num(grouped(*most))],
        );
    }
    table
}

/// Costs of one interpreter: subjects down, depths across.
pub fn cost(rows: &[&Row], caption: String) -> Table {
    let (caption, efforts) = with_effort(rows, caption);
    let depths: BTreeSet<u64> = rows.iter().map(|row| row.key.depth).collect();
    let mut head = vec!["subject".to_owned(), "delivers".to_owned()];
    head.extend(depths.iter().map(|depth| format!("depth {depth}")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(caption, 2, &head);
    let subjects: BTreeSet<_> = rows.iter().map(|row| (row.key.label(), row.key.what)).collect();
    for (label, what) in subjects {
        let of_subject = || rows.iter().filter(|row| row.key.what == what && row.key.label() == label);
        let notes: BTreeSet<&str> =
            of_subject().flat_map(|row| row.notes.iter().map(String::as_str)).collect();
        let mut cells = vec![Td::text(what.name())];
        for depth in &depths {
            cells.push(
                of_subject()
                    .find(|row| row.key.depth == *depth)
                    .map_or_else(|| Td::num("–"), |row| timed(row, (efforts.len() > 1).then(|| effort(row)))),
            );
        }
        table.row("", Td::text(label).small(notes.into_iter().collect::<Vec<_>>().join("; ")), cells);
    }
    table
}

/// Ratios against targets.
pub fn ratios(model: &Model) -> Table {
    let head = ["ratio", "interpreter", "sides", "depth", "value [95 %]", "target", "verdict"];
    let mut table = Table::new("Ratios of medians, both sides in one run", 3, &head);
    table.head[6].num = false;
    for ratio in &model.ratios {
        let (sides, depth, value, status) = match &ratio.found {
            Ok(found) => {
                let status = match (found.decided, found.met) {
                    (false, _) => Status::Mixed,
                    (true, true) => Status::Good,
                    (true, false) => Status::Bad,
                };
                (&found.sides, found.depth.to_string(), estimate(found.estimate), status)
            }
            Err(missing) => (missing, "–".to_owned(), "–".to_owned(), Status::Absent),
        };
        table.row(
            "",
            Td::code(ratio.name).small(ratio.says),
            vec![
                Td::text(ratio.interpreter.clone()),
                Td::text(sides.clone()),
                Td::num(depth),
                Td::num(value),
                Td::num(target(ratio.target)),
                Td::text(ratio.verdict()).status(status),
            ],
        );
    }
    table
}

/// Crashes and hangs by title, one column an interpreter.
pub fn buckets(model: &Model, rows: usize) -> Table {
    let tags: Vec<&str> = model.records.builds.keys().map(String::as_str).collect();
    let mut head = vec!["bucket", "whose", "trials"];
    head.extend(&tags);
    head.extend(["cells", "run the first one again"]);
    let mut table = Table::new("Crashes and hangs with the same title, by interpreter", 2, &head);
    for th in &mut table.head[tags.len() + 4..] {
        th.num = false;
    }
    let sorted = model.records.buckets.sorted();
    for bucket in sorted.iter().take(rows) {
        let mut cells = vec![
            if bucket.in_walk {
                Td::text("walker").status(Status::Crash)
            } else {
                Td::text("target").status(Status::Absent)
            },
            Td::num(grouped(bucket.count)),
        ];
        cells.extend(tags.iter().map(|tag| {
            Td::num(bucket.builds.get(*tag).map_or_else(|| "0".to_owned(), |count| grouped(*count)))
        }));
        cells.extend([
            Td::num(grouped(bucket.cells.len() as u64)),
            Td::code(bucket.replay()).small(format!("seed {}", bucket.seed)),
        ]);
        table.row(bucket.id.clone(), Td::code(bucket.title.clone()), cells);
    }
    if sorted.len() > rows {
        table.note = format!("and {} more, all in summary.json.", sorted.len() - rows);
    }
    if model.records.buckets.beyond > 0 {
        table.note.push_str(&format!(" {} trials have further titles.", model.records.buckets.beyond));
    }
    table
}

/// Everything known of one build and its machine.
pub fn environment(tag: &str, build: &Build) -> Table {
    let machine = &build.environment;
    let mut table = Table::new(format!("Interpreter {tag} and its machine"), 2, &["field", "value"]);
    let fields = build
        .fields()
        .into_iter()
        .chain([("build profile", machine.profile.clone()), ("load at start", machine.load.clone())]);
    let other = machine.other.iter().map(|(name, value)| (name.as_str(), value.clone()));
    for (name, value) in fields.chain(other) {
        let shown =
            if value.is_empty() { Td::text("not recorded").status(Status::Absent) } else { Td::code(value) };
        table.row("", Td::text(name), vec![shown]);
    }
    table
}

/// The files the report was made from.
pub fn data(model: &Model) -> Table {
    let head = [
        "run directory",
        "file",
        "rows",
        "interpreter",
        "campaign",
        "state",
        "profile",
        "load",
        "started",
        "ended",
    ];
    let mut table = Table::new("Records this report was made from", 2, &head);
    for th in &mut table.head[3..] {
        th.num = false;
    }
    for run in &model.records.runs {
        let state = match (run.complete, run.dropped) {
            (true, false) => Td::text("complete").status(Status::Good),
            (true, true) => Td::text("last line cut short").status(Status::Mixed),
            (false, _) => Td::text("not finished").status(Status::Mixed),
        };
        let says = match run.kind {
            Kind::Trials => "one row a trial",
            Kind::Mutations => "one row a walker, field and model",
            Kind::Cost => "one row a subject and depth",
            Kind::Contract => "one row a subject and context",
            Kind::Coexistence => "one row a component, order and walker",
            Kind::Lifetimes => "one row a delay, churn and technique",
            Kind::Allocations => "one row a stack and size",
        };
        table.row(
            "",
            Td::code(run.dir.clone()),
            vec![
                Td::code(run.file).small(says),
                Td::num(grouped(run.rows)),
                Td::text(run.interpreter.clone()),
                Td::text(run.campaign.clone()).small(run.campaign_id.clone()),
                state,
                Td::text(run.profile.clone()),
                Td::text(run.load.clone()),
                Td::text(run.started.clone()),
                Td::text(run.ended.clone()),
            ],
        );
    }
    table
}

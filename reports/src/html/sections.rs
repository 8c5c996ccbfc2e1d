//! The other tables of the page: claims, mutations, cost, ratios, buckets, environment, data.

use super::table::{Link, Status, Table, Td};
use crate::claims::Verdict;
use crate::model::Model;
use crate::model::cell::Count;
use crate::model::mutation::COLUMNS;
use crate::model::records::Build;
use crate::text::number::{estimate, grouped};
use crate::text::{met, target};
use sigwalk_record::{Kind, Mutation};

/// Claims, each with its verdict, figure and evidence. `linkable` says which anchors the page really has.
pub fn claims(model: &Model, linkable: impl Fn(&str) -> bool) -> Table {
    let mut table = Table::new(
        "Claims under test",
        5,
        &["id", "claim", "verdict", "key figure, or why there is none", "evidence"],
    );
    for judged in &model.claims {
        let (claim, finding) = (judged.claim, &judged.finding);
        let status = match finding.verdict {
            Verdict::Supported => Status::Good,
            Verdict::Refuted => Status::Bad,
            Verdict::Mixed => Status::Mixed,
            Verdict::NotMeasured => Status::Absent,
        };
        let mut links: Vec<Link> = finding
            .cells
            .iter()
            .map(|id| Link { anchor: super::matrix::cell_anchor(id), label: id.clone() })
            .filter(|link| linkable(&link.anchor))
            .take(3)
            .collect();
        if !finding.section.is_empty() {
            links.push(Link { anchor: finding.section.to_owned(), label: finding.section.to_owned() });
        }
        table.row(
            format!("claim-{}", claim.id),
            Td::text(claim.id),
            vec![
                Td::text(claim.text),
                Td::text(finding.verdict.name().replace('_', " ")).status(status),
                Td::text(finding.figure.clone()),
                Td { links, ..Td::default() },
            ],
        );
    }
    table
}

fn outcome_cells(row: &Mutation, at_least: &str) -> Vec<Td> {
    let statuses =
        [Status::Crash, Status::Hang, Status::Silent, Status::Detected, Status::Detected, Status::Zero];
    let mut cells =
        vec![Td::num(grouped(row.walks)).small(format!("on {at_least}{} stacks", grouped(row.stacks)))];
    cells.extend(
        COLUMNS
            .iter()
            .zip(statuses)
            .map(|((_, k), status)| Td::count(Count { k: k(row), n: row.walks }, status)),
    );
    cells
}

fn mutation_table(caption: &str, keys: &[&str]) -> Table {
    let mut head = keys.to_vec();
    head.extend(["walks", "would crash", "hang", "silent", "noticed", "recovered", "unharmed"]);
    Table::new(caption, keys.len(), &head)
}

/// Walkers over all fields; then by field; then every row, worst first, at most `rows`.
pub fn mutations(model: &Model, rows: usize) -> Vec<Table> {
    let mutations = &model.records.mutations;
    if mutations.0.is_empty() {
        return Vec::new();
    }
    let mut walkers = mutation_table("By walker, all fields and value classes", &["interpreter", "walker"]);
    for ((interpreter, walker), row) in
        mutations.sums(|_| true, |row| (row.interpreter.clone(), row.walker.clone()))
    {
        walkers.row(
            "",
            Td::text(interpreter),
            [vec![Td::text(walker)], outcome_cells(&row, "≥ ")].concat_cells(),
        );
    }
    let mut fields =
        mutation_table("By walker and field, all value classes", &["interpreter", "walker", "field"]);
    for ((interpreter, walker, field), row) in
        mutations.sums(|_| true, |row| (row.interpreter.clone(), row.walker.clone(), row.field.clone()))
    {
        fields.row(
            "",
            Td::text(interpreter),
            [vec![Td::text(walker), Td::code(field)], outcome_cells(&row, "≥ ")].concat_cells(),
        );
    }
    let mut all = mutation_table(
        "By walker, field and value class, worst first",
        &["interpreter", "walker", "field", "class"],
    );
    let mut ranked: Vec<&Mutation> = mutations.0.values().collect();
    // Stable, so that equals keep the order of their names.
    ranked.sort_by_key(|row| std::cmp::Reverse((row.would_crash, row.hang, row.silent())));
    for row in ranked.into_iter().take(rows) {
        let sites: Vec<String> =
            row.crash_sites.iter().map(|(site, count)| format!("{site} {count}")).collect();
        let head = vec![
            Td::text(row.walker.clone()),
            Td::code(row.field.clone()),
            Td::code(row.class.clone()).small(sites.join(", ")),
        ];
        all.row("", Td::text(row.interpreter.clone()), [head, outcome_cells(row, "")].concat_cells());
    }
    if mutations.0.len() > rows {
        all.note = format!("{} more rows are in summary.json.", mutations.0.len() - rows);
    }
    fields.cut(rows);
    vec![walkers, fields, all]
}

trait ConcatCells {
    fn concat_cells(self) -> Vec<Td>;
}

impl ConcatCells for [Vec<Td>; 2] {
    fn concat_cells(self) -> Vec<Td> {
        self.into_iter().flatten().collect()
    }
}

/// Nanoseconds per frame of one interpreter: subjects down, depths across.
pub fn cost(model: &Model, interpreter: &str) -> Table {
    let rows: Vec<_> = model.cost.iter().filter(|row| row.key.interpreter == interpreter).collect();
    let depths: std::collections::BTreeSet<u64> = rows.iter().map(|row| row.key.depth).collect();
    let mut head = vec!["subject".to_owned(), "delivers".to_owned()];
    head.extend(depths.iter().map(|depth| format!("depth {depth}")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(
        format!("Nanoseconds per frame delivered on {interpreter}: median [95 % interval]"),
        2,
        &head,
    );
    let subjects: std::collections::BTreeSet<_> =
        rows.iter().map(|row| (row.key.label(), row.key.what)).collect();
    for (label, what) in subjects {
        let of_subject = || rows.iter().filter(|row| row.key.what == what && row.key.label() == label);
        let notes: std::collections::BTreeSet<&str> =
            of_subject().flat_map(|row| row.notes.iter().map(String::as_str)).collect();
        let mut cells = vec![Td::text(what.name())];
        for depth in &depths {
            cells.push(of_subject().find(|row| row.key.depth == *depth).map_or_else(
                || Td::num("–"),
                |row| {
                    let frames: Vec<String> = row
                        .frames
                        .iter()
                        .filter(|frames| **frames != row.key.depth)
                        .map(u64::to_string)
                        .collect();
                    let delivered = if frames.is_empty() {
                        String::new()
                    } else {
                        format!(", {} frames delivered", frames.join(" or "))
                    };
                    let plural =
                        |n: usize, one: &'static str, many: &'static str| if n == 1 { one } else { many };
                    Td::num(estimate(row.ns_per_frame)).small(format!(
                        "{} batches, {} {}{delivered}",
                        row.samples,
                        row.groups,
                        plural(row.groups, "process", "processes")
                    ))
                },
            ));
        }
        table.row("", Td::text(label).small(notes.into_iter().collect::<Vec<_>>().join("; ")), cells);
    }
    table
}

/// Ratios against targets.
pub fn ratios(model: &Model) -> Table {
    let head = ["ratio", "interpreter", "sides", "depth", "value [95 %]", "target", "met"];
    let mut table = Table::new("Ratios of medians, both sides in one run", 3, &head);
    for ratio in &model.ratios {
        table.row(
            "",
            Td::code(ratio.name).small(ratio.says),
            vec![
                Td::text(ratio.interpreter.clone()),
                Td::text(ratio.sides.clone()),
                Td::num(ratio.depth.to_string()),
                Td::num(estimate(ratio.estimate)),
                Td::num(target(ratio.target)),
                Td::text(met(ratio.met, ratio.decided)).status(if ratio.met {
                    Status::Good
                } else {
                    Status::Bad
                }),
            ],
        );
    }
    table
}

/// Crashes and hangs by title.
pub fn buckets(model: &Model, rows: usize) -> Table {
    let head = ["bucket", "trials", "whose", "interpreters", "cells", "first seed", "run it again"];
    let mut table = Table::new("Crashes and hangs with the same title", 1, &head);
    for th in &mut table.head[2..] {
        th.num = false;
    }
    for bucket in model.records.buckets.sorted() {
        let builds: Vec<&str> = bucket.builds.iter().map(String::as_str).collect();
        table.row(
            bucket.id.clone(),
            Td::code(bucket.title.clone()),
            vec![
                Td::num(grouped(bucket.count)),
                if bucket.in_walk {
                    Td::text("walker").status(Status::Crash)
                } else {
                    Td::text("target").status(Status::Absent)
                },
                Td::text(builds.join(", ")),
                Td::num(grouped(bucket.cells.len() as u64)),
                Td::code(bucket.seed.clone()),
                Td::code(bucket.replay()),
            ],
        );
    }
    table.cut(rows);
    if model.records.buckets.beyond > 0 {
        table.note.push_str(&format!(" {} trials have further titles.", model.records.buckets.beyond));
    }
    table
}

/// Everything known of one build and its machine.
pub fn environment(tag: &str, build: &Build) -> Table {
    let (interpreter, machine) = (&build.interpreter, &build.environment);
    let mut table = Table::new(format!("Interpreter {tag} and its machine"), 2, &["field", "value"]);
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let fields = [
        ("sys.version", interpreter.version.clone()),
        ("Py_Version", interpreter.hexversion.clone()),
        ("configure arguments", interpreter.config_args.clone()),
        ("compiler", interpreter.compiler.clone()),
        ("debug build", yes(interpreter.debug)),
        ("free-threaded", yes(interpreter.free_threaded)),
        ("JIT", yes(interpreter.jit)),
        ("libpython", interpreter.libpython.clone()),
        ("size of _PyRuntime", interpreter.runtime_size.to_string()),
        ("freed-pointer patterns", interpreter.freed_patterns.clone()),
        ("allocator", interpreter.allocator.clone()),
        ("CPU", machine.cpu.clone()),
        ("cores", machine.cores.to_string()),
        ("kernel", machine.kernel.clone()),
        ("distribution", machine.os.clone()),
        ("C library", machine.libc.clone()),
        ("rustc", machine.rustc.clone()),
        ("build profile", machine.profile.clone()),
        ("sigwalk", machine.suite_version.clone()),
        ("commit", machine.commit.clone()),
        ("load at start", machine.load.clone()),
    ];
    let other = machine.other.iter().map(|(name, value)| (name.as_str(), value.clone()));
    for (name, value) in fields.into_iter().chain(other) {
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
            Kind::Mutations => "one row a walker, field and class",
            Kind::Cost => "one row a subject and depth",
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

//! What each check is worth: harm without and with all of them, checks by interpreter at a glance, and for each interpreter the
//! order, what is prevented, and the false alarms.

use super::super::order;
use super::super::table::{Status, Table, Td, Th};
use super::order::ablation;
use super::{by_tag, tags};
use crate::model::Model;
use crate::model::cell::Count;
use crate::model::check::{HARMS, Of, alarms, alone, bare_and_whole, of_walks, only, only_alarms, worse};
use crate::text::anchor;
use crate::text::number::{fraction, grouped, limits, percent};
use sigwalk_record::Check;
use std::collections::{BTreeMap, BTreeSet};

/// Tables of one interpreter and family.
#[derive(Debug)]
pub struct ChecksOf {
    /// Anchor.
    pub id: String,
    /// Family and interpreter.
    pub title: String,
    /// Whether it is shown without being asked for.
    pub open: bool,
    /// Best first, by crashes for each nanosecond.
    pub ablation: Table,
    /// What each prevents.
    pub prevents: Table,
    /// What each refuses wrongly.
    pub alarms: Table,
}

const STATUS: [Status; 3] = [Status::Crash, Status::Hang, Status::Silent];

fn group(text: &str, span: usize) -> Th {
    Th { text: text.to_owned(), span, num: false }
}

type Sums<'a> = BTreeMap<Of<'a>, Check>;

/// (interpreter, family), by version.
fn pairs<'a>(sums: &Sums<'a>) -> Vec<(&'a str, &'a str)> {
    let pairs: BTreeSet<_> = sums.keys().map(|(interpreter, family, _)| (*interpreter, *family)).collect();
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by(|a, b| by_tag(*a, *b));
    pairs
}

/// Harm without any check and with all of them, on the same faults.
pub fn effect(model: &Model) -> Table {
    let head = ["interpreter", "family", "crash", "hang", "silent", "crash", "hang", "silent"];
    let caption = "The same faults walked without any check and with all: k/n walks and 95 % bounds";
    let mut table = Table::new(caption, 2, &head);
    table.groups = vec![group("", 2), group("without any check", 3), group("with all checks", 3)];
    let sums = model.records.checks.sums();
    for (interpreter, family) in pairs(&sums) {
        let Some(row) = bare_and_whole(&sums, interpreter, family) else { continue };
        let effort = format!("{} walks on {} stacks", grouped(row.walks), grouped(row.stacks));
        let mut cells = vec![Td::text(family).small(effort)];
        for harm in [&row.bare, &row.whole] {
            cells.extend(
                HARMS.iter().zip(STATUS).map(|(kind, status)| Td::count(of_walks(row, harm, *kind), status)),
            );
        }
        table.row("", Td::text(interpreter), cells);
    }
    table
}

/// Checks down, interpreters across, one table a family.
pub fn matrices(model: &Model, rows: usize) -> Vec<Table> {
    let sums = model.records.checks.sums();
    let families = order::walkers(sums.keys().map(|(_, family, _)| *family));
    families.into_iter().map(|family| matrix(&sums, family, rows)).collect()
}

fn matrix(sums: &Sums<'_>, family: &str, rows: usize) -> Table {
    let of_family = || sums.iter().filter(|((_, whose, _), _)| *whose == family);
    let tags = tags(of_family().map(|((interpreter, ..), _)| *interpreter));
    let mut head = vec!["check"];
    head.extend(&tags);
    let caption = format!(
        "{family}: of the walks that crash without any check, the share that this check alone prevents; below, of all walks, those that crash when only this check is off"
    );
    let mut table = Table::new(caption, head.len(), &head);
    let mut worth = BTreeMap::<&str, (f64, f64)>::new();
    for ((_, _, name), row) in of_family() {
        let share = |count: Count| if count.n == 0 { 0.0 } else { count.k as f64 / count.n as f64 };
        let best = worth.entry(name).or_default();
        best.0 = best.0.max(share(only(row, HARMS[0])));
        best.1 = best.1.max(share(alone(row, HARMS[0])));
    }
    // Where it is worth most decides the order, so that all interpreters have the same rows.
    let mut ranked: Vec<_> = worth.into_iter().collect();
    ranked.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(b.1.1.total_cmp(&a.1.1)).then(a.0.cmp(b.0)));
    for (name, _) in ranked {
        let across =
            tags.iter().map(|tag| sums.get(&(*tag, family, name)).map_or_else(|| Td::text("–"), worth_of));
        table.row("", Td::code(name), across.collect());
    }
    table.cut(rows);
    table
}

fn worth_of(row: &Check) -> Td {
    let alone = alone(row, HARMS[0]);
    let only = Count { k: row.only.crash, n: row.walks };
    let share = if only.k == 0 { format!("0 {}", limits(only)) } else { percent(only) };
    Td::text(format!("alone {}", percent(alone)))
        .small(format!("only it {share}"))
        .bar(alone.n, [("b-recovered", alone.k), ("b-unharmed", alone.n - alone.k)])
}

/// Every interpreter and family.
pub fn every(model: &Model, newest: Option<&str>, rows: usize) -> Vec<ChecksOf> {
    let checks = &model.records.checks;
    let sums = checks.sums();
    let controls: Vec<(&str, Sums<'_>)> =
        checks.control_models().into_iter().map(|model| (model, checks.controls(model))).collect();
    let mut all = sums.clone();
    // A campaign may have asked for healthy stacks only.
    for (_, of_model) in &controls {
        for of in of_model.keys() {
            all.entry(*of).or_default();
        }
    }
    let found = pairs(&all).into_iter().map(|(interpreter, family)| {
        let of = |(tag, whose, _): &Of<'_>| (*tag, *whose) == (interpreter, family);
        let mut rows_of: Vec<(&str, &Check)> =
            all.iter().filter(|(key, _)| of(key)).map(|((_, _, name), row)| (*name, row)).collect();
        // All tables of a family in one order: that of what a check is worth.
        let order = model
            .ablation
            .iter()
            .find(|of| (of.interpreter.as_str(), of.family.as_str()) == (interpreter, family));
        let place = |name: &str| order.and_then(|of| of.steps.iter().position(|step| step.check == name));
        rows_of.sort_by_key(|(name, _)| (place(name).is_none(), place(name)));
        let mut alarms = false_alarms(&rows_of, &controls, interpreter, family);
        let mut prevents = prevents(&rows_of, interpreter, family);
        let mut ablation = ablation(model, interpreter, family);
        for table in [&mut alarms, &mut prevents, &mut ablation] {
            table.cut(rows);
        }
        ChecksOf {
            id: anchor("checks", &format!("{family}/{interpreter}")),
            title: format!("Checks of {family} on {interpreter}"),
            open: newest == Some(interpreter),
            ablation,
            prevents,
            alarms,
        }
    });
    found.collect()
}

fn prevents(rows: &[(&str, &Check)], interpreter: &str, family: &str) -> Table {
    let head = ["check", "crash", "hang", "silent", "crash", "hang", "silent", "makes worse"];
    let caption = format!("What each check of {family} prevents on {interpreter}: k/n walks and 95 % bounds");
    let mut table = Table::new(caption, 1, &head);
    table.groups = vec![
        group("", 1),
        group("alone prevents, of the walks that do this without any check", 3),
        group("only it prevents, of the walks that do no harm with all checks", 3),
        group("of all", 1),
    ];
    for (name, row) in rows.iter().filter(|(_, row)| row.walks > 0) {
        let mut cells: Vec<Td> = HARMS.iter().map(|kind| prevented(alone(row, *kind))).collect();
        cells.extend(HARMS.iter().map(|kind| prevented(only(row, *kind))));
        cells.push(Td::count(worse(row), Status::Bad));
        table.row("", Td::code(*name), cells);
    }
    table
}

/// Harm that did not happen is good; none, of no walk, is not even a zero.
fn prevented(count: Count) -> Td {
    if count.n == 0 { Td::num(fraction(count)) } else { Td::count(count, Status::Good) }
}

fn false_alarms(
    rows: &[(&str, &Check)],
    controls: &[(&str, Sums<'_>)],
    interpreter: &str,
    family: &str,
) -> Table {
    let mut head = vec!["check", "it alone", "only it"];
    head.extend(controls.iter().map(|(model, _)| *model));
    let caption = format!(
        "Right answers that each check of {family} refuses on {interpreter}: k/n walks and 95 % bounds"
    );
    let mut table = Table::new(caption, 1, &head);
    table.groups = vec![group("", 1), group("mutated, and harmless", 2)];
    if !controls.is_empty() {
        table.groups.push(group("nothing changed", controls.len()));
    }
    for (name, row) in rows {
        let alarm =
            |count: Count| if count.n == 0 { Td::num("–") } else { Td::count(count, Status::Mixed) };
        let mut cells = vec![alarm(alarms(row)), alarm(only_alarms(row))];
        cells.extend(controls.iter().map(|(_, sums)| {
            let found = sums.get(&(interpreter, family, *name));
            alarm(found.map_or_else(Count::default, |row| Count { k: row.alarms, n: row.walks }))
        }));
        table.row("", Td::code(*name), cells);
    }
    table
}

//! `summary.md`: the report as a review comment.

use super::number::{count, estimate, fraction, grouped, rate, significant};
use super::table::Table;
use super::visible::{clipped, one_line};
use super::walkers;
use super::{compare, heuristics};
use crate::model::cell::{CellStats, Event};
use crate::model::ratio::Target;
use crate::model::stepping::KINDS;
use crate::model::verdict::Piece;
use crate::model::{Model, bug, coexistence};
use std::collections::BTreeMap;

/// A comment may hold 65 536 characters; the whole text stays below 60 000.
const WHOLE: usize = 58_000;

/// Characters of a table that matters most, and of one that a page has room for and a comment has not.
const TABLE: usize = 12_000;
const SMALL: usize = 4_000;

/// Characters of a sentence, and of a name in a heading: each may take four times as many once it is escaped.
const MOST: usize = 1000;
const NAME: usize = 100;

/// What zero events and the other limits mean, once for all formats.
pub const LIMITS: &str = "Limits: zero events is a bound, not a proof. n is trials (fresh processes), never walks; \
mutation rows count walks, and their bounds treat walks as independent although walks on one stack are related. Bounds are 95 % (Clopper–Pearson; after zero events one-sided, \
1−0.05^(1/n)). Rates hold for the stated build, walker, target and parameters, on this machine; where timing decides, \
another machine gives other rates. Own-thread and other-thread walks are never added up.";

/// The whole text.
pub fn summary(model: &Model) -> String {
    let mut out = String::from("## sigwalk summary\n\n");
    for sentence in &model.verdict.sentences {
        let line: String =
            sentence.iter().map(|(Piece::Text(text) | Piece::Cell(text))| text.as_str()).collect();
        out.push_str(&format!("{}\n\n", plain(&line)));
    }
    for notice in &model.records.notices {
        out.push_str(&format!("- {}\n", plain(notice)));
    }
    if !model.records.notices.is_empty() {
        out.push('\n');
    }
    compared(&mut out, model);
    out.push_str(&claims(model));
    let of_walkers = walkers::walkers(model);
    if !of_walkers.is_empty() {
        out.push_str(&format!("{}\n\n", walkers::KEY));
    }
    section(&mut out, "Walkers", &of_walkers, TABLE);
    if let Some((kills, left_wrong)) = coexistence::ours(&model.records.coexistence) {
        // The cells of several interpreters share their seeds: each has a bound, and the sum has none.
        let ours = || model.records.coexistence.iter().filter(|row| row.ours && row.n > 0);
        let worst =
            ours().map(coexistence::kills).max_by(|a, b| a.bound().total_cmp(&b.bound())).unwrap_or(kills);
        let cells = ours().count();
        let line = format!(
            "Beside other owners of signals, in the ways that we recommend: kills {} in {cells} cells (worst cell {}), signals left wrong in {} of {} trials.",
            fraction(kills),
            count(worst),
            grouped(left_wrong),
            grouped(kills.n)
        );
        out.push_str(&format!("{}\n\n", plain(&line)));
    }
    out.push_str("<details><summary>All other tables</summary>\n\n");
    section(&mut out, "Trials", &trials(model), TABLE);
    for (workload, table) in pairs(model) {
        section(
            &mut out,
            &format!("Same seeds, workload {}", plain(&clipped(&workload, NAME))),
            &table,
            SMALL / 2,
        );
    }
    section(&mut out, "Stepping", &stepping(model), SMALL);
    section(&mut out, "Known bugs", &bugs(model), 2 * SMALL);
    section(&mut out, "Healthy stacks: false alarms", &heuristics::control(model), SMALL);
    section(&mut out, "Mutated frame memory, walks", &heuristics::walkers(model), 2 * SMALL);
    section(
        &mut out,
        "Heuristics: the same faults without and with the checks",
        &heuristics::effect(model),
        SMALL,
    );
    if let Some((newest, table)) = heuristics::checks(model) {
        section(
            &mut out,
            &format!("Checks on {}, best first", plain(&clipped(&newest, NAME))),
            &table,
            SMALL,
        );
    }
    section(&mut out, "Loads that fail on purpose", &heuristics::injection(model), SMALL);
    section(
        &mut out,
        "Guided fuzzing: conditional on the corpus, no rates",
        &heuristics::fuzz(model),
        SMALL / 2,
    );
    section(&mut out, "Cost, ns per frame", &cost(model), 2 * SMALL);
    section(&mut out, "Real stacks, ns per frame", &stacks(model), SMALL);
    section(&mut out, "Ratios", &ratios(model), 2 * SMALL);
    out.push_str("</details>\n\n");
    out.push_str(LIMITS);
    out.push('\n');
    out
}

/// Text outside a fence: no markup of Markdown or HTML gets through.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(&clipped(text, MOST)).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // The backslash too: or one that was there would take the one that is put before a backtick.
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '@' | '!' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

fn section(out: &mut String, title: &str, table: &Table, most: usize) {
    if !table.is_empty() {
        let most = most.min(WHOLE.saturating_sub(out.len()));
        out.push_str(&format!("### {title}\n\n{}\n", table.fenced(most)));
    }
}

fn compared(out: &mut String, model: &Model) {
    let Some(comparison) = &model.comparison else { return };
    out.push_str(&format!("### Compared with the baseline\n\n{}\n\n", plain(&comparison.line())));
    for reason in &comparison.reasons {
        out.push_str(&format!("- {}: {}\n", reason.weight.word(), plain(&reason.text)));
    }
    out.push('\n');
    section(out, "Environment differences", &compare::environment(comparison), SMALL / 2);
    section(out, "Rates that differ", &compare::rates(comparison), SMALL);
    section(out, "Costs that differ", &compare::costs(comparison), SMALL);
    section(out, "Geometric means of cost ratios", &compare::means(comparison), SMALL / 2);
    out.push_str(&format!("{}\n\n", plain(&compare::rest(comparison))));
}

/// Whole sentences, as a table that a comment wraps.
fn claims(model: &Model) -> String {
    let mut out = String::from(
        "### Claims\n\n| | claim | verdict | in a line | key figure | n |\n|---|---|---|---|---|---|\n",
    );
    for judged in &model.claims {
        let finding = &judged.finding;
        let cells = [
            judged.claim.id,
            judged.claim.text,
            &finding.verdict.name().replace('_', " "),
            &finding.says,
            &finding.figure,
            &finding.sure.said().join("; "),
        ]
        .map(plain);
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
    out
}

fn trials(model: &Model) -> Table {
    let head = [
        "python",
        "workload",
        "walker",
        "target",
        "trials",
        "impossible",
        "crash",
        "≤95%",
        "hang",
        "elsewhere",
        "harness",
    ];
    let mut table = Table::new(4, &head);
    let mut cells: Vec<&CellStats> =
        model.records.cells.values().filter(|cell| cell.cell.not_available.is_empty()).collect();
    // Worst first: what does not fit must be what says least.
    cells.sort_by_key(|cell| {
        let k = |event| std::cmp::Reverse(cell.judged(event).unwrap_or_default().k);
        (k(Event::CrashFrame), k(Event::Hang), k(Event::Impossible), &cell.cell.id)
    });
    for cell in cells {
        let events = |event| {
            let count = cell.count(event);
            format!("{}/{}", count.k, count.n)
        };
        let elsewhere: u64 =
            [Event::CrashThreadList, Event::CrashThreadName, Event::CrashTarget, Event::HangTarget]
                .map(|event| cell.count(event).k)
                .iter()
                .sum();
        table.row(vec![
            cell.cell.interpreter.clone(),
            cell.cell.workload.clone(),
            cell.cell.walker.clone(),
            cell.target_with_ids(),
            grouped(cell.n()),
            match cell.judged(Event::Impossible) {
                Some(count) => format!("{}/{}", count.k, count.n),
                None => "not judged".to_owned(),
            },
            events(Event::CrashFrame),
            rate(cell.count(Event::CrashFrame).bound()),
            events(Event::Hang),
            elsewhere.to_string(),
            cell.harness_errors().to_string(),
        ]);
    }
    table
}

/// Pairs that differ, a table for each workload: own-thread and other-thread walks never share one.
fn pairs(model: &Model) -> BTreeMap<String, Table> {
    let head = [
        "python", "target", "event", "walker A", "walker B", "verdict", "pairs", "only A", "only B", "p",
        "Holm p",
    ];
    let mut tables = BTreeMap::new();
    for row in model.pairs.iter().filter(|row| row.differs()) {
        let table = tables.entry(row.workload.clone()).or_insert_with(|| Table::new(6, &head));
        table.row(vec![
            row.interpreter.clone(),
            row.target.clone(),
            row.compared.name().replace('_', " "),
            row.walkers[0].clone(),
            row.walkers[1].clone(),
            row.verdict(),
            grouped(row.pairs),
            row.only[0].to_string(),
            row.only[1].to_string(),
            significant(row.p),
            significant(row.adjusted),
        ]);
    }
    tables
}

fn stepping(model: &Model) -> Table {
    let mut head = vec!["python", "walker", "target", "trials", "boundaries", "no state"];
    head.extend(KINDS);
    let mut table = Table::new(3, &head);
    for cell in model.records.cells.values().filter(|cell| cell.stepping.boundaries > 0) {
        let mut row = vec![
            cell.cell.interpreter.clone(),
            cell.cell.walker.clone(),
            cell.target_with_ids(),
            grouped(cell.n()),
            grouped(cell.stepping.boundaries),
            grouped(cell.stepping.without_state),
        ];
        row.extend(cell.stepping.kinds[..KINDS.len()].iter().map(|count| grouped(*count)));
        table.row(row);
    }
    table
}

fn bugs(model: &Model) -> Table {
    let matrix = bug::matrix(&model.records);
    let mut head = vec!["bug", "issue", "shown by"];
    head.extend(&matrix.tags);
    let mut table = Table::new(head.len(), &head);
    for row in &matrix.rows {
        let mut cells = vec![row.bug.id.clone(), row.bug.issue.clone(), row.how.to_owned()];
        cells.extend(row.shown.iter().map(|shown| shown.as_ref().map_or_else(|| "–".into(), known)));
        table.row(cells);
    }
    table
}

/// `reproduced 17/20, 0.31 s`, `gone 0/20 ≤ 14 %`, `not run: needs 3.15`
fn known(shown: &bug::Shown<'_>) -> String {
    let (word, count) = (shown.word().name(), shown.count());
    match shown.first_hit() {
        _ if count.n == 0 => format!("{word}: {}", shown.why_not()),
        Some(time) => format!("{word} {}, {time}", fraction(count)),
        None => format!("{word} {} ≤ {}", fraction(count), rate(count.bound())),
    }
}

fn cost(model: &Model) -> Table {
    let mut table = Table::new(3, &["python", "subject", "what", "depth", "ns/frame [95%]"]);
    for row in &model.cost {
        table.row(vec![
            row.key.interpreter.clone(),
            row.key.label(),
            row.key.what.name().to_owned(),
            row.key.depth.to_string(),
            estimate(row.ns_per_frame),
        ]);
    }
    table
}

fn stacks(model: &Model) -> Table {
    let mut table = Table::new(4, &["python", "stack", "subject", "what", "depth", "ns/frame [95%]"]);
    for (stack, row) in &model.stacks {
        table.row(vec![
            row.key.interpreter.clone(),
            stack.clone(),
            row.key.label(),
            row.key.what.name().to_owned(),
            row.key.depth.to_string(),
            estimate(row.ns_per_frame),
        ]);
    }
    table
}

fn ratios(model: &Model) -> Table {
    let mut table = Table::new(2, &["python", "ratio", "depth", "value [95%]", "target", "verdict"]);
    for ratio in &model.ratios {
        let (depth, value) = match &ratio.found {
            Ok(found) => (found.depth.to_string(), estimate(found.estimate)),
            Err(_) => ("–".to_owned(), "–".to_owned()),
        };
        table.row(vec![
            ratio.interpreter.clone(),
            ratio.name.to_owned(),
            depth,
            value,
            target(ratio.target),
            ratio.verdict().to_owned(),
        ]);
    }
    table
}

/// `≤ 1.5`
pub fn target(target: Target) -> String {
    match target {
        Target::AtMost(limit) => format!("≤ {}", significant(limit)),
        Target::AtLeast(limit) => format!("≥ {}", significant(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_outside_a_fence_is_no_markup() {
        assert_eq!(plain("<script>`x`*y*\n"), "&lt;script>\\`x\\`\\*y\\*\\\\u000a");
        assert_eq!(plain("\\[x\\](y)"), "\\\\\\[x\\\\\\](y)");
    }
}

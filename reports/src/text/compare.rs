//! A comparison as text: what differs around the runs, the banner, what is different, and counts of the rest.

use super::number::{fraction, grouped, significant};
use super::table::Table;
use super::visible::one_line;
use crate::compare::{Comparison, CostRow, LEVEL, RateRow, Test};

/// Characters of a table: a terminal has room.
const TABLE: usize = 40_000;

/// What `report compare` prints.
pub fn comparison(comparison: &Comparison) -> String {
    let mut out = String::new();
    put(&mut out, "Environment differences", &environment(comparison));
    for reason in &comparison.reasons {
        out.push_str(&format!("{}: {}\n", reason.weight.word(), one_line(&reason.text)));
    }
    if !comparison.reasons.is_empty() {
        out.push('\n');
    }
    put(&mut out, "Rates that differ", &rates(comparison));
    put(&mut out, "Costs that differ", &costs(comparison));
    put(&mut out, "Geometric means of cost ratios", &means(comparison));
    let seen: Vec<String> = comparison.different_rates().flat_map(trials).collect();
    if !seen.is_empty() {
        out.push_str(&format!("Trials to run again\n{}\n\n", seen.join("\n")));
    }
    out.push_str(&format!("{}\n{}\n", rest(comparison), comparison.line()));
    out
}

fn put(out: &mut String, title: &str, table: &Table) {
    if !table.is_empty() {
        out.push_str(&format!("{title}\n{}\n", table.plain(TABLE)));
    }
}

/// What was compared and how, in one paragraph.
pub fn rest(comparison: &Comparison) -> String {
    let once = comparison.rates.iter().filter(|row| row.test == Test::Once).count();
    let events = comparison.rates.iter().filter(|row| row.is_seen()).count();
    let mut says = vec![format!(
        "{} pairs of cells, {} rates ({} with an event on either side)",
        comparison.cells.0,
        grouped(comparison.rates.len() as u64),
        grouped(events as u64),
    )];
    says.push(format!(
        "{} tests had events enough to show a difference, and are adjusted for each other by Holm",
        grouped(comparison.rate_tests as u64)
    ));
    if once > 0 {
        says.push(format!(
            "{once} rates of windows that are stepped whole are one observation each and are not tested"
        ));
    }
    if !comparison.costs.is_empty() {
        says.push(format!(
            "{} costs, compared all at once over {} assignments of processes (maxT)",
            grouped(comparison.costs.len() as u64),
            grouped(comparison.assignments as u64)
        ));
    }
    format!(
        "{}. The chance that anything is called different where nothing is, is at most {:.0} %. “No difference” is no equality.",
        says.join("; "),
        LEVEL * 100.0
    )
}

/// Fields that differ.
pub fn environment(comparison: &Comparison) -> Table {
    let mut table = Table::new(4, &["python", "field", "base", "new"]);
    for difference in &comparison.environment {
        table.row(vec![
            both(&difference.tags),
            difference.field.clone(),
            cut(&difference.base),
            cut(&difference.new),
        ]);
    }
    table
}

/// Rates that differ.
pub fn rates(comparison: &Comparison) -> Table {
    let head = [
        "python",
        "workload",
        "target",
        "walker",
        "event",
        "base",
        "new",
        "new − base [95%]",
        "test",
        "adjusted p",
    ];
    let mut table = Table::new(5, &head);
    for row in comparison.different_rates() {
        table.row(vec![
            both(&row.tags),
            row.workload.clone(),
            row.target.clone(),
            both(&row.walkers),
            row.event.1.replace('_', " "),
            fraction(row.counts[0]),
            fraction(row.counts[1]),
            difference(row),
            test(row),
            significant(row.adjusted),
        ]);
    }
    table
}

/// Costs that differ.
pub fn costs(comparison: &Comparison) -> Table {
    let head = [
        "python",
        "stack",
        "subject",
        "what",
        "depth",
        "base ns",
        "new ns",
        "ratio [95%]",
        "processes",
        "adjusted p",
    ];
    let mut table = Table::new(4, &head);
    for row in comparison.different_costs() {
        table.row(vec![
            both(&row.tags),
            row.stack.clone(),
            both(&row.subjects),
            row.what.to_owned(),
            row.depth.to_string(),
            significant(row.ns[0]),
            significant(row.ns[1]),
            ratio(row),
            format!("{} + {}", row.processes[0], row.processes[1]),
            significant(row.adjusted),
        ]);
    }
    table
}

/// Geometric means of the subjects of which some row differs.
pub fn means(comparison: &Comparison) -> Table {
    let mut table = Table::new(2, &["python", "subject", "rows", "differ", "geometric mean"]);
    for mean in &comparison.means {
        let differ = comparison
            .different_costs()
            .filter(|row| (&row.tags, &row.subjects) == (&mean.tags, &mean.subjects))
            .count();
        if differ > 0 {
            table.row(vec![
                both(&mean.tags),
                both(&mean.subjects),
                mean.rows.to_string(),
                differ.to_string(),
                times(mean.value),
            ]);
        }
    }
    table
}

/// `1.20× slower`, `1.05× faster`
pub fn times(ratio: f64) -> String {
    if ratio >= 1.0 { format!("{ratio:.2}× slower") } else { format!("{:.2}× faster", 1.0 / ratio) }
}

/// `1.20× slower [1.15, 1.26]`
pub fn ratio(row: &CostRow) -> String {
    let interval = row.ratio.interval;
    if interval.high.is_finite() {
        format!("{} [{:.2}, {:.2}]", times(row.ratio.value), interval.low, interval.high)
    } else {
        format!("{} [one process]", times(row.ratio.value))
    }
}

/// `+0.90 [0.71, 1.1] %`
pub fn difference(row: &RateRow) -> String {
    let percent = |value: f64| significant(value * 100.0);
    format!("{} [{}, {}] %", percent(row.difference()), percent(row.interval.low), percent(row.interval.high))
}

/// How a rate was tested.
pub fn test(row: &RateRow) -> String {
    match row.test {
        Test::Pairs { only, exact } => {
            let name = if exact { "" } else { ", by name" };
            format!("McNemar: only base {}, only new {}{name}", grouped(only[0]), grouped(only[1]))
        }
        Test::Apart => "Fisher".to_owned(),
        Test::Once => "none: one observation".to_owned(),
    }
}

/// A name, or both where they differ.
pub fn both(names: &[String; 2]) -> String {
    if names[0] == names[1] { names[0].clone() } else { format!("{} → {}", names[0], names[1]) }
}

/// The trials that a difference names, a line each.
fn trials(row: &RateRow) -> Vec<String> {
    let line = |seen: &crate::compare::Seen| {
        let side = if seen.in_new { "new" } else { "base" };
        format!(
            "  {} in {side}, seed {:016x}: {}",
            row.event.1.replace('_', " "),
            seen.seed,
            one_line(&seen.replay)
        )
    };
    row.seen.iter().map(line).collect()
}

/// Configure arguments are longer than any terminal is wide.
fn cut(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        _ if text.is_empty() => "not recorded".to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

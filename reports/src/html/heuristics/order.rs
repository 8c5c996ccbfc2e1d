//! Checks in the order of crashes avoided for each nanosecond.

use super::super::table::{Table, Td, Th};
use crate::model::Model;
use crate::model::ablation::{Ablation, Price};
use crate::model::cell::Count;
use crate::text::number::{count, rounded, significant};

/// The order of one family on one interpreter.
pub fn ablation(model: &Model, interpreter: &str, family: &str) -> Table {
    let head = ["check", "only it", "alone", "ns per frame", "only it", "alone"];
    let of = |of: &&Ablation| of.interpreter == interpreter && of.family == family;
    let found = model.ablation.iter().find(of);
    let timed = found.is_some_and(Ablation::timed);
    let by = if timed {
        "by crashes avoided for each nanosecond"
    } else {
        "by crashes avoided: their cost was not measured"
    };
    let mut table = Table::new(format!("Checks of {family} on {interpreter}, best first, {by}"), 1, &head);
    let group = |text: &str, span| Th { text: text.to_owned(), span, num: false };
    table.groups = vec![
        group("", 1),
        group("crashes avoided per million mutated walks", 2),
        group("cost", 1),
        group("crashes avoided per million walks and ns", 2),
    ];
    for step in found.iter().flat_map(|found| &found.steps) {
        let price = step.price.as_ref();
        let cells = vec![
            crashes(step.only),
            crashes(step.alone),
            price.map_or_else(|| Td::num("not measured"), cost),
            Td::num(step.worth(step.only_per_ns())),
            Td::num(step.worth(step.alone_per_ns())),
        ];
        table.row("", Td::code(step.check.clone()), cells);
    }
    table
}

fn crashes(of: Count) -> Td {
    let per_million = if of.k == 0 { "0".to_owned() } else { rounded(of.k as f64 * 1e6 / of.n as f64) };
    Td::num(per_million).small(count(of))
}

fn cost(price: &Price) -> Td {
    let interval = price.ns.interval;
    let small = format!(
        "[{}, {}], {} at depth {}",
        significant(interval.low),
        significant(interval.high),
        price.what.name(),
        price.depth
    );
    let shown = if price.measurable() { significant(price.ns.value) } else { "not measurable".to_owned() };
    Td::num(shown).small(small)
}

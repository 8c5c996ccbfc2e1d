//! What stands beside the mutations: freed memory as found, loads that fail on purpose, guided fuzzing.

use super::super::order;
use super::super::table::{Status, Table, Td, Th};
use super::{by_tag, tags};
use crate::model::cell::Count;
use crate::model::injected::{Word, mode};
use crate::model::records::Records;
use crate::text::number::{fraction, grouped, limits, percent};
use sigwalk_record::Injection;
use std::collections::BTreeSet;

/// What the words of really freed objects held: words down, interpreters across.
pub fn freed(records: &Records, rows: usize) -> Table {
    let words = records.freed.words();
    let tags = tags(words.keys().map(|(interpreter, ..)| *interpreter));
    let mut head = vec!["freed object", "word"];
    head.extend(&tags);
    let caption = "What a word of a really freed object held when it was looked at: share of objects, and how many there were";
    let mut table = Table::new(caption, head.len(), &head);
    let places: BTreeSet<(&str, &str)> = words.keys().map(|(_, model, word)| (*model, *word)).collect();
    for (model, word) in places {
        let mut cells = vec![Td::code(word)];
        cells.extend(tags.iter().map(|tag| {
            let of: Word<'_> = (tag, model, word);
            words.get(&of).map_or_else(|| Td::text("–"), |found| held(found))
        }));
        table.row("", Td::code(model), cells);
    }
    table.cut(rows);
    table
}

fn held(found: &[(&str, Count)]) -> Td {
    // A seventh kind would be a word that holds anything: the first ones tell that too.
    let lines = found.iter().take(6).map(|(what, count)| format!("{what} {}", percent(*count))).collect();
    let n = found.first().map_or(0, |(_, count)| count.n);
    Td { lines, small: format!("{} objects", grouped(n)), ..Td::default() }
}

/// Loads that failed on purpose, worst mode of no walker hidden: one row a walker and mode.
pub fn injection(records: &Records, rows: usize) -> Table {
    let head = [
        "interpreter",
        "walker",
        "mode",
        "longest sweep",
        "noticed",
        "crash",
        "hang",
        "silent",
        "unharmed",
        "unprotected loads",
    ];
    let caption = "Loads that fail on purpose: k/n walks and 95 % bounds";
    let mut table = Table::new(caption, 3, &head);
    let group = |text: &str, span| Th { text: text.to_owned(), span, num: false };
    table.groups = vec![
        group("", 4),
        group("said so", 1),
        group("did not come back", 2),
        group("wrong", 1),
        group("right", 1),
        group("past the reader", 1),
    ];
    let mut all: Vec<&Injection> = records.injections.0.values().collect();
    all.sort_by(|a, b| {
        let of = |row: &Injection| (row.mode, row.per_million);
        by_tag((&a.interpreter, &a.walker), (&b.interpreter, &b.walker)).then(of(a).cmp(&of(b)))
    });
    for row in all {
        let of = |k, status| Td::count(Count { k, n: row.walks }, status);
        let unprotected = Td::num(grouped(row.unprotected));
        let cells = vec![
            Td::text(row.walker.clone()).small(format!("{} stacks", grouped(row.stacks))),
            Td::text(mode(row)).small(format!("{} loads failed", grouped(row.failed))),
            Td::num(grouped(row.longest)),
            of(row.noticed, Status::Detected),
            of(row.crash, Status::Crash),
            of(row.hang, Status::Hang),
            of(row.silent, Status::Silent),
            of(row.unharmed, Status::Zero),
            if row.unprotected > 0 { unprotected.status(Status::Crash) } else { unprotected },
        ];
        table.row("", Td::text(row.interpreter.clone()), cells);
    }
    table.cut(rows);
    table
}

/// The same at a glance: walkers and modes down, interpreters across.
pub fn injection_glance(records: &Records, rows: usize) -> Table {
    let all = &records.injections.0;
    let tags = tags(all.keys().map(|(interpreter, ..)| interpreter.as_str()));
    let mut head = vec!["walker", "mode"];
    head.extend(&tags);
    let caption = "Walks that crashed when loads failed: k/n and 95 % bound, the longest sweep, and what else went wrong, if anything";
    let mut table = Table::new(caption, 2, &head);
    let places: BTreeSet<_> =
        all.keys().map(|(_, walker, mode, rate)| (order::rank(walker), *mode, *rate)).collect();
    for ((_, walker), of_mode, rate) in places {
        let found = |tag: &str| all.get(&(tag.to_owned(), walker.to_owned(), of_mode, rate));
        let Some(named) = tags.iter().find_map(|tag| found(tag)).map(mode) else { continue };
        let mut cells = vec![Td::text(named)];
        cells.extend(tags.iter().map(|tag| found(tag).map_or_else(|| Td::num("–"), glance)));
        table.row("", Td::text(walker), cells);
    }
    table.cut(rows);
    table
}

fn glance(row: &Injection) -> Td {
    let crash = Count { k: row.crash, n: row.walks };
    let status = match row {
        _ if row.crash > 0 || row.unprotected > 0 => Status::Crash,
        _ if row.hang > 0 => Status::Hang,
        _ if row.silent > 0 => Status::Silent,
        _ => Status::Zero,
    };
    let wrong = [("hang", row.hang), ("silent", row.silent), ("unprotected", row.unprotected)];
    let wrong = wrong.iter().filter(|(_, k)| *k > 0).map(|(what, k)| format!(", {what} {}", grouped(*k)));
    let small = format!("{}, n to {}{}", limits(crash), grouped(row.longest), wrong.collect::<String>());
    Td::num(fraction(crash)).small(small).status(status)
}

/// Would-be crashes that the fuzzer met: counts, no rates. A walker without any has a row that says so.
pub fn fuzz(records: &Records, rows: usize) -> Table {
    let fuzzed = &records.fuzzed;
    let tags = tags(fuzzed.walks.keys().map(|(_, interpreter)| interpreter.as_str()));
    let mut head = vec!["walker", "what", "load"];
    head.extend(&tags);
    let caption = format!(
        "Guided fuzzing, conditional on the corpus: walks that met it in {} executions; no rate and no bound",
        grouped(fuzzed.executions)
    );
    let mut table = Table::new(caption, 3, &head);
    let mut walkers: Vec<&str> = fuzzed.walks.keys().map(|(walker, _)| walker.as_str()).collect();
    walkers.sort_by_key(|walker| order::rank(walker));
    walkers.dedup();
    for walker in walkers {
        let met = fuzzed.sites.iter().filter(|((of, ..), _)| of == walker);
        let mut met: Vec<_> = met.map(|((_, what, site), counts)| (*what, site, counts)).collect();
        met.sort_by_key(|(what, site, counts)| {
            (*what, std::cmp::Reverse(counts.values().sum::<u64>()), *site)
        });
        let status = |what| if what == "would hang" { Status::Hang } else { Status::Crash };
        for (what, site, counts) in &met {
            let mut cells = vec![Td::text(*what), Td::code(site.as_str())];
            cells.extend(tags.iter().map(|tag| match counts.get(*tag) {
                Some(count) => Td::num(grouped(*count)).status(status(*what)),
                None => Td::num("none met"),
            }));
            table.row("", Td::text(walker), cells);
        }
        if met.is_empty() {
            let mut cells = vec![Td::text("none met"), Td::text("any")];
            cells.extend(tags.iter().map(|tag| {
                let walks = fuzzed.walks.get(&(walker.to_owned(), (*tag).to_owned()));
                walks.map_or_else(
                    || Td::num("–"),
                    |of| {
                        Td::num("none met").small(format!(
                            "{} walks, {} recovered",
                            grouped(of.walks),
                            grouped(of.recovered)
                        ))
                    },
                )
            }));
            table.row("", Td::text(walker), cells);
        }
    }
    table.cut(rows);
    table
}

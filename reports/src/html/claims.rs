//! The table of claims: true or not, on what evidence, how sure.

use super::table::{Link, Status, Table, Td};
use crate::claims::{Finding, Judged, Verdict};
use crate::model::{Model, tag};

/// Links to cells of a claim: more help nobody.
const LINKS: usize = 2;

/// Interpreters that are named; of more, their number and the oldest and newest.
const NAMED: usize = 3;

/// Claims, each with its verdict, figure and evidence. `linkable` says which anchors the page really has.
pub fn table(model: &Model, linkable: impl Fn(&str) -> bool) -> Table {
    let head = ["claim", "true?", "key figure, 95 %", "how sure", "evidence"];
    let mut table = Table::new("Claims under test, each judged only by the records of this page", 5, &head);
    for judged in &model.claims {
        table.row(
            format!("claim-{}", judged.claim.id),
            Td::text(judged.claim.id).small(judged.claim.text),
            vec![
                verdict(&judged.finding),
                figure(judged),
                sure(&judged.finding),
                evidence(&judged.finding, &linkable),
            ],
        );
    }
    table
}

fn verdict(finding: &Finding) -> Td {
    let status = match finding.verdict {
        Verdict::Supported => Status::Good,
        Verdict::Refuted => Status::Bad,
        Verdict::Mixed => Status::Mixed,
        Verdict::NotMeasured => Status::Absent,
    };
    Td::text(finding.verdict.answer()).small(finding.says.clone()).status(status)
}

fn figure(judged: &Judged) -> Td {
    let finding = &judged.finding;
    let said = if finding.figure.is_empty() { "–" } else { &finding.figure };
    Td { more: finding.details.clone(), about: judged.claim.id, ..Td::text(said) }
}

/// What it rests on: n, declared or not, which interpreters.
fn sure(finding: &Finding) -> Td {
    let sure = &finding.sure;
    let Some(declared) = sure.declared() else { return Td::text("–") };
    let mut lines = sure.said();
    lines.push(declared.to_owned());
    let mut tags: Vec<&str> = sure.interpreters.iter().map(String::as_str).collect();
    tags.sort_by_key(|tag| (tag::version(tag), *tag));
    let covers = match tags.as_slice() {
        [] => String::new(),
        few if few.len() <= NAMED => format!("on {}", few.join(", ")),
        [first, .., last] => format!("on {} builds, {first} to {last}", tags.len()),
        [only] => format!("on {only}"),
    };
    Td { lines, small: covers, ..Td::default() }
}

fn evidence(finding: &Finding, linkable: impl Fn(&str) -> bool) -> Td {
    let mut links: Vec<Link> = finding
        .cells
        .iter()
        .map(|id| Link { anchor: super::matrix::cell_anchor(id), label: id.clone() })
        .filter(|link| linkable(&link.anchor))
        .take(LINKS)
        .collect();
    let section = match finding.section {
        // A cell that had no room on the page still has its row in the table of walkers and workloads.
        "" if links.is_empty() && !finding.cells.is_empty() => "matrix",
        section => section,
    };
    if !section.is_empty() {
        let label = match section {
            "mutations" => "heuristics",
            "bugs" => "known bugs",
            "matrix" => "walkers and workloads",
            section => section,
        };
        links.push(Link { anchor: section.to_owned(), label: label.to_owned() });
    }
    match links.is_empty() {
        true => Td::text("none"),
        false => Td { links, ..Td::default() },
    }
}

//! The page: one file, no script, nothing fetched.

mod bias;
mod bugs;
mod claims;
mod coexistence;
mod compare;
mod contract;
mod curve;
pub mod escape;
mod figure;
mod heuristics;
mod lifetime;
mod matrix;
mod order;
mod rates;
mod reproduce;
mod same_seeds;
mod sections;
mod stepping;
mod table;
mod windows;
mod workloads;

use crate::failure::Failure;
use crate::model::Model;
use crate::model::verdict::Piece;
use crate::plot;
use crate::text::{LIMITS, anchor};
use askama::Template;
use coexistence::Beside;
use compare::Compared;
use figure::Figure;
use heuristics::Heuristics;
use lifetime::Lifetimes;
use matrix::Section;
use sigwalk_record::Campaign;
use std::collections::BTreeSet;
use table::Table;
use workloads::Overview;

/// A page that a mail client or a browser on a phone still opens at once.
const LARGEST: usize = 2 << 20;

/// Rows of buckets: what comes after them was rare, and stands in summary.json.
const BUCKETS: usize = 30;

/// Figure and tables of one interpreter.
#[derive(Debug)]
struct CostSection {
    id: String,
    interpreter: String,
    svg: String,
    table: Table,
    /// What was timed at one depth only, e.g. line lookups.
    single: Table,
    /// What was timed on real stacks.
    stacks: Table,
    /// What was counted.
    counts: Table,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: &'a str,
    sentences: Vec<Vec<(String, Option<String>)>>,
    word: &'a str,
    notices: &'a [String],
    compare: Option<Compared>,
    claims: Table,
    overviews: Vec<Overview>,
    rates: Vec<Figure>,
    curves: (Vec<Figure>, usize),
    windows: (Vec<Figure>, usize),
    lifetimes: Option<Lifetimes>,
    bias: Option<bias::Section>,
    matrices: Vec<Section>,
    same_seeds: Vec<(String, Table)>,
    stepping: Table,
    stepping_sites: Table,
    contracts: Vec<(String, Table)>,
    coexistence: Vec<Beside>,
    bugs: Table,
    findings: Table,
    mutations: Option<Heuristics>,
    cost: Vec<CostSection>,
    ratios: Table,
    buckets: Table,
    environments: Vec<(String, Table)>,
    data: Table,
    campaigns: Vec<&'a Campaign>,
    rebuild: String,
    remeasure: String,
    limits: &'static str,
}

/// Rows of long tables, and whether single fields, fault models and checks are there of every interpreter: tried in this order.
const LADDER: [(usize, bool); 8] = [
    (800, true),
    (400, true),
    (200, true),
    (200, false),
    (100, false),
    (50, false),
    (25, false),
    (12, false),
];

/// The page. Long tables are shortened (and say so) until it is small enough.
///
/// # Errors
/// Only a defect: a figure or the template failed.
pub fn page(model: &Model, title: &str) -> Result<String, Failure> {
    let mut page = String::new();
    for (rows, every_build) in LADDER {
        page = rendered(model, title, rows, every_build)?;
        if page.len() < LARGEST {
            break;
        }
    }
    Ok(page)
}

fn rendered(model: &Model, title: &str, rows: usize, every_build: bool) -> Result<String, Failure> {
    let records = &model.records;
    let matrices = matrix::sections(records, rows, rows.min(60));
    let anchors: BTreeSet<&str> = matrices.iter().flat_map(|section| section.anchors()).collect();
    let (stepping, stepping_sites) = stepping::tables(model, rows.min(200));
    let page = Page {
        title,
        sentences: model
            .verdict
            .sentences
            .iter()
            .map(|sentence| sentence.iter().map(|piece| linked(piece, &anchors)).collect())
            .collect(),
        word: model.verdict.word,
        notices: &records.notices,
        compare: compare::section(model, rows),
        claims: claims::table(model, |id| anchors.contains(id)),
        rates: rates::figures(records, if rows < 200 { 3 } else { 6 })?,
        curves: curve::figures(records, (rows / 20).clamp(3, 24))?,
        windows: windows::figures(records, (rows / 50).clamp(2, 12))?,
        lifetimes: lifetime::section(records, rows.min(200))?,
        bias: bias::section(&model.bias, rows.min(100))?,
        overviews: workloads::overviews(records),
        same_seeds: same_seeds::tables(model, rows.min(100)),
        stepping,
        stepping_sites,
        contracts: contract::tables(records),
        coexistence: coexistence::sections(records, rows),
        bugs: bugs::table(records, rows),
        findings: bugs::findings(records, rows),
        mutations: heuristics::section(model, rows, every_build),
        cost: records
            .builds
            .keys()
            .map(|tag| cost(model, tag))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect(),
        ratios: sections::ratios(model),
        buckets: sections::buckets(model, rows.min(BUCKETS)),
        environments: records
            .builds
            .iter()
            .map(|(tag, build)| (anchor("env", tag), sections::environment(tag, build)))
            .collect(),
        data: sections::data(model),
        campaigns: records
            .campaigns
            .values()
            .filter(|campaign| !campaign.text.is_empty())
            .take(rows)
            .collect(),
        rebuild: reproduce::rebuild(records),
        remeasure: reproduce::remeasure(records),
        limits: LIMITS,
        matrices,
    };
    page.render().map_err(Failure::internal)
}

fn cost(model: &Model, tag: &str) -> Result<Option<CostSection>, Failure> {
    let rows: Vec<_> = model.cost.iter().filter(|row| row.key.interpreter == tag).collect();
    let stacks: Vec<_> = model
        .stacks
        .iter()
        .filter(|(_, row)| row.key.interpreter == tag)
        .map(|(stack, row)| (stack.as_str(), row))
        .collect();
    let counts = sections::counts(model, tag);
    if rows.is_empty() && stacks.is_empty() && counts.rows.is_empty() {
        return Ok(None);
    }
    let id = anchor("cost", tag);
    let (by_depth, single) = sections::by_depth(&rows);
    let svg = if by_depth.is_empty() {
        String::new()
    } else {
        plot::cost_by_depth(&format!("{id}-figure"), tag, &by_depth)?
    };
    Ok(Some(CostSection {
        id,
        interpreter: tag.to_owned(),
        svg,
        table: sections::cost(
            &by_depth,
            format!("Nanoseconds per frame delivered on {tag}: median [95 % interval]"),
        ),
        single: sections::cost(
            &single,
            format!("Timed at one depth only on {tag}, nanoseconds: median [95 % interval]"),
        ),
        stacks: sections::stacks(
            &stacks,
            format!("Real stacks on {tag}, nanoseconds per frame delivered: median [95 % interval]"),
        ),
        counts,
    }))
}

/// The words of a piece, and its anchor where the page has one.
fn linked(piece: &Piece, anchors: &BTreeSet<&str>) -> (String, Option<String>) {
    match piece {
        Piece::Text(text) => (text.clone(), None),
        Piece::Cell(id) => {
            let anchor = matrix::cell_anchor(id);
            (id.clone(), anchors.contains(anchor.as_str()).then_some(anchor))
        }
    }
}

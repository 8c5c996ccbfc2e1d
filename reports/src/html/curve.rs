//! Heat maps: how often another thread's walk is wrong, over the depth of the target and the length of its loop.

use super::figure::Figure;
use super::order;
use super::table::Table;
use crate::failure::Failure;
use crate::model::cell::{CellStats, Count, Event};
use crate::model::records::Records;
use crate::model::tag;
use crate::plot::{Curve, curve};
use crate::text::anchor;
use std::collections::{BTreeMap, BTreeSet};

/// Parameters of the target: down and across.
const DOWN: &str = "depth";
const ACROSS: &str = "work";

/// What makes a map: interpreter, target with its other parameters, walker.
type Key<'a> = (Vec<u64>, &'a str, String, (usize, &'a str));

/// Every map with more than one square, at most `most`; and how many there are besides.
///
/// # Errors
/// Only a defect: a figure failed.
pub fn figures(records: &Records, most: usize) -> Result<(Vec<Figure>, usize), Failure> {
    let mut maps = BTreeMap::<Key<'_>, BTreeMap<(u64, u64), Count>>::new();
    for cell in records.cells.values() {
        if let Some((at, count)) = square(cell) {
            let tag = cell.cell.interpreter.as_str();
            let key = (tag::version(tag), tag, target(cell), order::rank(&cell.cell.walker));
            maps.entry(key).or_default().insert(at, count);
        }
    }
    maps.retain(|_, cells| cells.len() > 1);
    let beyond = maps.len().saturating_sub(most);
    let drawn = maps.into_iter().take(most).map(|((_, tag, target, (_, walker)), cells)| {
        let id = anchor("curve", &format!("{tag}/{target}/{walker}"));
        let values = |of: fn(&(u64, u64)) -> u64| {
            cells.keys().map(of).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        let map = Curve {
            title: format!("{walker} on {tag}, {target}"),
            down: (DOWN, values(|at| at.0)),
            across: (ACROSS, values(|at| at.1)),
            cells,
        };
        Ok(Figure {
            svg: curve(&format!("{id}-figure"), &map)?,
            id,
            caption: map.title.clone(),
            table: Table::default(),
        })
    });
    Ok((drawn.collect::<Result<_, Failure>>()?, beyond))
}

/// Where a cell stands in a map, if it was judged and has both parameters.
fn square(cell: &CellStats) -> Option<((u64, u64), Count)> {
    let of = |name: &str| cell.cell.params.get(name)?.parse().ok();
    if cell.cell.workload != "other" || !cell.cell.fault.is_empty() || cell.n() == 0 {
        return None;
    }
    Some(((of(DOWN)?, of(ACROSS)?), cell.judged(Event::Impossible)?))
}

/// `call-tree (locals=0 millis=2 style=plain)`: what stays the same in a map.
fn target(cell: &CellStats) -> String {
    let params = cell.cell.params.iter().filter(|(name, _)| *name != DOWN && *name != ACROSS);
    let params: Vec<String> = params.map(|(name, value)| format!("{name}={value}")).collect();
    match params.is_empty() {
        true => cell.cell.target.clone(),
        false => format!("{} ({})", cell.cell.target, params.join(" ")),
    }
}

//! Stepped windows as strips: which instructions, and whose walk was no whole, legal stack before them.
//!
//! The records name such instructions and how many boundaries there were; where a boundary stands in the run of the window they do not
//! say. So a strip shows instructions in the order of their addresses, and only those where some walker was wrong.

use super::figure::Figure;
use super::order;
use super::table::{Table, Td};
use crate::failure::Failure;
use crate::model::cell::{CellStats, Event};
use crate::model::records::Records;
use crate::model::tag;
use crate::plot::{Mark, Strip, letter, strip};
use crate::text::anchor;
use crate::text::number::grouped;
use std::collections::{BTreeMap, BTreeSet};

/// Instructions of a strip: more would be thinner than a line.
const MOST: usize = 60;

/// Further apart than this, two instructions are no neighbours.
const NEAR: u64 = 24;

/// An instruction: module, offset in it, and the function with the offset in that.
type Site<'a> = (&'a str, u64, &'a str);

/// Every window with such instructions, at most `most`, those with silent answers or failed loads first; and how many there are
/// besides.
///
/// # Errors
/// Only a defect: a figure failed.
pub fn figures(records: &Records, most: usize) -> Result<(Vec<Figure>, usize), Failure> {
    let mut windows = BTreeMap::<(Vec<u64>, &str, String), Vec<&CellStats>>::new();
    for cell in records.cells.values().filter(|cell| cell.stepping.boundaries > 0) {
        let tag = cell.cell.interpreter.as_str();
        windows.entry((tag::version(tag), tag, window(cell))).or_default().push(cell);
    }
    let mut windows: Vec<_> =
        windows.into_iter().filter_map(|(key, cells)| Some((worst(&cells)?, key, cells))).collect();
    windows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let beyond = windows.len().saturating_sub(most);
    let drawn = windows.into_iter().take(most).map(|(_, (_, tag, window), mut cells)| {
        cells.sort_by_key(|cell| (order::rank(&cell.cell.walker), &cell.cell.id));
        figure(tag, &window, &cells)
    });
    Ok((drawn.collect::<Result<_, Failure>>()?, beyond))
}

/// Target and what of its id tells it from the same target with other parameters.
fn window(cell: &CellStats) -> String {
    format!("{}{}", cell.target_label(), cell.variant())
}

fn worst(cells: &[&CellStats]) -> Option<Mark> {
    cells.iter().flat_map(|cell| cell.stepping.sites.keys()).filter_map(|(what, _)| Mark::of(what)).min()
}

/// `libpython3.11.so.1.0+0xfdaef (in f+0x2f7f)`; what has no address has no place.
fn parsed(site: &str) -> Option<Site<'_>> {
    let (place, symbol) = site.split_once(" (").unwrap_or((site, ""));
    let (module, offset) = place.rsplit_once("+0x")?;
    Some((module, u64::from_str_radix(offset, 16).ok()?, symbol.strip_suffix(')').unwrap_or(symbol)))
}

fn figure(tag: &str, window: &str, cells: &[&CellStats]) -> Result<Figure, Failure> {
    let met: Vec<BTreeMap<Site<'_>, (Mark, u64)>> = cells.iter().map(|cell| marks(cell)).collect();
    // The worst of any walker decides which instructions stay when there are too many.
    let mut worst = BTreeMap::<Site<'_>, Mark>::new();
    for (site, (mark, _)) in met.iter().flatten() {
        worst.entry(*site).and_modify(|known| *known = (*known).min(*mark)).or_insert(*mark);
    }
    let mut ranked: Vec<(Mark, Site<'_>)> = worst.iter().map(|(site, mark)| (*mark, *site)).collect();
    ranked.sort_unstable();
    let beyond = ranked.len().saturating_sub(MOST);
    let sites: BTreeSet<Site<'_>> = ranked.into_iter().take(MOST).map(|(_, site)| site).collect();
    let groups = groups(&sites);
    let rows = cells.iter().zip(&met).map(|(cell, met)| {
        let boundaries: u64 = met.values().map(|(_, count)| count).sum();
        let right = format!("{} of {} boundaries", grouped(boundaries), grouped(cell.stepping.boundaries));
        // Such a walker came no further: that it has no mark behind is no praise.
        let right = right + if cell.count(Event::CrashFrame).k > 0 { ", then a crash" } else { "" };
        let marks = sites.iter().map(|site| met.get(site).map(|(mark, _)| *mark)).collect();
        (cell.cell.walker.clone(), right, marks)
    });
    let id = anchor("window", &format!("{tag}/{window}"));
    let title = format!("{window} on {tag}");
    let lengths = groups.iter().map(Vec::len).collect();
    let drawn = Strip { title: title.clone(), groups: lengths, rows: rows.collect() };
    let mut table = table(&title, cells, &met, &groups);
    if beyond > 0 {
        table.note = format!("{beyond} further instructions are in the table of instructions below.");
    }
    Ok(Figure { svg: strip(&format!("{id}-figure"), &drawn)?, id, caption: title, table })
}

/// The worst mark of each instruction, and its boundaries over all kinds.
fn marks(cell: &CellStats) -> BTreeMap<Site<'_>, (Mark, u64)> {
    let mut marks = BTreeMap::<Site<'_>, (Mark, u64)>::new();
    for ((what, site), count) in &cell.stepping.sites {
        if let (Some(mark), Some(site)) = (Mark::of(what), parsed(site)) {
            let known = marks.entry(site).or_insert((mark, 0));
            *known = (known.0.min(mark), known.1 + count);
        }
    }
    marks
}

/// Neighbours in the same function.
fn groups<'a>(sites: &BTreeSet<Site<'a>>) -> Vec<Vec<Site<'a>>> {
    let mut groups = Vec::<Vec<Site<'a>>>::new();
    for site in sites {
        let near = groups.last().and_then(|group| group.last()).is_some_and(|last| {
            (last.0, function(last.2)) == (site.0, function(site.2)) && site.1 - last.1 <= NEAR
        });
        match groups.last_mut() {
            Some(group) if near => group.push(*site),
            _ => groups.push(vec![*site]),
        }
    }
    groups
}

/// `in f+0x2f7f` → `in f`
fn function(symbol: &str) -> &str {
    symbol.rsplit_once("+0x").map_or(symbol, |(name, _)| name)
}

/// The instructions by group, and what each walker met there.
fn table(
    title: &str,
    cells: &[&CellStats],
    met: &[BTreeMap<Site<'_>, (Mark, u64)>],
    groups: &[Vec<Site<'_>>],
) -> Table {
    let mut head = vec!["group", "instructions about to run"];
    head.extend(cells.iter().map(|cell| cell.cell.walker.as_str()));
    let mut table = Table::new(format!("Boundaries by group of instructions: {title}"), 2, &head);
    for (index, group) in groups.iter().enumerate() {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let place = match first.2 {
            "" => format!("{}+{:#x}", first.0, first.1),
            symbol => symbol.to_owned(),
        };
        let place = match last.2.rsplit_once("+0x") {
            Some((_, offset)) if group.len() > 1 => format!("{place} … +0x{offset}"),
            _ => place,
        };
        let module =
            format!("{}, {} instruction{}", first.0, group.len(), if group.len() == 1 { "" } else { "s" });
        let mut row = vec![Td::code(place).small(module)];
        row.extend(met.iter().map(|met| {
            let of_group: Vec<_> = group.iter().filter_map(|site| met.get(site)).collect();
            let boundaries: u64 = of_group.iter().map(|(_, count)| count).sum();
            let td = Td::num(grouped(boundaries));
            match of_group.iter().map(|(mark, _)| *mark).min() {
                None => td,
                Some(mark) => td.status(super::stepping::status(mark)),
            }
        }));
        table.row("", Td::text(letter(index)), row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_its_address_and_function() {
        let site = "libpython3.11.so.1.0+0xfdaef (in _PyEval_EvalFrameDefault+0x2f7f)";
        assert_eq!(
            parsed(site),
            Some(("libpython3.11.so.1.0", 0xf_daef, "in _PyEval_EvalFrameDefault+0x2f7f"))
        );
        assert_eq!(parsed("elsewhere"), None);
        assert_eq!(parsed("m+0x1"), Some(("m", 1, "")));
        assert_eq!(parsed("m+0xffffffffffffffffff (f)"), None);
    }

    /// Far apart, or in another function: another group.
    #[test]
    fn neighbours_of_one_function_are_a_group() {
        let sites = BTreeSet::from([
            ("m", 10, "in f+0x1"),
            ("m", 14, "in f+0x5"),
            ("m", 16, "in g+0x0"),
            ("m", 90, "in g+0x4a"),
        ]);
        let groups: Vec<usize> = groups(&sites).iter().map(Vec::len).collect();
        assert_eq!(groups, [2, 1, 1]);
    }
}

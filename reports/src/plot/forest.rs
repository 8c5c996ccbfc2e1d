//! Rates with their intervals, one interpreter and workload a figure, as wide as a phone. A cell without an event has no rate: it is an
//! open arrow from its bound towards zero, and never a dot.

use super::pen::{Drawn, Pen, Rates, WIDTH, shortened};
use super::{CRASH, HANG, INK, SILENT, SOFT, small};
use crate::failure::Failure;
use crate::model::cell::Count;
use crate::text::number::{fraction, grouped, rate};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// One event: crash, hang or silent.
#[derive(Debug)]
pub struct Panel {
    /// What happened.
    pub name: &'static str,
    /// Cells with the event, worst first.
    pub lines: Vec<Line>,
    /// Cells that are not drawn one by one.
    pub rest: Vec<Rest>,
}

/// A cell.
#[derive(Debug)]
pub struct Line {
    /// Walker and target.
    pub label: String,
    /// k of n.
    pub count: Count,
}

/// Cells in one line.
#[derive(Debug)]
pub struct Rest {
    /// How many.
    pub cells: usize,
    /// The one with the highest bound.
    pub weakest: Count,
}

/// The figure.
#[derive(Debug)]
pub struct Forest {
    /// Interpreter and workload.
    pub title: String,
    /// By event.
    pub panels: Vec<Panel>,
    /// Power of ten at which the axis begins: the same in every figure of a page.
    pub decade: i32,
}

const HEAD: i32 = 26;
const ROW: i32 = 38;
const AXIS: i32 = 22;

/// Draws it.
///
/// # Errors
/// Only when plotters fails, which is a defect.
pub fn forest(id: &str, forest: &Forest) -> Result<String, Failure> {
    let mut svg = String::new();
    let height: i32 = AXIS + forest.panels.iter().map(height).sum::<i32>() + 6;
    let root = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
    draw(&root, forest, height).map_err(|error| Failure::internal(format!("figure of rates: {error}")))?;
    drop(root);
    let title = format!(
        "Rates of {}: trials with a crash, a hang or a silent wrong stack, 95 % intervals on a logarithmic axis",
        forest.title
    );
    Ok(small(&svg, id, &title, &says(forest)))
}

fn height(panel: &Panel) -> i32 {
    HEAD + ROW * (panel.lines.len() + panel.rest.len()) as i32
}

/// The figure in words.
fn says(forest: &Forest) -> String {
    let panel = |panel: &Panel| {
        let lines = panel
            .lines
            .iter()
            .map(|line| format!("{} {}", line.label, crate::text::number::count(line.count)));
        let rest = panel.rest.iter().map(rest_says);
        format!("{}: {}", panel.name, lines.chain(rest).collect::<Vec<_>>().join("; "))
    };
    forest.panels.iter().map(panel).collect::<Vec<_>>().join(". ")
}

fn rest_says(rest: &Rest) -> String {
    let cells = format!("{} cell{}", grouped(rest.cells as u64), if rest.cells == 1 { "" } else { "s" });
    match rest.weakest.k {
        0 => format!("{cells} with none, each ≤ {}", rate(rest.weakest.bound())),
        _ => format!("{cells} more with it, each ≤ {}", rate(rest.weakest.bound())),
    }
}

fn color(name: &str) -> RGBColor {
    match name {
        "crash" => CRASH,
        "hang" => HANG,
        _ => SILENT,
    }
}

fn draw<DB: DrawingBackend>(
    root: &DrawingArea<DB, plotters::coord::Shift>,
    forest: &Forest,
    height_of_all: i32,
) -> Drawn<DB> {
    let pen = Pen(root);
    let axis = Rates { decade: forest.decade, left: 14, right: WIDTH - 14 };
    axis.draw(&pen, AXIS, height_of_all - 4)?;
    let mut top = AXIS;
    for panel in &forest.panels {
        pen.text(
            (2, top + 16),
            HPos::Left,
            color(panel.name),
            16,
            &format!("{} {}", glyph(panel.name), panel.name),
        )?;
        for (index, line) in panel.lines.iter().enumerate() {
            let y = top + HEAD + ROW * index as i32;
            row(&pen, axis, y, color(panel.name), &line.label, line.count)?;
        }
        for (index, rest) in panel.rest.iter().enumerate() {
            let y = top + HEAD + ROW * (panel.lines.len() + index) as i32;
            let count = rest.weakest;
            pen.text((2, y + 10), HPos::Left, SOFT, 15, &rest_says(rest))?;
            // An arrow towards zero is for cells that had nothing.
            if count.k == 0 {
                mark(&pen, axis, y + 26, SOFT, count)?;
            }
        }
        top += height(panel);
    }
    root.present()
}

fn row<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    axis: Rates,
    y: i32,
    color: RGBColor,
    label: &str,
    count: Count,
) -> Drawn<DB> {
    pen.text((2, y + 10), HPos::Left, INK, 15, &shortened(label, 36))?;
    pen.text((WIDTH - 2, y + 10), HPos::Right, INK, 15, &fraction(count))?;
    mark(pen, axis, y + 26, color, count)
}

/// An interval with a dot at k/n; of no event, an open bound with an arrow towards zero.
fn mark<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    axis: Rates,
    y: i32,
    color: RGBColor,
    count: Count,
) -> Drawn<DB> {
    if count.k == 0 {
        let x = axis.x(count.bound());
        pen.line((axis.left, y), (x, y), color, 1)?;
        pen.line((x, y - 5), (x, y + 5), color, 2)?;
        let arrow = [(axis.left + 7, y - 4), (axis.left, y), (axis.left + 7, y + 4)];
        return pen.0.draw(&PathElement::new(arrow, color.stroke_width(1)));
    }
    let interval = count.interval();
    let (low, high) = (axis.x(interval.low), axis.x(interval.high));
    pen.line((low, y), (high, y), color, 2)?;
    pen.line((low, y - 4), (low, y + 4), color, 2)?;
    pen.line((high, y - 4), (high, y + 4), color, 2)?;
    pen.0.draw(&Circle::new((axis.x(count.k as f64 / count.n.max(1) as f64), y), 4, color.filled()))
}

fn glyph(name: &str) -> &'static str {
    match name {
        "crash" => "✕",
        "hang" => "∞",
        _ => "≠",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(count: Count, label: &str) -> String {
        let line = Line { label: label.into(), count };
        let panel = Panel { name: "crash", lines: vec![line], rest: Vec::new() };
        let all = Forest { title: "3.15.0, other".into(), panels: vec![panel], decade: -4 };
        forest("f", &all).unwrap()
    }

    /// 10 of 1000 is 1 %, the middle of an axis from 0.01 % to 100 %.
    #[test]
    fn a_rate_is_a_dot_at_its_place() {
        let svg = one(Count { k: 10, n: 1000 }, "pr-b1 · churn");
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(svg.contains("<circle cx=\"180\""), "{svg}");
        assert!(
            svg.contains("10/1000") && svg.contains("role=\"img\"") && svg.contains("<desc id=\"f-says\">")
        );
    }

    /// 0 of n is no rate: no dot, an arrow that leaves at the left end, and an open bound.
    #[test]
    fn no_event_is_no_dot() {
        let svg = one(Count { k: 0, n: 299 }, "pr-b1 · churn");
        assert_eq!(svg.matches("<circle").count(), 0);
        // The bound is 1 %: the line runs from the left end of the axis to its middle, and the arrow is open.
        assert!(svg.contains("points=\"14,74 180,74 \""), "{svg}");
        assert!(svg.contains("points=\"21,70 14,74 21,78 \""), "{svg}");
    }

    #[test]
    fn a_hostile_label_stays_text() {
        let svg = one(Count { k: 1, n: 10 }, "</text><script>\u{202e}\"");
        assert!(
            !svg.contains("<script") && !svg.contains('\u{202e}') && svg.contains("&lt;script&gt;"),
            "{svg}"
        );
    }
}

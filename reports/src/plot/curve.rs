//! A rate over two parameters, one walker a figure, as wide as a phone: k/n stands in every square, and the colour says it again.

use super::pen::{Drawn, Pen, WIDTH};
use super::{GRID, INK, SILENT, SOFT, small};
use crate::failure::Failure;
use crate::model::cell::Count;
use crate::text::number::count;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::collections::BTreeMap;

/// The figure.
#[derive(Debug)]
pub struct Curve {
    /// Interpreter, target and walker.
    pub title: String,
    /// Parameter that goes down, and its values.
    pub down: (&'static str, Vec<u64>),
    /// Parameter that goes across, and its values.
    pub across: (&'static str, Vec<u64>),
    /// By (down, across).
    pub cells: BTreeMap<(u64, u64), Count>,
}

/// Shades: up to this rate, this opacity. Above none and above the last there is one more each.
const SHADES: [(f64, f64); 3] = [(0.01, 0.14), (0.05, 0.3), (0.2, 0.48)];
const DARKEST: f64 = 0.68;

const LEFT: i32 = 40;
const TOP: i32 = 40;
const ROW: i32 = 30;
const LEGEND: i32 = 34;

/// Draws it.
///
/// # Errors
/// Only when plotters fails, which is a defect.
pub fn curve(id: &str, curve: &Curve) -> Result<String, Failure> {
    let rows = curve.down.1.len() as i32;
    // As wide as a phone; more columns than fit make the figure wider, and it scrolls.
    let column = ((WIDTH - LEFT - 2) / (curve.across.1.len() as i32).max(1)).clamp(46, 90);
    let width = (LEFT + 2 + column * curve.across.1.len() as i32).max(WIDTH);
    let height = TOP + ROW * rows + LEGEND;
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
    draw(&root, curve, column).map_err(|error| Failure::internal(format!("figure of the curve: {error}")))?;
    drop(root);
    let title = format!(
        "Wrong stacks of {} by {} and {}: trials with one over trials",
        curve.title, curve.down.0, curve.across.0
    );
    Ok(small(&svg, id, &title, &says(curve)))
}

/// The figure in words.
fn says(curve: &Curve) -> String {
    let cells = curve.cells.iter().map(|((down, across), found)| {
        format!("{} {down}, {} {across}: {}", curve.down.0, curve.across.0, count(*found))
    });
    cells.collect::<Vec<_>>().join("; ")
}

fn opacity(count: Count) -> f64 {
    if count.k == 0 {
        return 0.0;
    }
    let rate = count.k as f64 / count.n.max(1) as f64;
    SHADES.iter().find(|(most, _)| rate <= *most).map_or(DARKEST, |(_, opacity)| *opacity)
}

fn draw<DB: DrawingBackend>(root: &DrawingArea<DB, Shift>, curve: &Curve, column: i32) -> Drawn<DB> {
    let pen = Pen(root);
    let (down, across) = (&curve.down, &curve.across);
    pen.text((LEFT, 10), HPos::Left, SOFT, 14, &format!("{} →", across.0))?;
    pen.text((2, TOP - 12), HPos::Left, SOFT, 14, &format!("{} ↓", down.0))?;
    for (index, value) in across.1.iter().enumerate() {
        let middle = LEFT + column * index as i32 + column / 2;
        pen.text((middle, TOP - 12), HPos::Center, INK, 14, &value.to_string())?;
    }
    for (row, depth) in down.1.iter().enumerate() {
        let y = TOP + ROW * row as i32;
        pen.text((LEFT - 8, y + ROW / 2), HPos::Right, INK, 14, &depth.to_string())?;
        for (index, work) in across.1.iter().enumerate() {
            let x = LEFT + column * index as i32;
            let square = [(x + 1, y + 1), (x + column - 1, y + ROW - 1)];
            let found = curve.cells.get(&(*depth, *work)).copied().unwrap_or_default();
            if found.k > 0 {
                root.draw(&Rectangle::new(square, SILENT.mix(opacity(found)).filled()))?;
            }
            root.draw(&Rectangle::new(square, GRID.stroke_width(1)))?;
            let said = match found {
                Count { n: 0, .. } => "–".to_owned(),
                Count { k, n } => format!("{k}/{n}"),
            };
            let ink = if found.k == 0 { SOFT } else { INK };
            pen.text((x + column / 2, y + ROW / 2), HPos::Center, ink, 14, &said)?;
        }
    }
    legend(&pen, TOP + ROW * down.1.len() as i32 + 12)?;
    root.present()
}

/// What the shades mean.
fn legend<DB: DrawingBackend>(pen: &Pen<'_, DB>, top: i32) -> Drawn<DB> {
    let shades = [
        (0.0, "0"),
        (SHADES[0].1, "≤ 1 %"),
        (SHADES[1].1, "≤ 5 %"),
        (SHADES[2].1, "≤ 20 %"),
        (DARKEST, "more"),
    ];
    for (index, (opacity, says)) in shades.into_iter().enumerate() {
        let x = 4 + 70 * index as i32;
        let square = [(x, top), (x + 14, top + 14)];
        pen.0.draw(&Rectangle::new(square, SILENT.mix(opacity).filled()))?;
        pen.0.draw(&Rectangle::new(square, SOFT.stroke_width(1)))?;
        pen.text((x + 19, top + 8), HPos::Left, SOFT, 13, says)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (down, across) and (k, n).
    type Square = ((u64, u64), (u64, u64));

    fn of(cells: &[Square], title: &str) -> String {
        let all = Curve {
            title: title.into(),
            down: ("depth", vec![1, 2]),
            across: ("work", vec![0, 10]),
            cells: cells.iter().map(|(at, (k, n))| (*at, Count { k: *k, n: *n })).collect(),
        };
        curve("c", &all).unwrap()
    }

    #[test]
    fn more_wrong_is_darker_and_zero_has_no_colour() {
        let shades =
            [(0, 100), (1, 100), (5, 100), (20, 100), (21, 100)].map(|(k, n)| opacity(Count { k, n }));
        assert!(shades.is_sorted_by(|a, b| a < b) && shades[0] == 0.0, "{shades:?}");
        let filled = |svg: &str| svg.matches("stroke=\"none\"").count();
        let (none, one) = (of(&[((1, 0), (0, 9))], "t"), of(&[((1, 0), (9, 9))], "t"));
        assert_eq!(filled(&one), filled(&none) + 1);
    }

    /// One square of four was measured: it has its number, and the others say that they have none.
    #[test]
    fn one_cell_only() {
        let svg = of(&[((2, 10), (3, 12))], "t");
        assert!(svg.contains("\n3/12\n") && svg.matches("\n–\n").count() == 3, "{svg}");
        assert!(svg.contains("depth 2, work 10: 3/12 ["), "{svg}");
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let svg = of(&[((1, 0), (1, 2))], "</title><script>");
        assert!(!svg.contains("<script") && svg.contains("&lt;/title&gt;&lt;script&gt;"), "{svg}");
    }
}

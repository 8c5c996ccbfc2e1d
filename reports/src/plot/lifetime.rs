//! Shares of borrowed pointers by what they led to, over the delay: one panel a program, as wide as a phone.

use super::pen::{Drawn, Pen, WIDTH};
use super::{CRASH, GRID, HANG, INK, SILENT, SOFT, small};
use crate::failure::Failure;
use crate::model::lifetime::{Churn, delay, share};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use sigwalk_record::Lifetime;

const LEFT: i32 = 50;
const RIGHT: i32 = WIDTH - 14;
/// Of a panel, with its title.
const HEIGHT: i32 = 156;
const TITLE: i32 = 24;
const PLOT: i32 = 100;
const LEGEND: i32 = 30;

/// What is counted, its colour, and its share of a row.
type Line = (&'static str, RGBColor, fn(&Lifetime) -> u64);

const LINES: [Line; 3] = [
    ("dead", CRASH, |row| row.dead),
    ("recycled", HANG, |row| row.recycled),
    ("wrong", SILENT, |row| row.wrong),
];

/// Draws the programs of an interpreter, without its control.
///
/// # Errors
/// Only when plotters fails, which is a defect.
pub fn lifetimes(id: &str, interpreter: &str, churns: &[&Churn<'_>]) -> Result<String, Failure> {
    let height = LEGEND + HEIGHT * churns.len() as i32;
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
    draw(&root, churns).map_err(|error| Failure::internal(format!("figure of lifetimes: {error}")))?;
    drop(root);
    let title =
        format!("What borrowed code pointers lead to on {interpreter}, by delay between walk and use");
    Ok(small(&svg, id, &title, &says(churns)))
}

/// The figure in words.
fn says(churns: &[&Churn<'_>]) -> String {
    let point = |row: &&Lifetime| {
        format!(
            "{}: dead {}, recycled {}, wrong {} of {}",
            delay(row.delay_ns),
            row.dead,
            row.recycled,
            row.wrong,
            row.n
        )
    };
    let churn = |churn: &&Churn<'_>| {
        format!("{}: {}", churn.name(), churn.points.iter().map(point).collect::<Vec<_>>().join("; "))
    };
    churns.iter().map(churn).collect::<Vec<_>>().join(". ")
}

fn draw<DB: DrawingBackend>(root: &DrawingArea<DB, Shift>, churns: &[&Churn<'_>]) -> Drawn<DB> {
    let pen = Pen(root);
    for (index, (name, color, _)) in LINES.iter().enumerate() {
        let x = LEFT + 96 * index as i32;
        pen.line((x, 12), (x + 22, 12), *color, 2)?;
        mark(&pen, index, (x + 11, 12), *color)?;
        pen.text((x + 28, 12), HPos::Left, INK, 14, name)?;
    }
    for (index, churn) in churns.iter().enumerate() {
        panel(&pen, churn, LEGEND + HEIGHT * index as i32)?;
    }
    root.present()
}

fn panel<DB: DrawingBackend>(pen: &Pen<'_, DB>, churn: &Churn<'_>, top: i32) -> Drawn<DB> {
    let (top, bottom) = (top + TITLE, top + TITLE + PLOT);
    pen.text((LEFT, top - 12), HPos::Left, INK, 14, churn.name())?;
    let y = |share: f64| bottom - (share * f64::from(PLOT)).round() as i32;
    for percent in [0, 50, 100] {
        let at = y(f64::from(percent) / 100.0);
        pen.line((LEFT, at), (RIGHT, at), if percent == 0 { INK } else { GRID }, 1)?;
        pen.text((LEFT - 6, at), HPos::Right, SOFT, 13, &format!("{percent} %"))?;
    }
    let last = churn.points.len().saturating_sub(1).max(1) as i32;
    // Decades stand at equal steps; no delay, which has no logarithm, one step before the first.
    let x = |index: usize| LEFT + 8 + (RIGHT - LEFT - 16) * index as i32 / last;
    for (index, row) in churn.points.iter().enumerate() {
        pen.line((x(index), bottom), (x(index), bottom + 4), INK, 1)?;
        if index == 0 || index % 2 == 1 {
            pen.text((x(index), bottom + 14), HPos::Center, SOFT, 12, &delay(row.delay_ns))?;
        }
    }
    for (line, (_, color, of)) in LINES.iter().enumerate() {
        let points: Vec<(i32, i32)> = churn
            .points
            .iter()
            .enumerate()
            .filter(|(_, row)| row.n > 0)
            .map(|(index, row)| (x(index), y(share(of(row), row.n))))
            .collect();
        pen.0.draw(&PathElement::new(points.clone(), color.stroke_width(2)))?;
        for at in points {
            mark(pen, line, at, *color)?;
        }
    }
    Ok(())
}

/// A shape for each line: colour is not the only signal.
fn mark<DB: DrawingBackend>(pen: &Pen<'_, DB>, line: usize, at: (i32, i32), color: RGBColor) -> Drawn<DB> {
    match line {
        0 => pen.0.draw(&Circle::new(at, 4, color.filled())),
        1 => pen.0.draw(&TriangleMarker::new(at, 5, color.filled())),
        _ => pen.0.draw(&Rectangle::new([(at.0 - 4, at.1 - 4), (at.0 + 4, at.1 + 4)], color.stroke_width(2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lifetime::all;

    #[test]
    fn a_hostile_program_stays_text_and_the_words_have_every_number() {
        let row = |delay_ns, wrong| Lifetime {
            interpreter: "3.15.0".into(),
            churn: "</desc><script>: x".into(),
            technique: "none".into(),
            delay_ns,
            n: 100,
            alive: 100 - wrong,
            wrong,
            ..Lifetime::default()
        };
        let rows = [row(1000, 31), row(0, 0)];
        let churns = all(&rows);
        let svg = lifetimes("l", "3.15.0", &churns.iter().collect::<Vec<_>>()).unwrap();
        assert!(!svg.contains("<script") && svg.contains("&lt;/desc&gt;&lt;script&gt;"), "{svg}");
        assert!(
            svg.contains(
                "0 ns: dead 0, recycled 0, wrong 0 of 100; 1 µs: dead 0, recycled 0, wrong 31 of 100"
            ),
            "{svg}"
        );
    }
}

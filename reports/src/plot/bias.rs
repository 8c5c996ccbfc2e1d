//! Error of the first ten places over the rate of silently wrong stacks, both logarithmic, as wide as a phone.

use super::pen::{Drawn, Pen, Rates, WIDTH};
use super::{DETECTED, GRID, INK, SILENT, SOFT, small};
use crate::bias::Curve;
use crate::failure::Failure;
use crate::text::number::{rate, significant};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

const TOP: i32 = 66;
const PLOT: i32 = 180;
const BELOW: i32 = 30;
const LEFT: i32 = 52;
/// Errors from 0.1 % to 100 %.
const DECADES: f64 = 3.0;

/// Draws the curve of a program, with the measured walkers as ticks below it: (rate, its error).
///
/// # Errors
/// Only when plotters fails, which is a defect.
pub fn bias(id: &str, curve: &Curve, walkers: &[(f64, f64)]) -> Result<String, Failure> {
    let mut svg = String::new();
    let root =
        SVGBackend::with_string(&mut svg, (WIDTH as u32, (TOP + PLOT + BELOW) as u32)).into_drawing_area();
    draw(&root, curve, walkers).map_err(|error| Failure::internal(format!("figure of bias: {error}")))?;
    drop(root);
    let title = format!(
        "Median relative error of the top 10 by rate of silently wrong stacks, {} on {}",
        curve.program, curve.interpreter
    );
    let point = |(at, bytes, time): &(f64, crate::bias::Error, crate::bias::Error)| {
        let percent = |value: f64| significant(value * 100.0);
        format!("{} wrong: bytes {} %, time {} %", rate(*at), percent(bytes.median), percent(time.median))
    };
    Ok(small(&svg, id, &title, &curve.points.iter().map(point).collect::<Vec<_>>().join("; ")))
}

fn y(error: f64) -> i32 {
    let share = (error.max(1e-9).log10() + DECADES) / DECADES;
    TOP + PLOT - (share.clamp(0.0, 1.0) * f64::from(PLOT)).round() as i32
}

fn draw<DB: DrawingBackend>(
    root: &DrawingArea<DB, Shift>,
    curve: &Curve,
    walkers: &[(f64, f64)],
) -> Drawn<DB> {
    let pen = Pen(root);
    let axis = Rates { decade: -4, left: LEFT, right: WIDTH - 14 };
    for (index, (name, color)) in [("bytes", SILENT), ("time", DETECTED)].into_iter().enumerate() {
        let x = LEFT + 76 * index as i32;
        pen.line((x, 12), (x + 22, 12), color, 2)?;
        mark(&pen, index, (x + 11, 12), color)?;
        pen.text((x + 28, 12), HPos::Left, INK, 14, name)?;
    }
    pen.0.draw(&Cross::new((LEFT + 168, 12), 5, INK.stroke_width(2)))?;
    pen.text((LEFT + 178, 12), HPos::Left, INK, 14, "measured walkers")?;
    pen.text((LEFT, 34), HPos::Left, SOFT, 13, "error ↑, wrong stacks →")?;
    axis.draw(&pen, TOP, TOP + PLOT)?;
    for (error, label) in [(0.001, "0.1 %"), (0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %")] {
        pen.line((LEFT, y(error)), (WIDTH - 14, y(error)), GRID, 1)?;
        pen.text((LEFT - 6, y(error)), HPos::Right, SOFT, 13, label)?;
    }
    for line in 0..2 {
        let color = [SILENT, DETECTED][line];
        let of =
            |point: &(f64, crate::bias::Error, crate::bias::Error)| if line == 0 { point.1 } else { point.2 };
        let points: Vec<(i32, i32)> =
            curve.points.iter().map(|point| (axis.x(point.0), y(of(point).median))).collect();
        pen.0.draw(&PathElement::new(points.clone(), color.stroke_width(2)))?;
        for (at, point) in points.iter().zip(&curve.points) {
            let interval = of(point).interval;
            pen.line((at.0, y(interval.low)), (at.0, y(interval.high)), color, 1)?;
            mark(&pen, line, *at, color)?;
        }
    }
    for (rate, error) in walkers {
        pen.0.draw(&Cross::new((axis.x(*rate), y(*error)), 5, INK.stroke_width(2)))?;
    }
    root.present()
}

fn mark<DB: DrawingBackend>(pen: &Pen<'_, DB>, line: usize, at: (i32, i32), color: RGBColor) -> Drawn<DB> {
    match line {
        0 => pen.0.draw(&Circle::new(at, 4, color.filled())),
        _ => pen.0.draw(&TriangleMarker::new(at, 5, color.filled())),
    }
}

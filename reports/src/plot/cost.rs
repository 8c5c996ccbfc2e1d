//! Cost per frame by depth, both axes logarithmic, one line a subject.

use super::{GRID, INK, dressed};
use crate::failure::Failure;
use crate::model::cost::Row;
use crate::text::number::significant;
use crate::text::visible::one_line;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::collections::BTreeMap;

/// Okabe and Ito's palette without its black and yellow: told apart by every kind of colour vision, on white and on dark.
const PALETTE: [RGBColor; 6] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x2a, 0x8f, 0xd0),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];
const FLOOR: RGBColor = RGBColor(0x80, 0x80, 0x80);
const WIDTH: u32 = 980;
const LEGEND: u32 = 270;
const LINE: i32 = 22;
/// More lines than this cannot be told apart; the table below the figure has them all.
const MOST: usize = 24;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The figure for one interpreter; `rows` are its rows only.
///
/// # Errors
/// Only when plotters fails, which is a defect.
pub fn cost_by_depth(id: &str, interpreter: &str, rows: &[&Row]) -> Result<String, Failure> {
    let mut series = BTreeMap::<String, Vec<&Row>>::new();
    for row in rows {
        series
            .entry(format!("{} ({})", one_line(&row.key.label()), row.key.what.name()))
            .or_default()
            .push(row);
    }
    // Dearest last in the records' order would scatter the legend: it follows the lines from top to bottom instead.
    let mut series: Vec<_> = series.into_iter().collect();
    let height_of = |rows: &[&Row]| rows.last().map_or(0.0, |row| row.ns_per_frame.value);
    series.sort_by(|a, b| height_of(&b.1).total_cmp(&height_of(&a.1)).then(a.0.cmp(&b.0)));
    series.truncate(MOST);
    let mut svg = String::new();
    draw(&mut svg, &series).map_err(|error| Failure::internal(format!("figure of cost: {error}")))?;
    let title = format!(
        "Cost per frame by depth on {interpreter}: nanoseconds per frame, both axes logarithmic; the table below holds the same numbers"
    );
    Ok(dressed(&svg, id, &title))
}

fn draw(svg: &mut String, series: &[(String, Vec<&Row>)]) -> Result<(), Box<dyn std::error::Error>> {
    let height = 430.max(LINE as u32 * series.len() as u32 + 60);
    let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    let (chart, legend) = root.split_horizontally(WIDTH - LEGEND);
    lines(&chart, series)?;
    for (index, (name, _)) in series.iter().enumerate() {
        let y = 28 + LINE * index as i32;
        legend.draw(&PathElement::new([(4, y), (34, y)], look(index, name).stroke_width(2)))?;
        mark(&legend, index, name, (19, y))?;
        let middle = Pos::new(HPos::Left, VPos::Center);
        let style = ("sans-serif", 14).into_font().color(&INK).pos(middle);
        legend.draw(&Text::new(shortened(name), (42, y), style))?;
    }
    root.present()?;
    Ok(())
}

fn lines(chart: &Area, series: &[(String, Vec<&Row>)]) -> Result<(), Box<dyn std::error::Error>> {
    let all = || series.iter().flat_map(|(_, rows)| rows.iter());
    let (mut low, mut high) = (f64::MAX, f64::MIN_POSITIVE);
    for row in all() {
        // A batch of 0 ns is a clock too coarse, not a walk for free: it cannot stand on a log axis.
        low = low.min(row.ns_per_frame.interval.low.max(1e-3));
        high = high.max(row.ns_per_frame.interval.high);
    }
    let depths = all().map(|row| row.key.depth.max(1));
    let (first, last) =
        depths.fold((u64::MAX, 1), |(first, last), depth| (first.min(depth), last.max(depth)));
    let mut chart =
        ChartBuilder::on(chart).margin(14).x_label_area_size(46).y_label_area_size(64).build_cartesian_2d(
            Decades::around(first as f64, last as f64),
            Decades::around(low, high.max(low)),
        )?;
    let text = ("sans-serif", 14).into_font().color(&INK);
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc("depth, Python frames on the stack")
        .y_desc("ns per frame")
        .x_label_formatter(&|x| significant_short(*x))
        .y_label_formatter(&|y| significant_short(*y))
        .draw()?;
    for (index, (name, rows)) in series.iter().enumerate() {
        let style = look(index, name);
        let points: Vec<(f64, f64)> =
            rows.iter().map(|row| (row.key.depth.max(1) as f64, row.ns_per_frame.value.max(1e-3))).collect();
        chart.draw_series(LineSeries::new(points.clone(), style.stroke_width(2)))?;
        chart.draw_series(rows.iter().zip(&points).map(|(row, (x, y))| {
            let interval = row.ns_per_frame.interval;
            ErrorBar::new_vertical(
                *x,
                interval.low.max(1e-3),
                *y,
                interval.high.max(1e-3),
                style.stroke_width(1),
                6,
            )
        }))?;
        for point in points {
            mark(chart.plotting_area(), index, name, point)?;
        }
    }
    Ok(())
}

fn look(index: usize, name: &str) -> ShapeStyle {
    let color = if name.starts_with("floor") { FLOOR } else { PALETTE[index % PALETTE.len()] };
    color.stroke_width(2)
}

/// Shape goes with the round of the palette and the place in it, so that no two lines look the same without colour.
fn mark<CT: CoordTranslate>(
    area: &DrawingArea<SVGBackend, CT>,
    index: usize,
    name: &str,
    at: CT::From,
) -> Result<(), Box<dyn std::error::Error>>
where
    CT::From: Clone + 'static,
{
    let (line, fill) = (look(index, name), look(index, name).filled());
    match (index + index / PALETTE.len()) % 4 {
        0 => area.draw(&Circle::new(at, 4, fill))?,
        1 => area.draw(&TriangleMarker::new(at, 5, fill))?,
        2 => area.draw(&Cross::new(at, 4, line))?,
        _ => area.draw(&Circle::new(at, 4, line))?,
    }
    Ok(())
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= 38 { name.to_owned() } else { name.chars().take(37).chain(['…']).collect() }
}

fn significant_short(value: f64) -> String {
    let text = significant(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A logarithmic axis with a line at 1, 2 and 5 of every decade; plotters' own has lines at places nobody would choose.
#[derive(Clone)]
struct Decades {
    low: f64,
    high: f64,
}

impl Decades {
    /// From a step below to a step above; an axis of one value still has a length.
    fn around(low: f64, high: f64) -> Self {
        Self { low: low / 1.3, high: high * 1.3 }
    }
}

impl Ranged for Decades {
    type FormatOption = plotters::coord::ranged1d::NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let steps: &[f64] = if (self.high / self.low).log10() > 4.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let points = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
        points.filter(|point| (self.low..=self.high).contains(point)).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Decades {
    fn format(value: &f64) -> String {
        significant_short(*value)
    }
}

//! What the small figures share: their width, text at a place, and a logarithmic axis of rates.

use super::{GRID, INK, SOFT};
use crate::text::visible::one_line;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width of a phone's page, less its margins.
pub(super) const WIDTH: i32 = 360;

pub(super) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A figure to draw on, whatever it is drawn as.
pub(super) struct Pen<'a, DB: DrawingBackend>(pub(super) &'a DrawingArea<DB, Shift>);

impl<DB: DrawingBackend> Pen<'_, DB> {
    /// Text whose middle is at the height of the place.
    pub(super) fn text(
        &self,
        at: (i32, i32),
        side: HPos,
        color: RGBColor,
        size: i32,
        text: &str,
    ) -> Drawn<DB> {
        let style = ("sans-serif", size).into_font().color(&color).pos(Pos::new(side, VPos::Center));
        self.0.draw(&Text::new(one_line(text), at, style))
    }

    /// A line.
    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor, width: u32) -> Drawn<DB> {
        self.0.draw(&PathElement::new([from, to], color.stroke_width(width)))
    }
}

/// At most `most` characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// Rates from a power of ten up to 1, left to right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// The power of ten at the left end: −4 is 0.01 %.
    pub(super) decade: i32,
    /// Left end.
    pub(super) left: i32,
    /// Right end.
    pub(super) right: i32,
}

impl Rates {
    /// Where a rate stands. What is below the axis stands at its left end.
    pub(super) fn x(&self, rate: f64) -> i32 {
        let share = 1.0 - rate.max(f64::MIN_POSITIVE).log10() / f64::from(self.decade);
        self.left + (share.clamp(0.0, 1.0) * f64::from(self.right - self.left)).round() as i32
    }

    /// Grid and labels, from one height to another.
    pub(super) fn draw<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, top: i32, bottom: i32) -> Drawn<DB> {
        for decade in self.decade..=0 {
            let x = self.x(10_f64.powi(decade));
            pen.line((x, top), (x, bottom), GRID, 1)?;
            let percent = match decade {
                -2.. => format!("{} %", 10_i32.pow((decade + 2) as u32)),
                _ => format!("{:.*} %", (-decade - 2) as usize, 10_f64.powi(decade + 2)),
            };
            // Of a long axis every second label has room.
            let has_room = self.decade >= -5 || (decade % 2 == 0);
            if has_room {
                // The outer labels stay inside the figure.
                let (side, by) = match decade {
                    0 => (HPos::Right, 8),
                    decade if decade == self.decade => (HPos::Left, -12),
                    _ => (HPos::Center, 0),
                };
                pen.text((x + by, top - 9), side, SOFT, 14, &percent)?;
            }
        }
        pen.line((self.left, bottom), (self.right, bottom), INK, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 % of an axis from 0.01 % to 100 % stands in its middle.
    #[test]
    fn a_rate_has_its_place_on_the_axis() {
        let axis = Rates { decade: -4, left: 20, right: 220 };
        assert_eq!([1e-4, 1e-3, 1e-2, 1e-1, 1.0].map(|rate| axis.x(rate)), [20, 70, 120, 170, 220]);
        assert_eq!((axis.x(0.0), axis.x(1e-9)), (20, 20));
    }
}

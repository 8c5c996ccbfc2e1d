//! The instructions of a stepped window before which some walker gave no whole, legal stack: walkers down, instructions across in the
//! order of their addresses. Each mark has a colour and a shape.

use super::pen::{Drawn, Pen, WIDTH};
use super::{CRASH, DETECTED, GRID, INK, SILENT, SOFT, small};
use crate::failure::Failure;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// What was met before an instruction, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A load failed that raw would have been a crash.
    Fault,
    /// A wrong stack, called complete.
    Silent,
    /// Truncated or rejected, and said so.
    Detected,
}

impl Mark {
    /// Of the record's word; nothing for what has no place.
    pub fn of(what: &str) -> Option<Self> {
        match what {
            "fault" => Some(Mark::Fault),
            "splice" | "wrong_line" | "prefix" | "stale" => Some(Mark::Silent),
            "truncated" | "rejected" => Some(Mark::Detected),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Mark::Fault => "a load failed",
            Mark::Silent => "silent",
            Mark::Detected => "detected",
        }
    }
}

/// The figure.
#[derive(Debug)]
pub struct Strip {
    /// Interpreter and window.
    pub title: String,
    /// Length of each group of neighbouring instructions; groups are lettered from left to right.
    pub groups: Vec<usize>,
    /// Walker, what it says at the right, and a mark or none for each instruction.
    pub rows: Vec<(String, String, Vec<Option<Mark>>)>,
}

const ROW: i32 = 46;
const TOP: i32 = 20;
const GAP: i32 = 8;

/// `a`, `b`, … `z`, `aa`
pub fn letter(index: usize) -> String {
    let last = char::from(b'a' + (index % 26) as u8);
    match index / 26 {
        0 => last.to_string(),
        before => letter(before - 1) + &last.to_string(),
    }
}

/// Draws it.
///
/// # Errors
/// Only when plotters fails, which is a defect.
pub fn strip(id: &str, strip: &Strip) -> Result<String, Failure> {
    let height = TOP + ROW * strip.rows.len() as i32 + 4;
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
    draw(&root, strip).map_err(|error| Failure::internal(format!("strip of instructions: {error}")))?;
    drop(root);
    let title = format!("Instructions of {} before which a walk found no whole, legal stack", strip.title);
    Ok(small(&svg, id, &title, &says(strip)))
}

/// The figure in words.
fn says(strip: &Strip) -> String {
    let row = |(walker, right, marks): &(String, String, Vec<Option<Mark>>)| {
        let of = |mark| marks.iter().filter(|found| **found == Some(mark)).count();
        let kinds =
            [Mark::Fault, Mark::Silent, Mark::Detected].map(|mark| format!("{} {}", of(mark), mark.name()));
        format!("{walker}: {} of these {} instructions; {right}", kinds.join(", "), marks.len())
    };
    strip.rows.iter().map(row).collect::<Vec<_>>().join(". ")
}

/// Left end of each instruction.
fn places(groups: &[usize]) -> (Vec<i32>, i32) {
    let all: usize = groups.iter().sum();
    let room = WIDTH - 4 - GAP * (groups.len().saturating_sub(1)) as i32;
    let step = (room / (all.max(1) as i32)).clamp(3, 12);
    let mut x = 2;
    let mut places = Vec::new();
    for group in groups {
        for _ in 0..*group {
            places.push(x);
            x += step;
        }
        x += GAP;
    }
    (places, step)
}

fn draw<DB: DrawingBackend>(root: &DrawingArea<DB, Shift>, strip: &Strip) -> Drawn<DB> {
    let pen = Pen(root);
    let (places, step) = places(&strip.groups);
    let mut first = 0;
    for (index, group) in strip.groups.iter().enumerate() {
        if let Some(x) = places.get(first) {
            pen.text((*x, 10), HPos::Left, SOFT, 13, &letter(index))?;
        }
        first += group;
    }
    for (index, (walker, right, marks)) in strip.rows.iter().enumerate() {
        let y = TOP + ROW * index as i32;
        pen.text((2, y + 9), HPos::Left, INK, 14, walker)?;
        pen.text((WIDTH - 2, y + 9), HPos::Right, SOFT, 13, right)?;
        for (x, mark) in places.iter().zip(marks) {
            instruction(root, (*x, y + 20), step, *mark)?;
        }
    }
    root.present()
}

fn instruction<DB: DrawingBackend>(
    root: &DrawingArea<DB, Shift>,
    (x, y): (i32, i32),
    step: i32,
    mark: Option<Mark>,
) -> Drawn<DB> {
    let (right, bottom) = (x + step - 1, y + 18);
    let frame = [(x, y), (right, bottom)];
    match mark {
        None => {}
        // A cross, a full square, a hatched one: told apart without colour.
        Some(Mark::Fault) => {
            root.draw(&PathElement::new([(x, y), (right, bottom)], CRASH.stroke_width(2)))?;
            root.draw(&PathElement::new([(x, bottom), (right, y)], CRASH.stroke_width(2)))?;
        }
        Some(Mark::Silent) => root.draw(&Rectangle::new(frame, SILENT.filled()))?,
        Some(Mark::Detected) => {
            for height in [5, 10, 15] {
                let line = [(x, y + height), (right, y + height - 5)];
                root.draw(&PathElement::new(line, DETECTED.stroke_width(1)))?;
            }
            return root.draw(&Rectangle::new(frame, DETECTED.stroke_width(1)));
        }
    }
    root.draw(&Rectangle::new(frame, GRID.stroke_width(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(marks: Vec<Option<Mark>>, walker: &str) -> String {
        let rows = vec![(walker.to_owned(), "3 of 9 boundaries".to_owned(), marks)];
        strip("s", &Strip { title: "w".into(), groups: vec![2, 1], rows }).unwrap()
    }

    /// Neighbours touch, and a gap stands between groups.
    #[test]
    fn instructions_stand_in_groups() {
        assert_eq!(places(&[2, 1]), (vec![2, 14, 34], 12));
        let (many, step) = places(&[80]);
        assert!(step == 4 && many[79] + step <= WIDTH, "{step}");
    }

    #[test]
    fn each_mark_has_its_own_shape() {
        let plain = of(vec![None, None, None], "w");
        let [fault, silent, detected] =
            [Mark::Fault, Mark::Silent, Mark::Detected].map(|mark| of(vec![Some(mark), None, None], "w"));
        let count = |svg: &str, what: &str| svg.matches(what).count();
        assert_eq!(count(&fault, "<polyline"), count(&plain, "<polyline") + 2);
        assert_eq!(count(&silent, "<rect"), count(&plain, "<rect") + 1);
        assert_eq!(count(&detected, "<polyline"), count(&plain, "<polyline") + 3);
        assert!(detected.contains("1 detected of these 3 instructions"), "{detected}");
    }

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([0, 25, 26, 27].map(letter), ["a", "z", "aa", "ab"]);
    }

    #[test]
    fn a_hostile_walker_stays_text() {
        let svg = of(vec![None, None, None], "<script>");
        assert!(!svg.contains("<script"), "{svg}");
    }
}

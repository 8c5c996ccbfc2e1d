//! Figures, as SVG to be put into the page. Each goes through [`dressed`], and is therefore exported, too (see [`figure`]).

mod alone;
mod bias;
mod cost;
mod curve;
pub mod figure;
mod forest;
mod lifetime;
mod pen;
pub mod png;
mod strip;

pub use bias::bias;
pub use cost::cost_by_depth;
pub use curve::{Curve, curve};
pub use forest::{Forest, Line, Panel, Rest, forest};
pub use lifetime::lifetimes;
pub use strip::{Mark, Strip, letter, strip};

use crate::text::visible::one_line;
use figure::MARK;
use plotters::style::RGBColor;

/// Colours that the style sheet replaces: ink, grid and what a mark means follow light, dark and print.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);
const SOFT: RGBColor = RGBColor(7, 8, 9);
const CRASH: RGBColor = RGBColor(10, 11, 12);
const HANG: RGBColor = RGBColor(13, 14, 15);
const SILENT: RGBColor = RGBColor(16, 17, 18);
const DETECTED: RGBColor = RGBColor(19, 20, 21);

/// What the style sheet makes of each.
const THEME: [(RGBColor, &str); 7] = [
    (INK, "currentColor"),
    (GRID, "var(--grid)"),
    (SOFT, "var(--soft)"),
    (CRASH, "var(--crash)"),
    (HANG, "var(--hang)"),
    (SILENT, "var(--silent)"),
    (DETECTED, "var(--detected)"),
];

/// Makes a figure of plotters fit to stand in a page: it gets a name for those who do not see it, and its ink follows
/// the page.
fn dressed(svg: &str, id: &str, title: &str) -> String {
    dressed_as("plot", svg, id, title, "")
}

/// The same for a figure as wide as a phone: a name and a description, and the class that keeps it small.
fn small(svg: &str, id: &str, title: &str, says: &str) -> String {
    dressed_as("plot small", svg, id, title, says)
}

fn dressed_as(class: &str, svg: &str, id: &str, title: &str, says: &str) -> String {
    let themed = THEME.iter().fold(svg.to_owned(), |svg, (RGBColor(r, g, b), name)| {
        svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{name}\""))
    });
    let Some((head, body)) = themed.trim_start().strip_prefix("<svg").and_then(|rest| rest.split_once('>'))
    else {
        return String::new();
    };
    let (title, says) = (escaped(title), escaped(says));
    let (names, desc) = match says.is_empty() {
        true => (id.to_owned(), String::new()),
        false => (format!("{id} {id}-says"), format!("<desc id=\"{id}-says\">{says}</desc>")),
    };
    format!("{MARK}{names}\" class=\"{class}\"{head}><title id=\"{id}\">{title}</title>{desc}{body}")
}

/// For text that is put into markup by hand.
fn escaped(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

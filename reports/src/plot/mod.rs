//! Figures, as SVG to be put into the page. Each goes through [`dressed`], and is therefore exported, too (see [`figure`]).

mod alone;
mod cost;
pub mod figure;
pub mod png;

pub use cost::cost_by_depth;

use crate::text::visible::one_line;
use figure::MARK;

/// Colours that the style sheet replaces: ink and grid follow light, dark and print.
const INK: plotters::style::RGBColor = plotters::style::RGBColor(1, 2, 3);
const GRID: plotters::style::RGBColor = plotters::style::RGBColor(4, 5, 6);

/// Makes a figure of plotters fit to stand in a page: it gets a name for those who do not see it, and its ink follows
/// the page.
fn dressed(svg: &str, id: &str, title: &str) -> String {
    let themed = svg.replace("\"#010203\"", "\"currentColor\"").replace("\"#040506\"", "\"var(--grid)\"");
    let Some((head, body)) = themed.trim_start().strip_prefix("<svg").and_then(|rest| rest.split_once('>'))
    else {
        return String::new();
    };
    let title = escaped(title);
    format!("{MARK}{id}\" class=\"plot\"{head}><title id=\"{id}\">{title}</title>{body}")
}

/// For text that is put into markup by hand.
fn escaped(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! Every figure of a page, as a file of its own.
//!
//! The page is the one place where figures are decided: what is drawn by this module and put into it is found there again, so
//! that a figure which is added to the page is beside it, too, with nothing to register.

use super::alone;
use crate::failure::Failure;
use std::collections::BTreeSet;

/// A figure that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Name of its file, without an extension: its anchor on the page.
    pub name: String,
    /// What it shows, in a sentence.
    pub title: String,
    /// The drawing, with a background and colours of its own.
    pub svg: String,
}

/// What [`super::dressed`] begins a figure with. Nothing else on a page can: text is escaped.
pub const MARK: &str = "<svg role=\"img\" aria-labelledby=\"";

/// The figures of a page, in its order.
///
/// # Errors
/// Only a defect: a figure that is not well-formed.
pub fn all(page: &str) -> Result<Vec<Figure>, Failure> {
    let mut seen = BTreeSet::new();
    let mut figures = Vec::new();
    for (at, _) in page.match_indices(MARK) {
        let drawn = &page[at..];
        let end = drawn.find("</svg>").ok_or_else(|| Failure::internal("a figure has no end"))?;
        let figure = figure(&drawn[..end + "</svg>".len()])?;
        if !seen.insert(figure.name.clone()) {
            return Err(Failure::internal(format!("two figures are called {}", figure.name)));
        }
        figures.push(figure);
    }
    Ok(figures)
}

fn figure(drawn: &str) -> Result<Figure, Failure> {
    let svg = alone::standing(drawn);
    let parsed = roxmltree::Document::parse(&svg)
        .map_err(|error| Failure::internal(format!("a figure is no SVG: {error}")))?;
    let root = parsed.root_element();
    // The second name is that of a longer description.
    let names = root.attribute("aria-labelledby").unwrap_or_default();
    let id = names.split(' ').next().unwrap_or_default();
    let title = root.children().find(|node| node.has_tag_name("title")).and_then(|node| node.text());
    let (name, title) = (file_name(id), title.unwrap_or_default().to_owned());
    Ok(Figure { name, title, svg })
}

/// Anchors are letters, digits, dots and dashes already; a file name is held to it.
fn file_name(id: &str) -> String {
    let name = id.strip_suffix("-figure").unwrap_or(id);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    if name.trim_matches('.').is_empty() { "figure".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::dressed;

    fn drawn(id: &str, title: &str) -> String {
        dressed(
            r##"<svg width="10" height="10" viewBox="0 0 10 10" xmlns="http://www.w3.org/2000/svg"><rect class="b-crash" stroke="#010203" fill="#040506"/></svg>"##,
            id,
            title,
        )
    }

    #[test]
    fn what_is_on_the_page_is_found_and_stands_alone() {
        let page = format!("<p>a</p>{}<p>b</p>{}", drawn("cost-3.15.0-figure", "A < B"), drawn("other", "C"));
        let figures = all(&page).unwrap();
        let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names, ["cost-3.15.0", "other"]);
        assert_eq!(figures[0].title, "A < B");
        for figure in &figures {
            for foreign in ["var(", "currentColor"] {
                assert!(!figure.svg.contains(foreign), "{foreign}: {}", figure.svg);
            }
            assert!(figure.svg.contains(".b-crash"), "{}", figure.svg);
        }
    }

    #[test]
    fn two_figures_of_one_name_would_overwrite_each_other() {
        assert!(all(&format!("{0}{0}", drawn("a", "A"))).unwrap_err().message.contains("two figures"));
    }

    #[test]
    fn a_name_is_a_file_name() {
        assert_eq!(file_name("a/../b\u{202e}-figure"), "a-..-b-");
        assert_eq!(file_name(".."), "figure");
    }
}

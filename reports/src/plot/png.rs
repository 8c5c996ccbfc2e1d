//! Figures as pixels, for places that take no SVG. The drawing is the same; the font is our own, so that every machine makes the
//! same bytes.

use super::figure::Figure;
use crate::failure::Failure;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};
use std::sync::Arc;

/// DejaVu Sans without what no figure shows; see `reports/fonts/README.md`.
const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");

/// Pixels for one unit of the drawing: sharp on a dense screen and in print.
const SCALE: f32 = 2.0;

/// Draws figures; loading the font once.
pub struct Painter(usvg::Options<'static>);

impl Painter {
    /// With the bundled font, and none of the machine's.
    pub fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        for set in [
            fontdb::Database::set_sans_serif_family,
            fontdb::Database::set_serif_family,
            fontdb::Database::set_monospace_family,
        ] {
            set(&mut fonts, "DejaVu Sans");
        }
        let font_family = "DejaVu Sans".to_owned();
        Self(usvg::Options { fontdb: Arc::new(fonts), font_family, ..usvg::Options::default() })
    }

    /// The figure as a PNG file.
    ///
    /// # Errors
    /// Only a defect: a drawing that is none, or has no size.
    pub fn png(&self, figure: &Figure) -> Result<Vec<u8>, Failure> {
        let defect = |what: String| Failure::internal(format!("figure {}: {what}", figure.name));
        let tree = usvg::Tree::from_str(&figure.svg, &self.0).map_err(|error| defect(error.to_string()))?;
        let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| defect("no size".into()))?;
        let mut pixels =
            Pixmap::new(size.width(), size.height()).ok_or_else(|| defect("no pixels".into()))?;
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| defect(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(body: &str) -> Vec<u8> {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20">{body}</svg>"#
        );
        Painter::new().png(&Figure { name: "a".into(), title: String::new(), svg }).unwrap()
    }

    #[test]
    fn letters_are_drawn_and_the_bytes_are_the_same_each_time() {
        let text = |family: &str| {
            painted(&format!(
                r##"<rect width="40" height="20" fill="#fff"/><text x="2" y="14" font-family="{family}">µs ≤</text>"##
            ))
        };
        let blank = painted(r##"<rect width="40" height="20" fill="#fff"/>"##);
        assert!(blank.starts_with(b"\x89PNG"));
        assert!(text("sans-serif") != blank);
        assert_eq!(text("sans-serif"), text("sans-serif"));
        assert_eq!(text("sans-serif"), text("Liberation Sans, monospace"));
    }
}

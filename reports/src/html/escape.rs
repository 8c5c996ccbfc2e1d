//! The escaper of every template (`askama.toml` names it).

use crate::text::visible;
use askama::filters::Escaper;
use std::fmt::{self, Write};

/// Characters of one value. The longest that a record has a right to (the configuration of an interpreter, the evidence of a
/// claim) are shorter; a longer one is hostile or damaged, and whole in the records.
const MOST: usize = 1000;

/// Escapes markup, and shows control and reordering characters. Newline and tab stay: they cannot leave an element.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        visible::clipped(string, MOST).chars().try_for_each(|c| self.write_escaped_char(&mut dest, c))
    }

    fn write_escaped_char<W: Write>(&self, mut dest: W, c: char) -> fmt::Result {
        match c {
            '<' => dest.write_str("&lt;"),
            '>' => dest.write_str("&gt;"),
            '&' => dest.write_str("&amp;"),
            '"' => dest.write_str("&quot;"),
            '\'' => dest.write_str("&#39;"),
            '\n' | '\t' => dest.write_char(c),
            _ if visible::hidden(c) => dest.write_str(&visible::escape(c)),
            _ => dest.write_char(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_fills_the_page() {
        let mut out = String::new();
        Visible.write_escaped_str(&mut out, &"<".repeat(MOST + 1)).unwrap();
        assert_eq!(out, "&lt;".repeat(MOST) + "… (1 more bytes)");
    }

    #[test]
    fn nothing_leaves_its_element_or_hides() {
        let mut out = String::new();
        Visible.write_escaped_str(&mut out, "<b a='\"&\u{202e}\u{7}\n").unwrap();
        assert_eq!(out, "&lt;b a=&#39;&quot;&amp;\\u202e\\u0007\n");
    }
}

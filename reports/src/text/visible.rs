//! Records hold strings that other programs chose: a function may be called anything. Control characters and characters
//! that reorder text are shown as escapes, so that nothing on a page or a terminal can pose as something else.

use std::borrow::Cow;

/// Whether the character is shown as an escape. Newline and tab are left to the caller.
///
/// Control characters, what reorders text (bidirectional marks, embeddings, overrides, isolates), what has no width, what
/// looks like a space or like nothing and is a letter (the Hangul fillers), what chooses another look for the character before
/// it (variation selectors), line separators, and code points that are no characters. The narrow no-break space of our own
/// numbers (U+202F) stays.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The first `most` characters, and how much there is behind them. A name of a megabyte must not fill a page or a comment.
pub fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    // There are at least as many bytes as characters: in the common case nothing is counted.
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}… ({} more bytes)", &text[..end], text.len() - end)),
        None => Cow::Borrowed(text),
    }
}

/// `\u202e`, or `\u{e0001}` beyond the first plane.
pub fn escape(c: char) -> String {
    let code = u32::from(c);
    if code > 0xffff { format!("\\u{{{code:x}}}") } else { format!("\\u{code:04x}") }
}

/// The text with every hidden character, newlines too, shown as an escape.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { out.push_str(&escape(c)) } else { out.push(c) }
    }
    out
}

/// A line for a terminal: nothing acts there, and it ends.
pub fn line(text: &str) -> String {
    one_line(&clipped(text, 4000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(one_line("a\u{202e}b\n\x1b[31m\0"), "a\\u202eb\\u000a\\u001b[31m\\u0000");
        assert_eq!(one_line("\u{e0001}"), "\\u{e0001}");
        assert_eq!(one_line("\u{2066}\u{3164}\u{fe0f}\u{fffe}"), "\\u2066\\u3164\\ufe0f\\ufffe");
        assert_eq!(one_line("12\u{202f}345"), "12\u{202f}345");
        assert_eq!(one_line("größe 関数 <b>"), "größe 関数 <b>");
    }
    #[test]
    fn what_is_too_long_says_how_long_it_was() {
        assert_eq!(clipped("größe", 5), "größe");
        assert_eq!(clipped("größe", 3), "grö… (3 more bytes)");
    }
}

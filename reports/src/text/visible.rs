//! Records hold strings that other programs chose: a function may be called anything. Control characters and characters
//! that reorder text are shown as escapes, so that nothing on a page or a terminal can pose as something else.

/// Whether the character is shown as an escape. Newline and tab are left to the caller.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(one_line("a\u{202e}b\n\x1b[31m\0"), "a\\u202eb\\u000a\\u001b[31m\\u0000");
        assert_eq!(one_line("\u{e0001}"), "\\u{e0001}");
        assert_eq!(one_line("größe 関数 <b>"), "größe 関数 <b>");
    }
}

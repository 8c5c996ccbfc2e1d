//! Names of Python may hold halves of surrogate pairs, and its `json.dumps` writes them: `"\ud800"` is JSON, and no text.

use std::borrow::Cow;

/// The JSON in `line` with every lone half shown as the six characters it was written with; `None` when it has none.
pub fn shown(line: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut copied, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = line[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match half(line, at) {
            // `\\`, `\n` and the like; and `\u0041`.
            None => at += 2,
            Some(Half::High) if matches!(half(line, at + 6), Some(Half::Low)) => at += 12,
            Some(_) => {
                out.extend_from_slice(&line[copied..at]);
                out.push(b'\\');
                copied = at;
                at += 6;
            }
        }
        at = at.min(line.len());
    }
    if copied == 0 && out.is_empty() {
        return None;
    }
    out.extend_from_slice(&line[copied..]);
    Some(out)
}

/// The text of a whole file in the same way.
pub fn mended(text: &str) -> Cow<'_, [u8]> {
    shown(text.as_bytes()).map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}

enum Half {
    High,
    Low,
}

/// Which half the escape at `at` is, if it is one.
fn half(line: &[u8], at: usize) -> Option<Half> {
    let escape = line.get(at..at + 6)?.strip_prefix(b"\\u")?;
    match u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_halves_are_shown() {
        let text = |line: &str| shown(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
        for whole in
            ["", r#""a\\b""#, r#""\ud83d\ude00""#, r#""\\ud800""#, r#""\u00e9""#, "\\", r"\u", r"\ud8"]
        {
            assert_eq!(text(whole), None, "{whole}");
        }
        for (line, expected) in [
            (r#""\ud800""#, r#""\\ud800""#),
            (r#""\uDFFFx""#, r#""\\uDFFFx""#),
            (r#""\ud800\ud83d\ude00\udc00""#, r#""\\ud800\ud83d\ude00\\udc00""#),
            (r#""\\\ud800""#, r#""\\\\ud800""#),
            (r"\ud800", r"\\ud800"),
        ] {
            assert_eq!(text(line).as_deref(), Some(expected));
        }
    }
}

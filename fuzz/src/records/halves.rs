//! What the reference makes of halves of surrogate pairs. The reader looks for them byte by byte; here runs of escapes are decoded
//! by the standard library, and what it cannot decode is a half.

/// The JSON of `line`, in which an escape that is half of a pair is the six characters it is written with.
pub fn as_text(line: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(line.len()), line);
    while !rest.is_empty() {
        let run: Vec<u16> = rest.chunks(ESCAPE).map_while(unit).collect();
        if run.is_empty() {
            // Any other escape has its second character with it: `\\ud800` is a backslash and five letters.
            let taken = if rest[0] == b'\\' { rest.len().min(2) } else { 1 };
            out.extend_from_slice(&rest[..taken]);
            rest = &rest[taken..];
        }
        for decoded in char::decode_utf16(run) {
            if decoded.is_err() {
                out.push(b'\\');
            }
            let (escapes, behind) = rest.split_at(ESCAPE * decoded.map_or(1, char::len_utf16));
            out.extend_from_slice(escapes);
            rest = behind;
        }
    }
    out
}

/// Bytes of `\u0041`.
const ESCAPE: usize = 6;

/// The code unit that an escape stands for.
fn unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(b"\\u").filter(|digits| digits.len() == 4)?;
    digits
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then(|| u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok())?
}

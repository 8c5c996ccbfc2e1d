//! What it takes to get back from the text what a structured walk has: DumpTraceback into memory, read, parsed.

use super::dump::{self, Printer};
use super::{Label, Subject, timed};
use crate::depth::FEW;
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk_embed::pyo3::Python;
use sigwalk_record::What;
use std::hint::black_box;
use std::io::Seek as _;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

/// One frame of the text. File and function are slices of it: a parser need not copy them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parsed<'t> {
    file: &'t [u8],
    line: i32,
    function: &'t [u8],
}

/// Prints into a memfd and parses.
pub(super) struct DumpAndParse {
    printer: Printer,
    buffer: Vec<u8>,
}

impl DumpAndParse {
    pub(super) fn new(py: Python<'_>) -> Result<Self, Failure> {
        let printer = Printer::new(py, dump::memory_file(c"sigwalk-parse")?)?;
        Ok(DumpAndParse { printer, buffer: Vec::new() })
    }
}

/// `  File "…", line N in name`. `None` for a line of another form (the headline, the `...` of a cut).
fn parse(line: &[u8]) -> Option<Parsed<'_>> {
    let rest = line.strip_prefix(b"  File \"")?;
    let quote = rest.iter().position(|byte| *byte == b'"')?;
    let (file, rest) = rest.split_at(quote);
    let rest = rest.strip_prefix(b"\", line ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(digits);
    let line = number.iter().fold(0_i32, |line, digit| line.wrapping_mul(10) + i32::from(digit - b'0'));
    Some(Parsed { file, line, function: rest.strip_prefix(b" in ")? })
}

fn frames(text: &[u8]) -> impl Iterator<Item = Parsed<'_>> {
    text.split(|byte| *byte == b'\n').filter_map(parse)
}

impl Subject for DumpAndParse {
    fn label(&self) -> Label {
        Label::new("dump_and_parse", What::Names)
    }

    fn expected(&self, depth: u64) -> u64 {
        depth.min(dump::MOST)
    }

    fn depths(&self) -> &'static [u64] {
        &FEW
    }

    fn note(&self) -> Option<String> {
        Some(format!(
            "{}, into a memfd; lseek, pread and a parser without copies are timed with it",
            self.printer.found
        ))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let known = reference::stack(here)?;
        let text = dump::text(&self.printer, here)?;
        self.buffer.resize(text.len(), 0);
        let lines: Vec<i32> = frames(text.as_bytes()).map(|frame| frame.line).collect();
        let expected = self.expected(known.len() as u64) as usize;
        if !lines.iter().eq(known[..expected].iter().map(|frame| &frame.line)) {
            return Err(Failure::internal(format!(
                "{} frames parsed or other lines, instead of {expected}",
                lines.len()
            )));
        }
        Ok(lines.len() as u64)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let (printer, buffer) = (&self.printer, &mut self.buffer);
        timed(iters, || {
            let _ = (&printer.file).rewind();
            printer.print(here);
            let read = printer.file.read_at(buffer, 0).unwrap_or_default();
            for frame in frames(&buffer[..read]) {
                black_box(frame);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Parsed, frames};

    #[test]
    fn only_frames_are_parsed() {
        let text = b"Stack (most recent call first):\n  File \"a/b.py\", line 12 in f\n  ...\n";
        let parsed: Vec<_> = frames(text).collect();
        assert_eq!(parsed, [Parsed { file: b"a/b.py", line: 12, function: b"f" }]);
    }
}

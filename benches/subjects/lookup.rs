//! One line out of one table: CPython's `PyCode_Addr2Line` and ours, at the end of tables of three sizes, where a scan
//! from the beginning costs most.
#![allow(unsafe_code)]

use super::{Label, Subject, timed};
use crate::failure::Failure;
use crate::place::Here;
use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::line_table::{self, Line};
use sigwalk::reader::{GuardedReader, Reader};
use sigwalk_embed::pyo3::ffi;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_record::What;
use std::ffi::CString;
use std::hint::black_box;
use std::time::Duration;

/// Subjects and least size of the table in bytes; a line `x = 1` takes five.
const TABLES: [(&str, &str, usize); 3] = [
    ("addr2line_small", "line_table_small", 20),
    ("addr2line_1k", "line_table_1k", 1 << 10),
    ("addr2line_40k", "line_table_40k", 40 << 10),
];

struct Lookup {
    subject: &'static str,
    ours: bool,
    code: Py<PyAny>,
    lasti: i32,
    table: usize,
    line: i32,
}

pub(super) fn all(py: Python<'_>) -> Result<Vec<Box<dyn Subject>>, Failure> {
    let mut subjects: Vec<Box<dyn Subject>> = Vec::new();
    for (theirs, ours, size) in TABLES {
        for (subject, ours) in [(theirs, false), (ours, true)] {
            subjects.push(Box::new(Lookup::new(py, subject, ours, size)?));
        }
    }
    Ok(subjects)
}

impl Lookup {
    fn new(py: Python<'_>, subject: &'static str, ours: bool, size: usize) -> Result<Self, Failure> {
        let lines = size / 5;
        let source = CString::new(format!("def long():\n{}", "    x = 1\n".repeat(lines)))
            .map_err(|error| Failure::internal(error.to_string()))?;
        let module = PyModule::from_code(py, &source, c"sigwalk_bench/long.py", c"long")?;
        let code = module.getattr("long")?.getattr("__code__")?;
        let lasti = code.getattr("co_code")?.len()? as i32 - 2;
        let table = code.getattr("co_linetable")?.len()?;
        Ok(Lookup { subject, ours, code: code.unbind(), lasti, table, line: lines as i32 + 1 })
    }

    #[inline(always)]
    fn theirs(&self) -> i32 {
        // SAFETY: attached, and a code object that this subject owns.
        unsafe { ffi::PyCode_Addr2Line(black_box(self.code.as_ptr().cast()), black_box(self.lasti)) }
    }

    /// What a walk does for a frame whose code it believes.
    #[inline(always)]
    fn ours(&self, reader: &GuardedReader, interpreter: &Interpreter) -> Option<Line> {
        let layout = &interpreter.layout;
        let code = Addr::new(black_box(self.code.as_ptr()) as u64);
        let first = reader.u32(code.plus(layout.code.firstlineno)).ok()? as i32;
        let table = reader.addr(code.plus(layout.code.linetable)).ok()?;
        let length = reader.u64(table.plus(layout.text.bytes_size)).ok()?;
        let data = table.plus(layout.text.bytes_data);
        line_table::line_at(reader, data, length, first, black_box(self.lasti)).ok()
    }
}

impl Subject for Lookup {
    fn label(&self) -> Label {
        Label::new(self.subject, What::Line)
    }

    fn expected(&self, _depth: u64) -> u64 {
        1
    }

    fn note(&self) -> Option<String> {
        Some(format!("line {} at offset {} of a table of {} bytes", self.line, self.lasti, self.table))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let found = match self.ours {
            true => self.ours(&here.live.readers.guarded, &here.live.interpreter).map(Line::or_minus_one),
            false => Some(self.theirs()),
        };
        if found != Some(self.line) {
            return Err(Failure::internal(format!("line {found:?} instead of {}", self.line)));
        }
        Ok(1)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        if !self.ours {
            return timed(iters, || {
                black_box(self.theirs());
            });
        }
        let (reader, interpreter) = (here.live.readers.guarded, &here.live.interpreter);
        timed(iters, || {
            black_box(self.ours(&reader, interpreter));
        })
    }
}

//! Trials as JSON lines of today's version, whatever version they were recorded in.

use crate::failure::Failure;
use crate::read::Watch;
use sigwalk_record::{Campaign, Cell, Trial};
use std::io::{BufWriter, Write};

/// Writes lines to `out`.
#[derive(Debug)]
pub struct Lines<W: Write> {
    out: BufWriter<W>,
    /// Lines written.
    pub rows: u64,
}

impl<W: Write> Lines<W> {
    /// Nothing written yet.
    pub fn new(out: BufWriter<W>) -> Self {
        Self { out, rows: 0 }
    }

    /// What was written to, when everything is in it.
    ///
    /// # Errors
    /// Of `out`.
    pub fn finish(self) -> Result<W, Failure> {
        self.out.into_inner().map_err(|error| unwritten(error.error()))
    }
}

fn unwritten(error: impl std::fmt::Display) -> Failure {
    Failure::machine(format!("trials: not written: {error}; free some space or choose another --out"))
}

impl<W: Write> Watch for Lines<W> {
    fn trial(&mut self, _: &Campaign, _: &Cell, trial: &Trial) -> Result<(), Failure> {
        let line = serde_json::to_writer(&mut self.out, trial).map_err(std::io::Error::from);
        self.rows += 1;
        line.and_then(|()| self.out.write_all(b"\n")).map_err(unwritten)
    }
}

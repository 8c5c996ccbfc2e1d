//! `trials.csv`: one row a trial, written while the records are read. Millions of rows are never held, and are a file of some hundred
//! bytes a row: it is plain, since that is what a spreadsheet and a script open.

use crate::failure::Failure;
use crate::read::Watch;
use crate::text::visible::one_line;
use sigwalk_record::{Campaign, Cell, Trial};
use std::io::Write;

/// The columns, in order.
pub const COLUMNS: [&str; 29] = [
    "interpreter",
    "workload",
    "walker",
    "target",
    "fault",
    "params",
    "campaign",
    "trial",
    "seed",
    "outcome",
    "phase",
    "walks",
    "frames",
    "complete",
    "truncated",
    "rejected",
    "recovered_faults",
    "splice",
    "wrong_line",
    "prefix",
    "stale",
    "no_thread_state",
    "missed",
    "boundaries",
    "millis",
    "signal",
    "address",
    "site",
    "note",
];

/// Writes rows to `out`.
#[derive(Debug)]
pub struct Trials<W: Write> {
    out: csv::Writer<W>,
    /// Rows written.
    pub rows: u64,
    /// The cell of the row before, and its part of a row: rows of one cell often follow each other.
    last: (String, [String; 6]),
}

impl<W: Write> Trials<W> {
    /// With the head written.
    ///
    /// # Errors
    /// Of `out`.
    pub fn new(out: W) -> Result<Self, Failure> {
        let mut out = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(out);
        out.write_record(COLUMNS).map_err(unwritten)?;
        Ok(Self { out, rows: 0, last: Default::default() })
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
    Failure::machine(format!("trials.csv: not written: {error}; free some space or choose another --out"))
}

impl<W: Write> Watch for Trials<W> {
    fn trial(&mut self, campaign: &Campaign, cell: &Cell, trial: &Trial) -> Result<(), Failure> {
        if self.last.0 != cell.id {
            let params = cell
                .params
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" ");
            let texts = [&cell.interpreter, &cell.workload, &cell.walker, &cell.target, &cell.fault, &params];
            self.last = (cell.id.clone(), texts.map(|field| plain(field)));
        }
        let crash = trial.crash.as_ref();
        let of_crash = |field: fn(&sigwalk_record::Crash) -> Option<&str>| {
            plain(crash.and_then(field).unwrap_or_default())
        };
        let met = &trial.tallies;
        let mut row = csv::ByteRecord::with_capacity(256, COLUMNS.len());
        self.last.1.iter().for_each(|field| row.push_field(field.as_bytes()));
        row.push_field(plain(&campaign.id).as_bytes());
        row.push_field(trial.trial.to_string().as_bytes());
        row.push_field(plain(&trial.seed).as_bytes());
        row.push_field(trial.outcome.name().as_bytes());
        row.push_field(trial.phase.name().as_bytes());
        for count in [
            trial.walks,
            trial.frames,
            met.complete,
            met.truncated,
            met.rejected,
            met.recovered_faults,
            met.splice,
            met.wrong_line,
            met.prefix,
            met.stale,
            met.no_thread_state,
            met.missed,
            trial.boundaries,
        ] {
            row.push_field(count.to_string().as_bytes());
        }
        row.push_field(trial.millis.to_string().as_bytes());
        row.push_field(crash.map_or_else(String::new, |crash| crash.signal.to_string()).as_bytes());
        row.push_field(of_crash(|crash| crash.address.as_deref()).as_bytes());
        row.push_field(of_crash(|crash| crash.site.as_deref()).as_bytes());
        row.push_field(plain(trial.note.as_deref().unwrap_or_default()).as_bytes());
        self.out.write_byte_record(&row).map_err(unwritten)?;
        self.rows += 1;
        Ok(())
    }
}

/// Strings that other programs chose: what cannot be seen is shown, and nothing begins as a formula of a spreadsheet does.
fn plain(text: &str) -> String {
    let shown = one_line(text);
    if shown.starts_with(['=', '+', '-', '@']) { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_or_a_second_line() {
        assert_eq!(plain("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(plain("a\n=b"), "a\\u000a=b");
        assert_eq!(plain("f"), "f");
    }
}

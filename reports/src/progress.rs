//! Progress on stderr: a line that changes on a terminal, a plain one every ten seconds elsewhere.

use crate::failure::Failure;
use crate::interrupt;
use crate::text::number::grouped;
use crate::text::visible::one_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

/// Rows between two looks at the clock.
const OFTEN: u64 = 1024;

/// How far the reading is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    rows: u64,
    said: Instant,
}

impl Progress {
    /// Quiet says nothing at all.
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if quiet || !terminal {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(5)
        };
        let bar = ProgressBar::with_draw_target(None, target);
        // No colour of its own, so that NO_COLOR has nothing to switch off.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self { bar, plain: !quiet && !terminal, rows: 0, said: Instant::now() }
    }

    /// A row of `dir` was read.
    ///
    /// # Errors
    /// When the user wants it to end.
    pub fn row(&mut self, dir: &Path) -> Result<(), Failure> {
        self.rows += 1;
        if !self.rows.is_multiple_of(OFTEN) {
            return Ok(());
        }
        interrupt::check()?;
        if self.plain {
            if self.said.elapsed() >= Duration::from_secs(10) {
                self.said = Instant::now();
                eprintln!("report: {}", self.line(dir));
            }
        } else if !self.bar.is_hidden() {
            self.bar.tick();
            self.bar.set_message(self.line(dir));
        }
        Ok(())
    }

    /// What is being done now that everything is read.
    ///
    /// # Errors
    /// When the user wants it to end.
    pub fn step(&self, what: &'static str) -> Result<(), Failure> {
        self.bar.set_message(what);
        self.bar.tick();
        interrupt::check()
    }

    fn line(&self, dir: &Path) -> String {
        format!("{} rows read, in {}", grouped(self.rows), one_line(&dir.display().to_string()))
    }
}

impl Drop for Progress {
    /// The line goes: what follows is a result or an error.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

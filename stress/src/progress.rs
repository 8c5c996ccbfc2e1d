//! Progress on stderr: a bar on a terminal, a line every ten seconds elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Progress of a known number of steps.
///
/// Drawn by the calling thread only: the fork server must have no second one.
pub struct Progress {
    bar: ProgressBar,
    name: String,
    plain: bool,
    said: Instant,
}

impl Progress {
    /// Of `steps` steps.
    pub fn new(name: String, steps: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {eta} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.clone());
        Progress { bar, name, plain, said: Instant::now() }
    }

    /// One step is done.
    pub fn step(&mut self, message: &str) {
        self.bar.inc(1);
        if self.plain {
            if self.said.elapsed() > Duration::from_secs(10) {
                self.said = Instant::now();
                let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
                eprintln!("{}: {done}/{all}, {message}", self.name);
            }
        } else {
            self.bar.set_message(message.to_owned());
        }
    }

    /// All is done, or the run was interrupted.
    pub fn finish(&self, message: &str) {
        self.bar.abandon_with_message(message.to_owned());
    }
}

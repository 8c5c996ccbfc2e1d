//! `report`: records of sigwalk in, one self-contained page out, and beside it `summary.md`, `summary.json`, `trials.csv`,
//! `cost.pyperf.json` and figures.
//!
//! The stages are pure functions in a row: [`read`] streams records into a [`model::Model`], [`claims`] judges it, and
//! [`html`], [`text`], [`json`] and [`beside`] write what was judged. Nothing here asks the clock, so the same records give the same bytes.

mod beside;
mod bias;
mod claims;
mod cli;
mod command;
mod compare;
mod failure;
mod html;
mod interrupt;
mod json;
mod model;
mod output;
mod plot;
mod progress;
mod read;
mod schema;
mod stats;
mod text;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(&cli::Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("report: {}", text::visible::line(&failure.message));
            ExitCode::from(failure.code)
        }
    }
}

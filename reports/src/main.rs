//! `report`: records of sigwalk in, one self-contained page, `summary.md` and `summary.json` out.
//!
//! The stages are pure functions in a row: [`read`] streams records into a [`model::Model`], [`claims`] judges it, and
//! [`html`], [`text`] and [`json`] write what was judged. Nothing here asks the clock, so the same records give the same bytes.

mod claims;
mod cli;
mod compare;
mod failure;
mod html;
mod json;
mod model;
mod output;
mod plot;
mod read;
mod stats;
mod text;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("report: {}", text::visible::one_line(&failure.message));
            ExitCode::from(failure.code)
        }
    }
}
